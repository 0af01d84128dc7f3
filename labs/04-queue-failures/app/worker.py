"""Books orders: `handler` takes them from the standard queue, `fifo_handler` from the FIFO queue."""

import json
import os
import time

import boto3

TABLE = os.environ["RESULTS_TABLE"]
dynamodb = boto3.client("dynamodb")


def handler(event, context):
    """Book every order of a batch that can be booked, and have the others come back."""
    for record in event["Records"]:
        book(json.loads(record["body"]))


def fifo_handler(event, context):
    """Book the orders of a batch in their turn, up to the first that cannot be booked."""
    for record in event["Records"]:
        book(json.loads(record["body"]))


def book(order):
    """Book one order; booked again it is the same booking. Raises for one that cannot be booked, or not yet."""
    if "customer" in order and not is_known(order["customer"]):
        raise LookupError(f"there is no customer {order['customer']}")
    amount = int(order["amount"])
    time.sleep(order.get("seconds", 0))  # the bank takes its time
    update(f"order#{order['order']}", "SET amount = :amount ADD times :one", amount=amount, one=1)
    if "line" in order:
        turns = "SET orders = list_append(if_not_exists(orders, :none), :order)"
        update(f"line#{order['line']}", turns, none=[], order=[order["order"]])


def is_known(customer):
    found = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": f"customer#{customer}"}})
    return "Item" in found


def update(key, expression, **values):
    dynamodb.update_item(
        TableName=TABLE,
        Key={"pk": {"S": key}},
        UpdateExpression=expression,
        ExpressionAttributeValues={f":{name}": typed(value) for name, value in values.items()},
    )


def typed(value):
    if isinstance(value, list):
        return {"L": [typed(one) for one in value]}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}
