"""Greets a customer, in the words of the function's settings."""

import os

GREETING = os.environ["GREETING"]


def handler(event, context):
    name = event.get("name") or "stranger"
    return {"greeting": f"{GREETING}, {name}!", "version": context.function_version}
