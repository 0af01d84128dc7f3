"""The amount of an invoice, on request also in words."""

# kata: task library
from digitwords import spell
from prices import gross

# kata: starter
#
# def gross(net):  # another copy, an older one
#     return int(net * 1.19)
# kata: end


def handler(event, context):
    invoice = {"net": event["net"], "gross": gross(event["net"])}
    if event.get("words"):
        # kata: task library
        invoice["words"] = spell(invoice["gross"])
        # kata: starter
        # invoice["words"] = None  # digitwords.spell(...), once there is a way to import it
        # kata: end
    return invoice
