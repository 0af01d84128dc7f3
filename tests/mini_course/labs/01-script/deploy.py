"""Deploys the table."""


def deploy(lab):
    name = lab.name("counter")
    key = "key"  # the partition key must be `id`
    lab.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    lab.outputs["Table"] = name
