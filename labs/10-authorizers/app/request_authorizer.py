"""Says who may call /request: a Lambda authorizer of an HTTP API, with simple answers."""

from tokens import bearer, verify


def handler(event, context):
    return {"isAuthorized": False}
