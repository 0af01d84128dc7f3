"""Runs at origin-request: finds the object of an address in the bucket."""


def handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    # kata: task rewrite
    if request["uri"].endswith("/"):
        request["uri"] += "index.html"
    request["uri"] = "/site" + request["uri"]
    # kata: starter
    # kata: end
    return request
