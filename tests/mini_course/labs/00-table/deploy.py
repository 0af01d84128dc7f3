"""Deploys the table."""


def deploy(lab):
    key = "key"  # the partition key must be `id`
    name = lab.name("things")
    lab.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    lab.outputs["Table"] = name
