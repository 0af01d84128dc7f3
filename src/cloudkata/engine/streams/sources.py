"""The two kinds of streams, by their public operations: shards, iterators and records, as a mapping reads them.

https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html and
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html say how a mapping polls (Kinesis about once a second a shard,
DynamoDB four times), and what the events look like.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Protocol

from cloudkata.engine.event_filter import decoded
from cloudkata.engine.mappings.calls import Calls
from cloudkata.engine.streams.records import Record

DAY = 86_400.0


@dataclass(frozen=True)
class Shard:
    """`parents` are read to their end before it."""

    id: str
    parents: tuple[str, ...]


@dataclass(frozen=True)
class Start:
    """Where to begin in a shard: an iterator type, with the time or sequence number it takes."""

    kind: str
    time: float = 0.0
    sequence: str = ""


@dataclass(frozen=True)
class Page:
    """What one GetRecords gave; `next` is empty at the end of a closed shard, `more` says that there is more by now."""

    records: tuple[Record, ...]
    next: str
    more: bool


class Source(Protocol):
    """One stream."""

    arn: str
    poll_seconds: float
    read_actions: tuple[str, ...]

    def shards(self) -> list[Shard]: ...

    def iterator(self, shard: str, start: Start) -> str: ...

    def page(self, shard: str, iterator: str) -> Page: ...

    def retention(self) -> float: ...

    def ends(self) -> dict[str, str]: ...

    def unread(self, shard: str, seen: str, since: float) -> int: ...


def source_of(arn: str, calls: Calls, role_arn: str) -> Source:
    """The stream that a mapping names."""
    kind = KinesisSource if arn.split(":")[2] == "kinesis" else DynamoDbSource
    return kind(arn, calls, role_arn)


class KinesisSource:
    poll_seconds = 1.0
    read_actions = ("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListShards")

    def __init__(self, arn: str, calls: Calls, role_arn: str) -> None:
        self.arn, self._calls, self._role = arn, calls, role_arn
        self._name = arn.rpartition("/")[2]

    def _call(self, operation: str, arguments: dict) -> dict:
        return self._calls.json("kinesis", f"Kinesis_20131202.{operation}", arguments)

    def shards(self) -> list[Shard]:
        found = self._call("ListShards", {"StreamARN": self.arn})["Shards"]
        names = ("ParentShardId", "AdjacentParentShardId")
        return [Shard(one["ShardId"], tuple(one[name] for name in names if one.get(name))) for one in found]

    def iterator(self, shard: str, start: Start) -> str:
        arguments = {"StreamARN": self.arn, "ShardId": shard, "ShardIteratorType": start.kind}
        if start.kind == "AT_TIMESTAMP":
            arguments["Timestamp"] = start.time  # type: ignore[assignment]
        elif start.sequence:
            arguments["StartingSequenceNumber"] = start.sequence
        return self._call("GetShardIterator", arguments)["ShardIterator"]

    def page(self, shard: str, iterator: str) -> Page:
        answer = self._call("GetRecords", {"ShardIterator": iterator})
        records = tuple(self._record(shard, record) for record in answer["Records"])
        return Page(records, answer.get("NextShardIterator") or "", bool(answer.get("MillisBehindLatest")))

    def _record(self, shard: str, record: dict) -> Record:
        fields = self.arn.split(":")
        kinesis = {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "data": record["Data"],
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        }
        about = {
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{shard}:{record['SequenceNumber']}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": self._role,
            "awsRegion": fields[3],
            "eventSourceARN": self.arn,
        }
        event = {"kinesis": kinesis, **about}
        return Record(
            record["SequenceNumber"],
            record["PartitionKey"],
            float(record["ApproximateArrivalTimestamp"]),
            len(json.dumps(event)),
            event,
            about | kinesis | {"data": _text(record["Data"])},
        )

    def retention(self) -> float:
        answer = self._call("DescribeStreamSummary", {"StreamARN": self.arn})
        return 3600.0 * answer["StreamDescriptionSummary"]["RetentionPeriodHours"]

    def _held(self) -> dict[str, list]:
        from ministack.services import kinesis

        fields = self.arn.split(":")
        stream = kinesis._streams.get_scoped(fields[4], fields[3], self._name) or {"shards": {}}
        return {shard: found["records"] for shard, found in list(stream["shards"].items())}

    def ends(self) -> dict[str, str]:
        """The sequence number of the newest record of each shard, or nothing, without a call that would count."""
        return {shard: found[-1]["SequenceNumber"] if found else "" for shard, found in self._held().items()}

    def unread(self, shard: str, seen: str, since: float) -> int:
        """How many records came after the sequence number `seen` and after the time `since`."""
        count = 0
        for record in reversed(self._held().get(shard, ())):
            if record["SequenceNumber"] <= seen or record["ApproximateArrivalTimestamp"] < since:
                break
            count += 1
        return count


def _text(data: str):
    """Data as filters see it."""
    try:
        return decoded(base64.b64decode(data).decode())
    except ValueError:
        return data


class DynamoDbSource:
    poll_seconds = 0.25
    read_actions = ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream")

    def __init__(self, arn: str, calls: Calls, role_arn: str) -> None:
        self.arn, self._calls = arn, calls
        self._table = arn.split("/")[1]

    def _call(self, operation: str, arguments: dict) -> dict:
        return self._calls.json("dynamodb_streams", f"DynamoDBStreams_20120810.{operation}", arguments)

    def shards(self) -> list[Shard]:
        found = self._call("DescribeStream", {"StreamArn": self.arn})["StreamDescription"]["Shards"]
        return [Shard(one["ShardId"], tuple(filter(None, [one.get("ParentShardId")]))) for one in found]

    def iterator(self, shard: str, start: Start) -> str:
        arguments = {"StreamArn": self.arn, "ShardId": shard, "ShardIteratorType": start.kind}
        if start.sequence:
            arguments["SequenceNumber"] = start.sequence
        return self._call("GetShardIterator", arguments)["ShardIterator"]

    def page(self, shard: str, iterator: str) -> Page:
        answer = self._call("GetRecords", {"ShardIterator": iterator})
        records = tuple(self._record(record) for record in answer["Records"])
        return Page(records, answer.get("NextShardIterator") or "", bool(records))

    def _record(self, record: dict) -> Record:
        event = {**record, "eventSourceARN": self.arn}
        change = record["dynamodb"]
        text = json.dumps(event)
        key = json.dumps(change["Keys"], sort_keys=True)
        arrived = float(change["ApproximateCreationDateTime"])
        return Record(change["SequenceNumber"], key, arrived, len(text), event, event)

    def retention(self) -> float:
        return DAY

    def _held(self) -> list[dict]:
        from ministack.services import dynamodb

        fields = self.arn.split(":")
        return dynamodb._stream_records.get_scoped(fields[4], fields[3], self._table) or []

    def ends(self) -> dict[str, str]:
        """The sequence number of the newest record of the stream's one shard, or nothing."""
        from ministack.services import dynamodb_streams

        found = self._held()
        return {dynamodb_streams._DEFAULT_SHARD_ID: found[-1]["dynamodb"]["SequenceNumber"] if found else ""}

    def unread(self, shard: str, seen: str, since: float) -> int:
        """How many records came after the sequence number `seen`."""
        count = 0
        for record in reversed(self._held()):
            if record["dynamodb"]["SequenceNumber"] <= seen or record.get("eventSourceARN") != self.arn:
                break
            count += 1
        return count
