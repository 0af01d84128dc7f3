"""Doubles a number."""


def handler(event, context):
    # kata: task double
    return event["number"] * 2
    # kata: starter
    # return 0  # twice the number of the event
    # kata: end
