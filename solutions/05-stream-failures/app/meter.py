"""Adds up the readings of electricity meters."""

# kata: task read
import base64

# kata: starter
# kata: end
from batch import in_order
from store import add_reading


def handler(event, context):
    return in_order(event["Records"], add, number)


def number(record):
    return record["kinesis"]["sequenceNumber"]


def add(record):
    """Add one reading: its meter is the partition key, its data comes in base64."""
    # kata: task read
    reading = record["kinesis"]
    add_reading(reading["partitionKey"], base64.b64decode(reading["data"]), number(record))
    # kata: starter
    # reading = record["kinesis"]
    # add_reading(reading["partitionKey"], reading["data"], number(record))
    # kata: end
