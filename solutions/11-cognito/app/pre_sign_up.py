"""Cognito calls this before it makes a user: when somebody signs up, and when an administrator adds somebody."""

DOMAIN = "photoclub.example"


def handler(event, context):
    # kata: task sign-up
    email = event["request"]["userAttributes"].get("email", "")
    if email.lower().rpartition("@")[2] != DOMAIN:
        raise ValueError("only addresses of the photo club can sign up")
    return event
    # kata: starter
    # return event
    # kata: end
