"""Writes what the handlers found. A change of an item happens once, however often its record comes."""

import json
import os

import boto3

dynamodb = boto3.client("dynamodb")
DIGITS = 60  # sequence numbers are longer than a DynamoDB number: they are compared as texts of the same length


def keep_status(order, status, amount, sequence):
    """Add a status to the history of an order. Raises ValueError for an order that cannot be right."""
    if amount < 0:
        count_try(order)
        raise ValueError(f"order {order} is about {amount}")
    change = "SET #status = :value, history = list_append(if_not_exists(history, :none), :list)"
    once(order, sequence, change, {"S": status}, {"#status": "status"})


def add_reading(meter, data, sequence):
    """Add a reading, JSON like {"kwh": 7}, to those of a meter. Raises ValueError for what is no such thing."""
    try:
        kwh = int(json.loads(data)["kwh"])
    except (ValueError, KeyError, TypeError) as error:
        count_try(meter)
        raise ValueError(f"a reading of {meter} is none: {data[:40]!r}") from error
    change = "SET readings = list_append(if_not_exists(readings, :none), :list)"
    change += ", #total = if_not_exists(#total, :zero) + :value"
    once(meter, sequence, change, {"N": str(kwh)}, {"#total": "total"})


def once(key, sequence, change, value, names):
    """Change an item unless it has seen this record or a later one; count the try in any case."""
    values = {":value": value, ":list": {"L": [value]}, ":none": {"L": []}, ":zero": {"N": "0"}}
    values |= {":sequence": {"S": sequence.zfill(DIGITS)}, ":one": {"N": "1"}}
    try:
        dynamodb.update_item(
            **place(key),
            UpdateExpression=change + ", last_sequence = :sequence ADD tries :one",
            ConditionExpression="attribute_not_exists(last_sequence) OR last_sequence < :sequence",
            ExpressionAttributeValues={name: one for name, one in values.items() if name != ":zero" or name in change},
            ExpressionAttributeNames=names,
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        count_try(key)


def count_try(key):
    """Count that a record of this item was handed to the function."""
    dynamodb.update_item(
        **place(key), UpdateExpression="ADD tries :one", ExpressionAttributeValues={":one": {"N": "1"}}
    )


def place(key):
    """The table and the key of an item."""
    return {"TableName": os.environ["TABLE"], "Key": {"id": {"S": key}}}
