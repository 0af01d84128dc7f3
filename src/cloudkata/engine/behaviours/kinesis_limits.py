"""A Kinesis shard takes and gives no more than its share; what is beyond is refused or reported as failed.

AWS documents: in, 1,000 records and 1 MB a second a shard
(https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html); PutRecords answers 200 with the error
code of each record that failed. Out, 2 MB a second and five GetRecords a second a shard, at most 10,000 records and
10 MiB a call; after a full answer the next calls throw for five seconds, otherwise for one
(https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html). Five GetShardIterator a second a shard
(https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetShardIterator.html). All of them answer
ProvisionedThroughputExceededException. Mappings read with the same operations, and share the limits.

MiniStack has none of these. Its operations only see what is within them. Seconds are those of the engine's clock.

Needs aws_clock.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field

from cloudkata.engine.context import Context

RECORDS_IN = 1_000  # a second
BYTES_IN = 1 << 20  # a second
BYTES_OUT = 2 << 20  # a second
CALLS = 5  # a second, of GetRecords and of GetShardIterator
ANSWER_BYTES = 10 << 20
_MOST_RECORDS = 500  # in one PutRecords; MiniStack refuses more
_CODE = "ProvisionedThroughputExceededException"
_KINESIS = "ministack.services.kinesis:"


@dataclass
class Bucket:
    """What may be taken at once, refilled at `rate` a second up to a second's worth."""

    rate: float
    left: float
    at: float

    @classmethod
    def full(cls, rate: float, now: float) -> Bucket:
        return cls(rate, rate, now)

    def holds(self, amount: float, now: float) -> bool:
        self.left = min(self.rate, self.left + (now - self.at) * self.rate)
        self.at = now
        return self.left >= min(amount, self.rate)

    def take(self, amount: float) -> None:
        self.left -= amount


@dataclass
class Shard:
    """What one shard has taken and given lately. Used on the event loop only."""

    records: Bucket
    bytes_in: Bucket
    reads: deque[float] = field(default_factory=lambda: deque(maxlen=CALLS))
    iterators: deque[float] = field(default_factory=lambda: deque(maxlen=CALLS))
    given: float = 0.0
    given_at: float = 0.0
    closed_until: float = 0.0

    def accept(self, size: int, now: float) -> bool:
        """Whether one more record may come in; counts it if so."""
        if not (self.records.holds(1, now) and self.bytes_in.holds(size, now)):
            return False
        self.records.take(1)
        self.bytes_in.take(size)
        return True

    def may_read(self, now: float) -> bool:
        return now >= self.closed_until and _within(self.reads, now)

    def gave(self, size: int, now: float) -> None:
        """Count an answer: over a second's worth, the shard is closed until it is paid for."""
        self.given = max(0.0, self.given - (now - self.given_at) * BYTES_OUT) + size
        self.given_at = now
        if self.given > BYTES_OUT:
            self.closed_until = now + self.given / BYTES_OUT


def _within(calls: deque[float], now: float) -> bool:
    """Whether one more call is within the limit of a second; counts it if so."""
    if len(calls) == CALLS and now - calls[0] < 1.0:
        return False
    calls.append(now)
    return True


def register(context: Context) -> None:
    from ministack.services import kinesis

    shards: dict[tuple[str, str], Shard] = {}
    now = context.clock.now

    def shard_of(stream: dict, name: str) -> Shard:
        key = stream["StreamARN"], name
        if key not in shards:
            shards[key] = Shard(Bucket.full(RECORDS_IN, now()), Bucket.full(BYTES_IN, now()))
        return shards[key]

    def place(stream: dict, record: dict) -> str:
        explicit = record.get("ExplicitHashKey")
        key = int(explicit) if explicit else kinesis._partition_key_to_hash(record.get("PartitionKey", ""))
        return kinesis._route_to_shard(key, stream)

    def message(stream: dict, shard: str) -> str:
        account = stream["StreamARN"].split(":")[4]
        return f"Rate exceeded for shard {shard} in stream {stream['StreamName']} under account {account}."

    def put(original, data):
        _, stream = kinesis._resolve_stream(data)
        if stream is not None:
            shard = place(stream, data)
            if not shard_of(stream, shard).accept(_size(data), now()):
                return kinesis.error_response_json(_CODE, message(stream, shard), 400)
        return original(data)

    def put_many(original, data):
        _, stream = kinesis._resolve_stream(data)
        records = data.get("Records", [])
        if stream is None or len(records) > _MOST_RECORDS:
            return original(data)
        failed: dict[int, dict] = {}
        for index, record in enumerate(records):
            shard = place(stream, record)
            if not shard_of(stream, shard).accept(_size(record), now()):
                failed[index] = {"ErrorCode": _CODE, "ErrorMessage": message(stream, shard)}
        status, headers, body = original({**data, "Records": [r for i, r in enumerate(records) if i not in failed]})
        if status != 200 or not failed:
            return status, headers, body
        answer = json.loads(body)
        done = iter(answer["Records"])
        answer["Records"] = [failed.get(index) or next(done) for index in range(len(records))]
        answer["FailedRecordCount"] = len(failed)
        return kinesis.json_response(answer)

    def get(original, data):
        state = kinesis._shard_iterators.get(data.get("ShardIterator"))
        stream = kinesis._streams.get(state["stream"]) if state else None
        if stream is None or state["shard_id"] not in stream["shards"]:
            return original(data)
        shard = shard_of(stream, state["shard_id"])
        if not shard.may_read(now()):
            return kinesis.error_response_json(_CODE, message(stream, state["shard_id"]), 400)
        held = stream["shards"][state["shard_id"]]["records"][state["position"] :]
        limit, size = _fitting(held, int(data.get("Limit") or 10_000))
        shard.gave(size, now())
        return original({**data, "Limit": limit})

    def iterator(original, data):
        _, stream = kinesis._resolve_stream(data)
        name = data.get("ShardId")
        if stream is not None and name in stream["shards"] and not _within(shard_of(stream, name).iterators, now()):
            return kinesis.error_response_json(_CODE, message(stream, name), 400)
        return original(data)

    context.seams.hook(_KINESIS + "_put_record", put)
    context.seams.hook(_KINESIS + "_put_records", put_many)
    context.seams.hook(_KINESIS + "_get_records", get, order=40)
    context.seams.hook(_KINESIS + "_get_shard_iterator", iterator)


def _size(record: dict) -> int:
    """Bytes of a record: its data and its partition key."""
    return len(record.get("Data") or "") * 3 // 4 + len(str(record.get("PartitionKey", "")).encode())


def _fitting(held: list[dict], limit: int) -> tuple[int, int]:
    """(how many records fit into one answer, their size)."""
    total = 0
    for count, record in enumerate(held[:limit]):
        size = _size(record)
        if count and total + size > ANSWER_BYTES:
            return count, total
        total += size
    return limit, total
