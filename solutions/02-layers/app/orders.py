"""What an order costs."""

# kata: task library
from prices import gross

# kata: starter
#
# def gross(net):  # a copy: layers/prices/python/prices.py has the same
#     return (net * 119 + 50) // 100
# kata: end


def handler(event, context):
    return {"total": sum(gross(net) for net in event["items"])}
