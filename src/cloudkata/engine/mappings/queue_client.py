"""The public operations of SQS and of Invoke, called inside the engine's own process and on its event loop."""

from __future__ import annotations

import json

_BATCH = 10  # entries in one batch request of SQS


class QueueError(Exception):
    """SQS refused: `code` as in its answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


async def call(operation: str, **request) -> dict:
    """One operation of SQS in the account and Region in scope. Raises QueueError."""
    from ministack.services import sqs

    headers = {"x-amz-target": f"AmazonSQS.{operation}"}
    status, _, body = await sqs.handle_request("POST", "/", headers, json.dumps(request).encode(), {})
    answer = json.loads(body or b"{}")
    if status != 200:
        code = str(answer.get("__type", status)).rpartition("#")[2]
        raise QueueError(code, str(answer.get("message") or answer.get("Message") or ""))
    return answer


async def delete(url: str, messages: list[dict]) -> None:
    """Delete received messages; those that have gone to somebody else since are left."""
    for first in range(0, len(messages), _BATCH):
        part = messages[first : first + _BATCH]
        entries = [{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(part)]
        await call("DeleteMessageBatch", QueueUrl=url, Entries=entries)


def url_of(arn: str) -> str:
    """The URL of the queue with this ARN."""
    from ministack.services import sqs

    account, name = arn.split(":")[4:6]
    return sqs._queue_url_for_account(account, name)


def attributes(arn: str) -> dict | None:
    """A queue's attributes as they are set, or None where there is no such queue."""
    from ministack.services import sqs

    queue = sqs._queue_by_arn(arn)
    return queue and queue["attributes"]


def held(arn: str) -> int:
    """How many messages a queue holds, whether they can be received or not."""
    from ministack.services import sqs

    queue = sqs._queue_by_arn(arn)
    return len(queue["messages"]) if queue else 0


def receivable(arn: str, now: float) -> int:
    """How many messages of a queue are visible at the time `now`."""
    from ministack.services import sqs

    queue = sqs._queue_by_arn(arn)
    return sum(one["visible_at"] <= now for one in queue["messages"]) if queue else 0


def due(arn: str, now: float) -> float | None:
    """When the next message can be received: `now` or earlier if one can, None while there is nothing to wait for."""
    from ministack.services import sqs

    queue = sqs._queue_by_arn(arn)
    if queue is None:
        return None
    taken: set = set()
    if queue["is_fifo"]:
        taken = {one["group_id"] for one in queue["messages"] if one["visible_at"] > now and one["receive_count"]}
    later = None
    for one in queue["messages"]:
        if one["visible_at"] <= now:
            if one.get("group_id") not in taken:
                return now
        elif later is None or one["visible_at"] < later:
            later = one["visible_at"]
    return later


async def invoke(name: str, qualifier: str | None, event: dict) -> tuple[int, bool, bytes]:
    """Invoke and wait: (HTTP status, whether the function failed, payload)."""
    from ministack.services import lambda_svc

    text = json.dumps(event, ensure_ascii=False)
    headers = {"content-length": str(len(text.encode()))}
    status, answer, payload = await lambda_svc._invoke(name, event, headers, qualifier, {})
    return status, "X-Amz-Function-Error" in answer, payload
