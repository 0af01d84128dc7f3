"""The bank's side: takes money for an order, and gives it back. It is there as it is: you need not change it."""

import os

import boto3

TABLE = os.environ["ORDERS_TABLE"]
dynamodb = boto3.client("dynamodb")


class PaymentUnavailable(Exception):
    """The bank does not answer at the moment; a little later it may."""


class CardDeclined(Exception):
    """The bank says no; it will say no again."""


def answers(order_id):
    """Whether the bank answers this time. For practice an order's item can say how often it does not."""
    try:
        dynamodb.update_item(
            TableName=TABLE,
            Key={"orderId": {"S": order_id}},
            UpdateExpression="ADD unavailable :less",
            ConditionExpression="unavailable > :none",
            ExpressionAttributeValues={":less": {"N": "-1"}, ":none": {"N": "0"}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return True
    return False


def charge(event, context):
    if event["card"].startswith("declined"):
        raise CardDeclined(f"the card {event['card']} was declined")
    if not answers(event["orderId"]):
        raise PaymentUnavailable("no answer from the bank")
    return {"charged": event["amount"]}


def refund(event, context):
    return {"refunded": event["amount"]}
