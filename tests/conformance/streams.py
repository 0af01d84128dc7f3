"""A stream of either kind with a function mapped to it, for the conformance tests of stream mappings."""

from __future__ import annotations

import json
from dataclasses import dataclass

from support import Account, eventually

ALLOW = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
# Prints what each invocation got, as a line of JSON, and fails as MODE says at a value that starts with "bad".
SOURCE = """
import base64, json, os, time
MODE = os.environ.get("MODE", "")
def value(record):
    if "kinesis" in record:
        return base64.b64decode(record["kinesis"]["data"]).decode()
    return record["dynamodb"]["Keys"]["pk"]["S"] + "/" + record["dynamodb"]["NewImage"]["v"]["S"]
def number(record):
    return (record.get("kinesis") or record.get("dynamodb")).get("sequenceNumber") or record["dynamodb"]["SequenceNumber"]
def handle(event, context):
    records = event["Records"]
    values = [value(record) for record in records]
    extra = {key: item for key, item in event.items() if key != "Records"}
    print("SEEN " + json.dumps({"values": values, "at": time.time(), **extra}), flush=True)
    for index, text in enumerate(values):
        time.sleep({"slow": 1.5, "snail": 4.0}.get(text.split("/")[-1], 0))
        if "bad" not in text or MODE == "ok":
            continue
        if MODE == "partial" or (MODE == "pattern" and index):
            return {"batchItemFailures": [{"itemIdentifier": number(records[index])}]}
        if MODE == "several":
            return {"batchItemFailures": [{"itemIdentifier": number(r)} for r in reversed(records) if "bad" in value(r)]}
        if MODE in ("empty", "wrong key"):
            return {"batchItemFailures": [{"itemIdentifier": ""} if MODE == "empty" else {"id": number(records[index])}]}
        raise ValueError(text)
    if MODE == "sum":
        return {"state": {"count": event.get("state", {}).get("count", 0) + len(values)}}
"""


@dataclass
class Mapped:
    """A stream, and a function `f` that is to be mapped to it."""

    aws: Account
    kind: str
    arn: str
    uuid: str = ""

    @classmethod
    def make(cls, aws: Account, kind: str, shards: int = 1, **variables: str) -> Mapped:
        arn = make_stream(aws, "s", shards) if kind == "kinesis" else _table(aws)
        role = aws.role()
        aws.client("iam").put_role_policy(RoleName="runs", PolicyName="all", PolicyDocument=ALLOW)
        aws.function(SOURCE, Role=role, Environment={"Variables": variables})
        return cls(aws, kind, arn)

    def put(self, *values: str, key: str = "k") -> None:
        """Add records in this order, with one call each so that the order is sure."""
        for value in values:
            if self.kind == "kinesis":
                stream = self.arn.rpartition("/")[2]
                self.aws.client("kinesis").put_record(StreamName=stream, Data=value.encode(), PartitionKey=key)
            else:
                item = {"pk": {"S": key}, "v": {"S": value}}
                self.aws.client("dynamodb").put_item(TableName="tab", Item=item)

    def map(self, wait: bool = True, **settings) -> str:
        """Create the mapping, from the oldest record unless told otherwise; its UUID once it is enabled."""
        settings = {"StartingPosition": "TRIM_HORIZON"} | settings
        made = self.aws.lambda_.create_event_source_mapping(EventSourceArn=self.arn, FunctionName="f", **settings)
        self.uuid = made["UUID"]
        if wait:
            eventually(lambda: self.config()["State"] == "Enabled")
        return self.uuid

    def config(self) -> dict:
        return self.aws.lambda_.get_event_source_mapping(UUID=self.uuid)

    def seen(self) -> list[dict]:
        """What each invocation printed, oldest first; `values` are without keys."""
        logs = self.aws.client("logs")
        group = "/aws/lambda/f"
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        lines = [event["message"] for page in pages for event in page["events"]]
        found = [json.loads(line.removeprefix("SEEN ")) for line in lines if line.startswith("SEEN ")]
        for one in found:
            one["values"] = [value.rpartition("/")[2] for value in one["values"]]
        return sorted(found, key=lambda one: one["at"])

    def batches(self) -> list[list[str]]:
        return [one["values"] for one in self.seen()]

    def handed(self) -> list[str]:
        """Each value handed to the function, as often as it was."""
        return [value for batch in self.batches() for value in batch]

    def until(self, *values: str) -> list[list[str]]:
        """Wait until the function has got all of `values`; the batches then."""
        eventually(lambda: set(values) <= set(self.handed()))
        return self.batches()


def make_stream(aws: Account, name: str, shards: int = 1) -> str:
    """The ARN of a new Kinesis stream, once it is active."""
    kinesis = aws.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=shards)

    def look():
        found = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        return found["StreamARN"] if found["StreamStatus"] == "ACTIVE" else None

    return eventually(look)


def _table(aws: Account) -> str:
    aws.client("dynamodb").create_table(
        TableName="tab",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return eventually(lambda: aws.client("dynamodb").describe_table(TableName="tab")["Table"].get("LatestStreamArn"))


def queue(aws: Account, name: str = "failures") -> tuple[str, str]:
    """(URL, ARN) of a new queue."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def to(arn: str) -> dict:
    return {"OnFailure": {"Destination": arn}}


def received(aws: Account, url: str, count: int = 1) -> list[dict]:
    """The bodies of `count` messages, waiting for them."""
    found: list[dict] = []

    def look() -> bool:
        for message in aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            found.append(json.loads(message["Body"]))
        return len(found) >= count

    eventually(look)
    return found
