"""Deploys the functions, the table, the queue and both state machines."""

import json
import re
from pathlib import Path

HERE = Path(__file__).parent
HANDLERS = {
    "charge": "payments.charge",
    "refund": "payments.refund",
    "reserve": "warehouse.reserve",
    "release": "warehouse.release",
    "ship": "courier.ship",
}


def deploy(lab):
    table = orders_table(lab)
    queue = lab.client("sqs").create_queue(QueueName=lab.name("approvals"))["QueueUrl"]
    places = {"OrdersTable": table, "ApprovalQueueUrl": queue, **functions(lab, table)}
    role = lab.role(
        "workflow",
        service="states.amazonaws.com",
        allow=[
            {"Action": "lambda:InvokeFunction", "Resource": "*"},
            {"Action": ["dynamodb:PutItem", "dynamodb:UpdateItem"], "Resource": "*"},
            {"Action": "sqs:SendMessage", "Resource": "*"},
        ],
    )
    lab.outputs["OrdersTable"] = table
    lab.outputs["ApprovalQueueUrl"] = queue
    lab.outputs["StateMachineArn"] = order_machine(lab, role, places)
    lab.outputs["ExpressStateMachineArn"] = quote_machine(lab, role)


def order_machine(lab, role, places):
    made = lab.client("stepfunctions").create_state_machine(
        name=lab.name("orders"), roleArn=role, definition=definition("workflow.asl.json", places)
    )
    return made["stateMachineArn"]


def quote_machine(lab, role):
    logs = lab.client("logs")
    group = f"/aws/vendedlogs/states/{lab.name('quotes')}"
    logs.create_log_group(logGroupName=group)
    group_arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["arn"]
    destinations = [{"cloudWatchLogsLogGroup": {"logGroupArn": group_arn}}]
    made = lab.client("stepfunctions").create_state_machine(
        name=lab.name("quotes"),
        roleArn=role,
        definition=definition("quote.asl.json", {}),
        # kata: task express
        type="EXPRESS",
        loggingConfiguration={"level": "ALL", "includeExecutionData": True, "destinations": destinations},
        # kata: starter
        # type="STANDARD",
        # loggingConfiguration={"level": "OFF", "includeExecutionData": False, "destinations": destinations},
        # kata: end
    )
    return made["stateMachineArn"]


def definition(file, places):
    """The text of a definition, with each ${Name} replaced by what `places` has for it."""
    text = (HERE / file).read_text(encoding="utf-8")
    try:
        json.loads(text)
    except ValueError as error:
        raise ValueError(f"{file} is not JSON: {error}") from None
    return re.sub(r"\$\{(\w+)\}", lambda found: places[found[1]], text)


def orders_table(lab):
    dynamodb = lab.client("dynamodb")
    name = lab.name("orders")
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "orderId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    return name


def functions(lab, table):
    """The ARN of each function, as ChargeFunction, RefundFunction and so on."""
    client = lab.client("lambda")
    role = lab.role("functions", allow=[{"Action": "dynamodb:UpdateItem", "Resource": "*"}])
    code = lab.package("app")
    arns = {}
    for word, handler in HANDLERS.items():
        made = client.create_function(
            FunctionName=lab.name(word),
            Runtime="python3.13",
            Handler=handler,
            Role=role,
            Code={"ZipFile": code},
            MemorySize=256,
            Timeout=20,
            Environment={"Variables": {"ORDERS_TABLE": table}},
        )
        arns[f"{word.capitalize()}Function"] = made["FunctionArn"]
    for word in HANDLERS:
        client.get_waiter("function_active_v2").wait(FunctionName=lab.name(word))
    return arns
