"""Polls one queue for one event source mapping. What AWS documents of it stands in behaviours/queue_mappings.py."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from dataclasses import dataclass, field

from cloudkata.engine import alarm
from cloudkata.engine.context import Context
from cloudkata.engine.event_filter import EventFilter, FilterError, decoded
from cloudkata.engine.mappings import permissions, queue_client

PARTIAL = "ReportBatchItemFailures"
NEEDED = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")  # of the execution role
PARALLEL_BATCHES = 5  # "starts with five": https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
PAYLOAD_BYTES = 6 << 20
_RECEIVED_AT_ONCE = 10
_SPARE_VISIBILITY = 30.0  # seconds, on top of window and time-out where the queue's own is too short for both
_THROTTLED_FIRST, _THROTTLED_LONGEST = 1.0, 20.0  # seconds; the documents name none
_THROTTLED = 429


@dataclass
class Batch:
    """Messages for one invocation. `until` is the AWS time at which the first of them can be received again."""

    messages: list[dict] = field(default_factory=list)
    records: list[dict] = field(default_factory=list)
    size: int = 0
    until: float = float("inf")


class QueuePoller:
    """Runs on the event loop. Whoever makes it closes its alarm in the end."""

    def __init__(self, context: Context, account: str, region: str, mapping: dict) -> None:
        self._context, self._clock = context, context.clock
        self._scope = (account, region)
        self._mapping = mapping
        self._arn: str = mapping["EventSourceArn"]
        self._fifo = self._arn.endswith(".fifo")
        self._running = 0
        self._over: deque[tuple[dict, dict, int, float]] = deque()  # received, but too much for the batch before
        self.alarm = alarm.Alarm(self._clock)
        self._tasks: set[asyncio.Task] = set()

    async def run(self, exists) -> None:
        """Poll for as long as `exists()` is true."""
        from ministack.core.responses import request_scope

        with request_scope(*self._scope):
            while exists():
                batch = await self._next() if self._may_poll() else Batch()
                if batch.records:
                    self._start(batch)
                else:
                    await self.alarm.wait(self._look_again())

    # --- what the mapping, its function and its queue are at the time ---

    def _function(self) -> dict | None:
        from ministack.services import lambda_svc

        record, config = lambda_svc._get_func_record_for_qualifier(
            self._mapping["FunctionName"], self._mapping.get("Qualifier")
        )
        return config if record else None

    def _may_poll(self) -> bool:
        if not self._mapping["Enabled"] or self._running >= self._parallel():
            return False
        found = queue_client.due(self._arn, self._clock.now())
        if not self._over and (found is None or found > self._clock.now()):
            return False
        config = self._function()
        if config is None or config.get("State") == "Pending":
            return False
        return not permissions.missing(config["Role"], NEEDED, self._arn)

    def _parallel(self) -> int:
        return (self._mapping.get("ScalingConfig") or {}).get("MaximumConcurrency") or PARALLEL_BATCHES

    def _look_again(self) -> float | None:
        """The AWS time of the next message, if that is what there is to wait for."""
        if self._running >= self._parallel() or not self._mapping["Enabled"]:
            return None
        now = self._clock.now()
        found = queue_client.due(self._arn, now)
        # why something is due and was not received may end without a sound: a role's policy, a function's state
        return now + 1.0 if found is not None and found <= now else found

    def _visibility(self, window: float) -> float:
        """Seconds for which received messages are kept from others."""
        own = float((queue_client.attributes(self._arn) or {}).get("VisibilityTimeout", 30))
        timeout = float((self._function() or {}).get("Timeout", 3))
        return window + timeout + _SPARE_VISIBILITY if window and window + timeout > own else own

    # --- from the queue ---

    async def _next(self) -> Batch:
        """The next batch, which may be empty; with a window, once it is full or the window over."""
        size = int(self._mapping.get("BatchSize") or _RECEIVED_AT_ONCE)
        window = float(self._mapping.get("MaximumBatchingWindowInSeconds") or 0)
        batch = Batch()
        self._add(batch, size)
        full = await self._receive(batch, size, window)
        closes = self._clock.now() + window
        while batch.records and window and not full and self._clock.now() < closes and self._mapping["Enabled"]:
            found = queue_client.due(self._arn, self._clock.now())
            if found is None or found > self._clock.now():
                await self.alarm.wait(min(closes, found or closes))
            full = await self._receive(batch, size, window)
        return batch

    async def _receive(self, batch: Batch, size: int, window: float) -> bool:
        """Put what the queue has into `batch`; whether that is full. What the filters refuse is deleted."""
        try:
            filters = EventFilter(self._mapping.get("FilterCriteria"))
        except FilterError:  # a stack's mapping, which nobody has judged
            return False
        while not self._over and len(batch.records) < size:
            now, visibility = self._clock.now(), self._visibility(window)
            try:
                answer = await queue_client.call(
                    "ReceiveMessage",
                    QueueUrl=queue_client.url_of(self._arn),
                    MaxNumberOfMessages=min(size - len(batch.records), _RECEIVED_AT_ONCE),
                    VisibilityTimeout=int(visibility),
                    WaitTimeSeconds=0,
                    AttributeNames=["All"],
                    MessageAttributeNames=["All"],
                )
            except queue_client.QueueError:
                return False
            messages = answer.get("Messages", [])
            unwanted = []
            for message in messages:
                record = self._record(message)
                if filters.keeps({**record, "body": decoded(record["body"])}):
                    self._over.append((message, record, len(json.dumps(record)), now + visibility))
                else:
                    unwanted.append(message)
            await self._delete(unwanted)
            self._add(batch, size)
            if not messages or (batch.records and not window):
                break
        return bool(self._over) or len(batch.records) >= size

    def _add(self, batch: Batch, size: int) -> None:
        """Move what was received into `batch`, as far as it may grow."""
        while self._over and len(batch.records) < size:
            message, record, weight, until = self._over[0]
            if batch.records and batch.size + weight > PAYLOAD_BYTES:
                return
            self._over.popleft()
            if until <= self._clock.now():
                continue  # it has waited here for too long: somebody else may have it by now
            batch.messages.append(message)
            batch.records.append(record)
            batch.size += weight
            batch.until = min(batch.until, until)

    def _record(self, message: dict) -> dict:
        """A message as a function gets it: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
        given = {
            name: {
                "stringListValues": [],
                "binaryListValues": [],
                **{key[0].lower() + key[1:]: part for key, part in value.items()},
            }
            for name, value in (message.get("MessageAttributes") or {}).items()
        }
        record = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": given,
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": self._arn.split(":")[3],
        }
        if given:
            record["md5OfMessageAttributes"] = message.get("MD5OfMessageAttributes")
        return record

    async def _delete(self, messages: list[dict]) -> None:
        with contextlib.suppress(queue_client.QueueError):  # the queue is gone
            await queue_client.delete(queue_client.url_of(self._arn), messages)

    # --- to the function ---

    def _start(self, batch: Batch) -> None:
        self._running += 1
        end = self._context.activity.begin("batch from a queue")

        def done(task: asyncio.Task) -> None:
            self._running -= 1
            self._tasks.discard(task)
            self.alarm.ring_here()
            end()

        task = asyncio.get_running_loop().create_task(self._deliver(batch))
        self._tasks.add(task)
        task.add_done_callback(done)

    async def _deliver(self, batch: Batch) -> None:
        """Invoke with one batch, and delete what was handled: the rest comes back by its visibility time-out."""
        name, qualifier = self._mapping["FunctionName"], self._mapping.get("Qualifier")
        pause = _THROTTLED_FIRST
        while True:
            status, failed, payload = await queue_client.invoke(name, qualifier, {"Records": batch.records})
            if status != _THROTTLED or self._clock.now() + pause >= batch.until:
                break
            await alarm.sleep(self._clock, pause)
            pause = min(pause * 2, _THROTTLED_LONGEST)
        if status != 200 or failed:
            return
        kept: set[str] = set()
        if PARTIAL in (self._mapping.get("FunctionResponseTypes") or ()):
            kept = failures(payload, {record["messageId"] for record in batch.records})
        await self._delete([message for message in batch.messages if message["MessageId"] not in kept])


def failures(payload: bytes, sent: set[str]) -> set[str]:
    """The message ids that a function reported as failed; all of `sent` where its report is not a valid one.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html : an empty or null response or list is
    a success; JSON that is none, an empty or null itemIdentifier, another key, or an id that was not sent fails all.
    """
    try:
        response = json.loads(payload or b"null")
    except ValueError:
        return sent
    if response is None or response in ("", {}):
        return set()
    if not isinstance(response, dict):
        return sent
    reported = response.get("batchItemFailures")
    if reported is None or reported == []:
        return set()
    if not isinstance(reported, list):
        return sent
    found = [entry.get("itemIdentifier") if isinstance(entry, dict) else None for entry in reported]
    return set(found) if all(isinstance(one, str) and one in sent for one in found) else sent
