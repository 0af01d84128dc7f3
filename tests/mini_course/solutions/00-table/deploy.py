"""Deploys the table."""


def deploy(lab):
    # kata: task key
    key = "id"
    # kata: starter
    # key = "key"  # the partition key must be `id`
    # kata: end
    name = lab.name("things")
    lab.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    lab.outputs["Table"] = name
