"""Deploys the table."""


def deploy(lab):
    name = lab.name("counter")
    # kata: task deploy
    key = "id"
    # kata: starter
    # key = "key"  # the partition key must be `id`
    # kata: end
    lab.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    lab.outputs["Table"] = name
