"""Counts in a table."""


def count(lab, step):
    # kata: task count
    reply = lab.client("dynamodb").update_item(
        TableName=lab.outputs["Table"],
        Key={"id": {"S": "total"}},
        UpdateExpression="ADD amount :step",
        ExpressionAttributeValues={":step": {"N": str(step)}},
        ReturnValues="UPDATED_NEW",
    )
    return int(reply["Attributes"]["amount"]["N"])
    # kata: starter
    # return step  # and add it to the item `total` of the table
    # kata: end
