"""Adds two numbers."""


def handler(event, context):
    # kata: task add
    return event["a"] + event["b"]
    # kata: starter
    # return 0  # the sum of the event's `a` and `b`
    # kata: end
