"""Deploys the wallet's table."""


def deploy(lab):
    dynamodb = lab.client("dynamodb")
    name = lab.name("wallet")
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    lab.outputs["WalletTable"] = name
