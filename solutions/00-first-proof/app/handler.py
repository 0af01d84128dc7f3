"""Greets by name."""

import json


def handler(event, context):
    name = event.get("name")
    status = 200 if name else 400
    return {"statusCode": status, "body": json.dumps({"greeting": f"Hello, {name}!"})}
