"""Keeps the projection of the orders: the status of each, and how it got there."""

from batch import in_order
from store import keep_status


def handler(event, context):
    return in_order(event["Records"], project, number)


def number(record):
    return record["dynamodb"]["SequenceNumber"]


def project(record):
    """Project one change of an order: its id, status and amount are in the item's new image."""
    # kata: task read
    order = record["dynamodb"]["NewImage"]
    keep_status(order["id"]["S"], order["status"]["S"], int(order["amount"]["N"]), number(record))
    # kata: starter
    # order = record["dynamodb"]["Keys"]  # where is the rest?
    # keep_status(order["id"]["S"], "unknown", 0, number(record))
    # kata: end
