"""The courier: fetches an order. It is there as it is: you need not change it."""


class NoCourier(Exception):
    """Nobody goes there."""


def ship(event, context):
    if event["address"].startswith("nowhere"):
        raise NoCourier(f"no courier goes to {event['address']}")
    return {"shipped": event["orderId"]}
