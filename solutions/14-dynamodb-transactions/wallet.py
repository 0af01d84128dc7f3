"""A wallet in one DynamoDB table: an item for each account, and an item for each page whose visits are counted."""

import random
import time

from botocore.config import Config
from botocore.exceptions import ClientError

DONE = {"ok": True, "reason": ""}
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)  # seconds at most before each further try

# An ADD whose answer was lost may have been counted: a client for adding must send nothing twice on its own.
ONCE = Config(retries={"total_max_attempts": 1})

# What passes by itself. Nothing has been written then, so the very same request may be sent again.
BUSY = {"TransactionConflictException", "TransactionInProgressException"}
BUSY_REASONS = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


def refused(reason):
    return {"ok": False, "reason": reason}


def number(value):
    return {"N": str(value)}


def account(lab, owner):
    """The table and the key of an account, as most operations take them."""
    return {"TableName": lab.outputs["WalletTable"], "Key": {"pk": {"S": f"account#{owner}"}}}


def page_counter(lab, page):
    return {"TableName": lab.outputs["WalletTable"], "Key": {"pk": {"S": f"page#{page}"}}}


def write(operation, **request):
    """Send a request, and the same one again while others are in its way."""
    for pause in PAUSES:
        try:
            return operation(**request)
        except ClientError as error:
            if not is_busy(error):
                raise
        time.sleep(random.uniform(0, pause))
    return operation(**request)


def is_busy(error):
    """Whether an error passes by itself, and no action of the request failed for good."""
    if error.response["Error"]["Code"] in BUSY:
        return True
    codes = {reason["Code"] for reason in error.response.get("CancellationReasons", ())} - {"None"}
    return bool(codes) and codes <= BUSY_REASONS


def open_account(lab, owner, amount):
    """Open the account of `owner` with `amount` in it; refused when there is one."""
    # kata: task open
    dynamodb = lab.client("dynamodb")
    place = account(lab, owner)
    item = {**place["Key"], "balance": number(amount), "version": number(1)}
    try:
        write(
            dynamodb.put_item,
            TableName=place["TableName"],
            Item=item,
            ConditionExpression="attribute_not_exists(pk)",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return refused("the account is open already")
    return DONE
    # kata: starter
    # return refused("not written yet")
    # kata: end


def visits(lab, page):
    """Count one more visit of `page`, which may be its first."""
    # kata: task count
    write(
        lab.client("dynamodb", config=ONCE).update_item,
        **page_counter(lab, page),
        UpdateExpression="ADD visits :one",
        ExpressionAttributeValues={":one": number(1)},
    )
    return DONE
    # kata: starter
    # return refused("not written yet")
    # kata: end


def deposit(lab, owner, amount):
    """Put `amount` into the account of `owner`; refused when there is none."""
    # kata: task count
    dynamodb = lab.client("dynamodb", config=ONCE)
    try:
        write(
            dynamodb.update_item,
            **account(lab, owner),
            UpdateExpression="ADD balance :amount",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":amount": number(amount)},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return refused("there is no such account")
    return DONE
    # kata: starter
    # return refused("not written yet")
    # kata: end


def set_limit(lab, owner, limit, expected_version):
    """Keep `limit` in the account of `owner`; refused unless its version is still `expected_version`."""
    # kata: task limit
    dynamodb = lab.client("dynamodb")
    try:
        write(
            dynamodb.update_item,
            **account(lab, owner),
            UpdateExpression="SET spend_limit = :limit, version = version + :one",
            ConditionExpression="version = :expected",
            ExpressionAttributeValues={
                ":limit": number(limit),
                ":expected": number(expected_version),
                ":one": number(1),
            },
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return refused("the version is another one: read the account again")
    return DONE
    # kata: starter
    # return refused("not written yet")
    # kata: end


def transfer(lab, source, target, amount, request_id):
    """Move `amount` from `source` to `target`, once for each `request_id`."""
    # kata: task transfer
    values = {":amount": number(amount)}
    take = {
        **account(lab, source),
        "UpdateExpression": "SET balance = balance - :amount",
        "ConditionExpression": "balance >= :amount",
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    give = {
        **account(lab, target),
        "UpdateExpression": "SET balance = balance + :amount",
        "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeValues": values,
    }
    return commit(lab, [{"Update": take}, {"Update": give}], request_id)
    # kata: starter
    # return refused("not written yet")
    # kata: end


# kata: task transfer
def which_side(taking, giving):
    """Why a transfer was cancelled, from the reasons of its two actions."""
    if taking["Code"] == "ConditionalCheckFailed":
        return "the source is too poor" if "Item" in taking else "the source is missing"
    if giving["Code"] == "ConditionalCheckFailed":
        return "the target is missing"
    return "others were in the way: ask again with the same request id"


# kata: starter
# kata: end
def commit(lab, actions, request_id):
    """Write all actions or none of them. The first one takes, the second one gives."""
    dynamodb = lab.client("dynamodb")
    try:
        write(
            dynamodb.transact_write_items,
            TransactItems=actions,
            # kata: task repeat
            ClientRequestToken=request_id,
            # kata: starter
            # kata: end
        )
    except dynamodb.exceptions.TransactionCanceledException as error:
        # kata: task transfer
        return refused(which_side(*error.response["CancellationReasons"]))
        # kata: starter
        # raise error  # which side failed? error.response["CancellationReasons"] has a reason for each action
        # kata: end
    # kata: task repeat
    except dynamodb.exceptions.IdempotentParameterMismatchException:
        return refused("this request id was used for another transfer")
    # kata: starter
    # kata: end
    return DONE
