"""What a target makes of streams, found out by doing it."""

from __future__ import annotations

import json

from cloudkata.targets.probes import Bench, probe

_AT_BAD = """
import base64
def handler(event, context):
    for index, record in enumerate(event["Records"]):
        if base64.b64decode(record["kinesis"]["data"]) == b"bad":
            if index == 0:
                raise ValueError("bad")
            return {"batchItemFailures": [{"itemIdentifier": record["kinesis"]["sequenceNumber"]}]}
"""


@probe("lambda.stream-failures", "a stream mapping splits a batch, gives one record up, and tells a queue where it is")
def _stream_failures(bench: Bench):
    stream, kinesis, sqs = f"{bench.session.prefix}-probe", bench.client("kinesis"), bench.client("sqs")
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=stream)
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    url = sqs.create_queue(QueueName=f"{bench.session.prefix}-probe-failures")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bench.permit(["kinesis:*"], arn)
    bench.permit(["sqs:SendMessage"], queue)
    records = [{"Data": data, "PartitionKey": "k"} for data in (b"one", b"bad", b"two")]
    numbers = [one["SequenceNumber"] for one in kinesis.put_records(StreamName=stream, Records=records)["Records"]]
    mapping = bench.client("lambda").create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName=bench.function(_AT_BAD),
        StartingPosition="TRIM_HORIZON",
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=0,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": queue}},
    )
    found: list[dict] = []

    def told() -> bool:
        found.extend(sqs.receive_message(QueueUrl=url).get("Messages", ()))
        return bool(found)

    heard = bench.until(told)
    bench.client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
    if not heard:
        return False, "nothing reached the queue"
    batch = json.loads(found[0]["Body"]).get("KinesisBatchInfo", {})
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
