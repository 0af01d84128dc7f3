"""Answers with what the authorizer passed on. Finished: nothing to do here."""

import json


def handler(event, context):
    passed_on = event["requestContext"].get("authorizer")
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"authorizer": passed_on}),
    }
