"""Runs at origin-response: whatever the bucket answers goes through here before it is cached."""

SECURITY = {
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def handler(event, context):
    response = event["Records"][0]["cf"]["response"]
    # kata: task errors
    for name, value in SECURITY.items():
        response["headers"][name.lower()] = [{"key": name, "value": value}]
    # kata: starter
    # kata: end
    return response
