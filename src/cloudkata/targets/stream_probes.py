"""What a target makes of streams, found out by doing it."""

from __future__ import annotations

import json

from cloudkata.targets.probes import Bench, probe

_ROUNDS = 8  # of a large change and a small one
_EMPTY_PAGES = 3  # so many and a shard has no more for now

_AT_BAD = """
import base64
def handler(event, context):
    for index, record in enumerate(event["Records"]):
        if base64.b64decode(record["kinesis"]["data"]) == b"bad":
            if index == 0:
                raise ValueError("bad")
            return {"batchItemFailures": [{"itemIdentifier": record["kinesis"]["sequenceNumber"]}]}
"""


_BAD_ONLY = """
import base64
def handler(event, context):
    if any(base64.b64decode(record["kinesis"]["data"]) == b"bad" for record in event["Records"]):
        raise ValueError("bad")
"""


def _mapped(bench: Bench, name: str, source: str, data: list[bytes], **settings) -> tuple[list[str], dict]:
    """(the sequence numbers of a stream's records, what a queue is told of those that a function gave up)."""
    stream, kinesis, sqs = f"{bench.session.prefix}-{name}", bench.client("kinesis"), bench.client("sqs")
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=stream)
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    url = sqs.create_queue(QueueName=f"{stream}-failures")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bench.permit(["kinesis:*"], arn)
    bench.permit(["sqs:SendMessage"], queue)
    records = [{"Data": one, "PartitionKey": "k"} for one in data]
    numbers = [one["SequenceNumber"] for one in kinesis.put_records(StreamName=stream, Records=records)["Records"]]
    mapping = bench.client("lambda").create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName=bench.function(source),
        StartingPosition="TRIM_HORIZON",
        DestinationConfig={"OnFailure": {"Destination": queue}},
        **settings,
    )
    found: list[dict] = []

    def told() -> bool:
        found.extend(sqs.receive_message(QueueUrl=url).get("Messages", ()))
        return bool(found)

    bench.until(told)
    bench.client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
    return numbers, json.loads(found[0]["Body"]) if found else {}


@probe("lambda.stream-retries", "a stream mapping gives a record up after its retries, and tells a queue where it is")
def _stream_retries(bench: Bench):
    numbers, said = _mapped(bench, "retries", _BAD_ONLY, [b"bad"], MaximumRetryAttempts=1)
    where = said.get("KinesisBatchInfo", {}).get("startSequenceNumber")
    tries = said.get("requestContext", {}).get("approximateInvokeCount")
    return (where, tries) == (numbers[0], 2), f"given up after {tries} tries" if said else "nothing reached the queue"


@probe("lambda.stream-failures", "a stream mapping splits a batch, gives one record up, and tells a queue where it is")
def _stream_failures(bench: Bench):
    settings = {"BisectBatchOnFunctionError": True, "FunctionResponseTypes": ["ReportBatchItemFailures"]}
    data = [b"one", b"bad", b"two"]
    numbers, said = _mapped(bench, "probe", _AT_BAD, data, MaximumRetryAttempts=0, **settings)
    if not said:
        return False, "nothing reached the queue"
    batch = said.get("KinesisBatchInfo", {})
    shown = (batch.get("startSequenceNumber"), batch.get("endSequenceNumber")) == (numbers[1], numbers[1])
    return shown, f"a batch of {batch.get('batchSize')} was given up"


@probe("kinesis.shard-limits", "a shard refuses what is over a megabyte a second")
def _shard_limits(bench: Bench):
    stream, kinesis = f"{bench.session.prefix}-limits", bench.client("kinesis")
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=stream)
    records = [{"Data": bytes(600_000), "PartitionKey": "k"}] * 3
    failed = kinesis.put_records(StreamName=stream, Records=records)["FailedRecordCount"]
    return failed > 0, f"{failed} of 3 records refused"


@probe("dynamodb.stream-order", "a table's stream has the changes of an item in the order in which they were made")
def _stream_order(bench: Bench):
    table, dynamodb = f"{bench.session.prefix}-order", bench.client("dynamodb")
    made = dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    dynamodb.get_waiter("table_exists").wait(TableName=table)
    arn = made["TableDescription"]["LatestStreamArn"]
    bench.until(lambda: bench.client("dynamodbstreams").describe_stream(StreamArn=arn)["StreamDescription"]["Shards"])
    changes = range(2 * _ROUNDS)
    for change in changes:  # a small change after a large one, which may still be on its way
        items = [_item(0, change, 1)] if change % 2 else [_item(name, change, 15_000) for name in range(24, -1, -1)]
        dynamodb.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item}} for item in items]})
    bench.until(lambda: len(_changes(bench, arn)) >= len(changes))
    seen = _changes(bench, arn)
    return seen == list(changes), f"changes {seen}"


def _item(name: int, change: int, size: int) -> dict:
    return {"id": {"S": str(name)}, "change": {"N": str(change)}, "data": {"S": "x" * size}}


def _changes(bench: Bench, arn: str) -> list[int]:
    """The changes of item 0 in the order of the stream."""
    streams, found = bench.client("dynamodbstreams"), []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        start = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        token, empty = streams.get_shard_iterator(StreamArn=arn, **start).get("ShardIterator"), 0
        while token and empty < _EMPTY_PAGES:
            page = streams.get_records(ShardIterator=token)
            empty = 0 if page["Records"] else empty + 1
            images = [record["dynamodb"]["NewImage"] for record in page["Records"]]
            found += [int(image["change"]["N"]) for image in images if image["id"]["S"] == "0"]
            token = page.get("NextShardIterator")
    return found
