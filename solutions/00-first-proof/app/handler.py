"""Greets by name."""

import json


def handler(event, context):
    name = event.get("name")
    # kata: task greet
    status = 200 if name else 400
    # kata: starter
    # status = 200  # a request without a name must get a 400
    # kata: end
    return {"statusCode": status, "body": json.dumps({"greeting": f"Hello, {name}!"})}
