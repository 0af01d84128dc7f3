"""What an order costs."""


def gross(net):  # a copy: layers/prices/python/prices.py has the same
    return (net * 119 + 50) // 100


def handler(event, context):
    return {"total": sum(gross(net) for net in event["items"])}
