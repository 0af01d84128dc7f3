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
    return refused("not written yet")


def visits(lab, page):
    """Count one more visit of `page`, which may be its first."""
    return refused("not written yet")


def deposit(lab, owner, amount):
    """Put `amount` into the account of `owner`; refused when there is none."""
    return refused("not written yet")


def set_limit(lab, owner, limit, expected_version):
    """Keep `limit` in the account of `owner`; refused unless its version is still `expected_version`."""
    return refused("not written yet")


def transfer(lab, source, target, amount, request_id):
    """Move `amount` from `source` to `target`, once for each `request_id`."""
    return refused("not written yet")


def commit(lab, actions, request_id):
    """Write all actions or none of them. The first one takes, the second one gives."""
    dynamodb = lab.client("dynamodb")
    try:
        write(
            dynamodb.transact_write_items,
            TransactItems=actions,
        )
    except dynamodb.exceptions.TransactionCanceledException as error:
        raise error  # which side failed? error.response["CancellationReasons"] has a reason for each action
    return DONE
