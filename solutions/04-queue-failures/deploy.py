"""Deploys the queues, the two workers, and the mappings between them."""

import json

TIMEOUT = 10  # seconds a worker may take for a batch
VISIBILITY = 6 * TIMEOUT  # what AWS recommends for the queue


def deploy(lab):
    table = make_table(lab)
    dead = make_queue(lab, lab.name("dead"))
    orders = make_queue(
        lab,
        lab.name("orders"),
        VisibilityTimeout=str(VISIBILITY),
        # kata: task bury
        RedrivePolicy=json.dumps({"deadLetterTargetArn": arn(lab, dead), "maxReceiveCount": 5}),
        # kata: starter
        # kata: end
    )
    turns = make_queue(
        lab,
        lab.name("turns") + ".fifo",
        FifoQueue="true",
        VisibilityTimeout=str(VISIBILITY),
        # kata: task turns
        ContentBasedDeduplication="true",
        # kata: starter
        # kata: end
    )
    worker, fifo_worker = make_workers(lab, table)
    functions = lab.client("lambda")
    functions.create_event_source_mapping(
        EventSourceArn=arn(lab, orders),
        FunctionName=worker,
        # kata: task gather
        BatchSize=5,
        MaximumBatchingWindowInSeconds=2,
        # kata: starter
        # kata: end
        # kata: task isolate
        FunctionResponseTypes=["ReportBatchItemFailures"],
        # kata: starter
        # kata: end
    )
    functions.create_event_source_mapping(
        EventSourceArn=arn(lab, turns),
        FunctionName=fifo_worker,
        # kata: task turns
        FunctionResponseTypes=["ReportBatchItemFailures"],
        # kata: starter
        # kata: end
    )
    lab.outputs["QueueUrl"] = orders
    lab.outputs["DlqUrl"] = dead
    lab.outputs["FifoQueueUrl"] = turns
    lab.outputs["WorkerFunction"] = worker
    lab.outputs["FifoWorkerFunction"] = fifo_worker
    lab.outputs["ResultsTable"] = table


def make_table(lab):
    dynamodb = lab.client("dynamodb")
    name = lab.name("results")
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    return name


def make_queue(lab, name, **attributes):
    """Make a queue; its URL."""
    return lab.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def arn(lab, queue):
    """The ARN of a queue by its URL, which mappings and policies ask for."""
    found = lab.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    return found["Attributes"]["QueueArn"]


def make_workers(lab, table):
    """Make both workers, which may read from queues and write to the table; their names."""
    functions = lab.client("lambda")
    reading = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    booking = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    shared = {
        "Runtime": "python3.13",
        "Role": lab.role("worker", [{"Action": reading + booking, "Resource": "*"}]),
        "Timeout": TIMEOUT,
        "MemorySize": 512,
        "Environment": {"Variables": {"RESULTS_TABLE": table}},
        "Code": {"ZipFile": lab.package("app", requirements=("aws-lambda-powertools",))},
    }
    worker, fifo_worker = lab.name("worker"), lab.name("fifo-worker")
    functions.create_function(FunctionName=worker, Handler="worker.handler", **shared)
    functions.create_function(FunctionName=fifo_worker, Handler="worker.fifo_handler", **shared)
    for name in (worker, fifo_worker):
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
    return worker, fifo_worker
