"""StartMessageMoveTask puts the messages of a dead-letter queue back, or into another queue.

AWS documents (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html,
API_ListMessageMoveTasks.html, API_CancelMessageMoveTask.html there): the source must be the dead-letter queue of
another queue; without a destination each message goes back to the queue it came from; at most 500 messages a second;
one active task for a queue. A task is RUNNING, COMPLETED, CANCELLING, CANCELLED or FAILED; only a running one has a
handle and can be cancelled, and what has moved stays. The list holds the most recent task, or up to ten.

MiniStack has none of the three operations. They are answered here before its `_dispatch` says so, and move messages by
ReceiveMessage, SendMessage and DeleteMessage.

Our choices, where the pages are silent: a task moves as many messages as could be received when it started; a moved
message is a new one for deduplication too; a second active task is an UnsupportedOperation.

Needs aws_clock.
"""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections import deque
from dataclasses import dataclass, field

from cloudkata.engine import alarm
from cloudkata.engine.context import Context
from cloudkata.engine.mappings import queue_client

MAX_RATE = 500  # messages a second
_MAX_RESULTS = 10
_AT_ONCE = 10
_VISIBILITY = 60  # seconds for which a message that is being moved is kept from others
_ACTIVE = ("RUNNING", "CANCELLING")


@dataclass
class _Task:
    source: str
    destination: str | None
    rate: int | None
    started: int  # milliseconds since the epoch
    to_move: int
    name: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "RUNNING"
    moved: int = 0
    reason: str = ""

    @property
    def handle(self) -> str:
        return base64.b64encode(json.dumps({"taskId": self.name, "sourceArn": self.source}).encode()).decode()

    def describe(self) -> dict:
        found = {
            "TaskHandle": self.handle if self.status == "RUNNING" else None,
            "Status": self.status,
            "SourceArn": self.source,
            "DestinationArn": self.destination,
            "MaxNumberOfMessagesPerSecond": self.rate,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "FailureReason": self.reason or None,
            "StartedTimestamp": self.started,
        }
        return {name: value for name, value in found.items() if value is not None}


class _Moves:
    """The tasks of all queues, the newest first; on the event loop only."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tasks: dict[str, deque[_Task]] = {}
        self._running: set[asyncio.Task] = set()

    def pending(self) -> list[str]:
        active = [task for tasks in list(self._tasks.values()) for task in list(tasks) if task.status in _ACTIVE]
        return [f"messages are being moved out of {task.source.rpartition(':')[2]}" for task in active]

    def start(self, data: dict) -> dict:
        source, destination = str(data.get("SourceArn") or ""), data.get("DestinationArn")
        rate = data.get("MaxNumberOfMessagesPerSecond")
        tasks = self._tasks_of(source)
        if destination and queue_client.attributes(destination) is None:
            raise _error("ResourceNotFoundException", "The destination queue does not exist.", 404)
        if rate is not None and not 1 <= int(rate) <= MAX_RATE:
            text = f"Value {rate} for parameter MaxNumberOfMessagesPerSecond is invalid."
            raise _error("InvalidParameterValue", f"{text} Reason: Must be between 1 and {MAX_RATE}.")
        if not _is_dead_letter_queue(source):
            raise _error("UnsupportedOperation", "Source queue must be configured as a Dead Letter Queue.")
        if any(task.status in _ACTIVE for task in tasks):
            raise _error("UnsupportedOperation", "There is already a task running. Only one active task is allowed.")
        now = self._context.clock.now()
        task = _Task(source, destination, rate and int(rate), int(now * 1000), queue_client.receivable(source, now))
        tasks.appendleft(task)
        running = asyncio.get_running_loop().create_task(self._run(task))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return {"TaskHandle": task.handle}

    def list(self, data: dict) -> dict:
        asked = data.get("MaxResults")
        count = 1 if asked is None else int(asked)
        if not 1 <= count <= _MAX_RESULTS:
            text = f"Value {count} for parameter MaxResults is invalid. Reason: Must be between 1 and {_MAX_RESULTS}."
            raise _error("InvalidParameterValue", text)
        tasks = self._tasks_of(str(data.get("SourceArn") or ""))
        return {"Results": [task.describe() for task in list(tasks)[:count]]}

    def cancel(self, data: dict) -> dict:
        from ministack.core.responses import get_account_id

        for tasks in self._tasks.values():
            for task in tasks:
                if task.handle != data.get("TaskHandle") or task.source.split(":")[4] != get_account_id():
                    continue
                if task.status != "RUNNING":
                    raise _error("UnsupportedOperation", "Only running tasks can be cancelled.")
                task.status = "CANCELLING"
                return {"ApproximateNumberOfMessagesMoved": task.moved}
        raise _error("ResourceNotFoundException", "Task does not exist.", 404)

    def _tasks_of(self, source: str) -> deque[_Task]:
        from ministack.core.responses import get_account_id

        if queue_client.attributes(source) is None or source.split(":")[4] != get_account_id():
            raise _error(
                "ResourceNotFoundException", "The resource that you specified for the SourceArn does not exist.", 404
            )
        return self._tasks.setdefault(source, deque(maxlen=_MAX_RESULTS))

    async def _run(self, task: _Task) -> None:
        try:
            while task.status == "RUNNING" and task.moved < task.to_move:
                if not await self._move_some(task):
                    break
        except queue_client.QueueError as error:
            task.status, task.reason = "FAILED", error.code
        if task.status == "RUNNING":
            task.status = "COMPLETED"
        elif task.status == "CANCELLING":
            task.status = "CANCELLED"

    async def _move_some(self, task: _Task) -> bool:
        """Move some messages; whether there were any."""
        url = queue_client.url_of(task.source)
        answer = await queue_client.call(
            "ReceiveMessage",
            QueueUrl=url,
            MaxNumberOfMessages=min(_AT_ONCE, task.to_move - task.moved),
            VisibilityTimeout=_VISIBILITY,
            WaitTimeSeconds=0,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        for message in answer.get("Messages", []):
            if task.status != "RUNNING":
                await queue_client.call(
                    "ChangeMessageVisibility",
                    QueueUrl=url,
                    ReceiptHandle=message["ReceiptHandle"],
                    VisibilityTimeout=0,
                )
                continue
            target = task.destination or message.get("Attributes", {}).get("DeadLetterQueueSourceArn")
            if not target:
                task.status, task.reason = "FAILED", "CouldNotDetermineMessageSource"
                return False
            await queue_client.call("SendMessage", **_copy(message, target))
            await queue_client.delete(url, [message])
            task.moved += 1
            if task.rate:
                await alarm.sleep(self._context.clock, 1 / task.rate)
        return bool(answer.get("Messages"))


def _copy(message: dict, target: str) -> dict:
    """SendMessage's arguments for what was received."""
    attributes = message.get("Attributes", {})
    found = {"QueueUrl": queue_client.url_of(target), "MessageBody": message["Body"]}
    if message.get("MessageAttributes"):
        found["MessageAttributes"] = message["MessageAttributes"]
    if trace := attributes.get("AWSTraceHeader"):
        found["MessageSystemAttributes"] = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
    if group := attributes.get("MessageGroupId"):
        found["MessageGroupId"] = group
    if target.endswith(".fifo"):
        found["MessageDeduplicationId"] = str(uuid.uuid4())
    return found


def _is_dead_letter_queue(arn: str) -> bool:
    """Whether a queue of the account in scope names this one in its redrive policy."""
    from ministack.services import sqs

    policies = [queue["attributes"].get("RedrivePolicy") for queue in sqs._queues.values()]
    return any(policy and json.loads(policy).get("deadLetterTargetArn") == arn for policy in policies)


def _error(code: str, message: str, status: int = 400) -> Exception:
    from ministack.services import sqs

    return sqs._Err(code, message, status)


def register(context: Context) -> None:
    moves = _Moves(context)
    context.activity.probe(moves.pending)
    operations = {
        "StartMessageMoveTask": moves.start,
        "ListMessageMoveTasks": moves.list,
        "CancelMessageMoveTask": moves.cancel,
    }

    async def dispatch(original, action, data, url):
        if action in operations:
            return operations[action](data)
        return await original(action, data, url)

    context.seams.hook("ministack.services.sqs:_dispatch", dispatch, order=40)
