"""Deploys a table with a stream, a Kinesis stream, and a function for each."""

import json

# kata: task limits
SHARDS = 3  # 2.6 MB a second come in, and a shard takes 1 MB
# kata: starter
# SHARDS = 1
# kata: end


def deploy(lab):
    orders, orders_stream = make_table(lab, "orders", stream=True)
    projection, _ = make_table(lab, "projection")
    readings = make_table(lab, "meters")[0]
    stream, stream_arn = make_stream(lab)
    queue_url, queue_arn = make_queue(lab)
    roles = {
        "projector": lab.role("projector", allow=permissions(orders_stream, projection, queue_arn, lab)),
        "meter": lab.role("meter", allow=permissions(stream_arn, readings, queue_arn, lab)),
    }
    projector = make_function(lab, "projector", roles["projector"], projection)
    meter = make_function(lab, "meter", roles["meter"], readings)
    open_shop(lab, orders, stream)
    settings = mapping_settings(queue_arn)
    functions = lab.client("lambda")
    functions.create_event_source_mapping(FunctionName=projector, EventSourceArn=orders_stream, **settings)
    functions.create_event_source_mapping(FunctionName=meter, EventSourceArn=stream_arn, **settings)
    lab.outputs |= {
        "OrdersTable": orders,
        "ProjectionTable": projection,
        "StreamName": stream,
        "MeterTable": readings,
        "ProjectorFunction": projector,
        "MeterFunction": meter,
        "FailuresQueueUrl": queue_url,
    }


def mapping_settings(queue_arn):
    """How Lambda reads both streams."""
    return {
        "BatchSize": 100,
        # kata: task read
        "StartingPosition": "TRIM_HORIZON",
        # kata: starter
        # "StartingPosition": "LATEST",
        # kata: end
        # kata: task stop
        "MaximumRetryAttempts": 2,  # three tries in all
        # kata: starter
        # kata: end
        # kata: task isolate
        "BisectBatchOnFunctionError": True,
        # kata: starter
        # kata: end
        # kata: task keep
        "DestinationConfig": {"OnFailure": {"Destination": queue_arn}},
        # kata: starter
        # kata: end
        # kata: task checkpoint
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        # kata: starter
        # kata: end
    }


def make_table(lab, base, stream=False):
    """(name, ARN of its stream or nothing) of a new table with the key `id`."""
    dynamodb, name = lab.client("dynamodb"), lab.name(base)
    # kata: task read
    view = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    # kata: starter
    # view = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    # kata: end
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **({"StreamSpecification": view} if stream else {}),
    )
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    return name, dynamodb.describe_table(TableName=name)["Table"].get("LatestStreamArn")


def make_stream(lab):
    """(name, ARN) of a new Kinesis stream."""
    kinesis, name = lab.client("kinesis"), lab.name("readings")
    kinesis.create_stream(StreamName=name, ShardCount=SHARDS)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    return name, kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]


def make_queue(lab):
    """(URL, ARN) of a new queue."""
    sqs = lab.client("sqs")
    url = sqs.create_queue(QueueName=lab.name("failures"))["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def permissions(stream_arn, table, queue_arn, lab):
    """What a function's role has to allow: Lambda reads the stream with it."""
    table_arn = f"arn:aws:dynamodb:{lab.region}:{lab.account}:table/{table}"
    kinds = {
        "dynamodb": ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"],
        "kinesis": ["DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards"],
    }
    service = stream_arn.split(":")[2]
    return [
        {"Action": [f"{service}:{action}" for action in kinds[service]], "Resource": stream_arn},
        {"Action": "dynamodb:UpdateItem", "Resource": table_arn},
        # kata: task keep
        {"Action": "sqs:SendMessage", "Resource": queue_arn},
        # kata: starter
        # kata: end
    ]


def make_function(lab, base, role, table):
    functions, name = lab.client("lambda"), lab.name(base)
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler=f"{base}.handler",
        Role=role,
        Code={"ZipFile": lab.package("app")},
        Environment={"Variables": {"TABLE": table}},
        MemorySize=256,
        Timeout=30,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    return name


def open_shop(lab, orders, stream):
    """What had happened before anybody thought of a projection: three orders, and readings of three meters."""
    for number in range(1, 4):
        for status in ("placed", "paid", "packed", "sent"):
            item = {"id": {"S": f"opening-{number}"}, "status": {"S": status}, "amount": {"N": str(number)}}
            lab.client("dynamodb").put_item(TableName=orders, Item=item)
        for kwh in (10, 20, 30, 40):
            data = json.dumps({"kwh": kwh + number}).encode()
            lab.client("kinesis").put_record(StreamName=stream, PartitionKey=f"opening-{number}", Data=data)
