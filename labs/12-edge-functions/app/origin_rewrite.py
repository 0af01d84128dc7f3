"""Runs at origin-request: finds the object of an address in the bucket."""


def handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    return request
