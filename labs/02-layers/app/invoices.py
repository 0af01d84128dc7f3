"""The amount of an invoice, on request also in words."""


def gross(net):  # another copy, an older one
    return int(net * 1.19)


def handler(event, context):
    invoice = {"net": event["net"], "gross": gross(event["net"])}
    if event.get("words"):
        invoice["words"] = None  # digitwords.spell(...), once there is a way to import it
    return invoice
