"""Adds up the readings of electricity meters."""

from batch import in_order
from store import add_reading


def handler(event, context):
    return in_order(event["Records"], add, number)


def number(record):
    return record["kinesis"]["sequenceNumber"]


def add(record):
    """Add one reading: its meter is the partition key, its data comes in base64."""
    reading = record["kinesis"]
    add_reading(reading["partitionKey"], reading["data"], number(record))
