"""The warehouse: sets items aside for an order, and puts them back. It is there as it is: you need not change it."""

import time

SECONDS = 0.15  # somebody has to walk to the shelf


class OutOfStock(Exception):
    """There is none left."""


def reserve(event, context):
    """Set one item aside: {"sku": ..., "quantity": ...}."""
    time.sleep(SECONDS)
    if event["sku"].startswith("gone"):
        raise OutOfStock(f"no {event['sku']} left")
    return {"reserved": event["sku"]}


def release(event, context):
    """Put back whatever was set aside for an order; if that was nothing, nothing happens."""
    return {"released": event["orderId"]}
