"""What a target does with queues and their mappings; part of probes.py, which imports this."""

from __future__ import annotations

import contextlib
import json

from cloudkata.targets.probes import Bench, probe


class _Mapped:
    """A queue that is mapped to a function, for a probe; deleted in the end, so that no work is left behind."""

    _WORKER = """
import time
def handler(event, context):
    bodies = {one["body"]: one["messageId"] for one in event["Records"]}
    time.sleep(1.0 if "slow" in bodies else 0)
    print("handled", *bodies)
    return {"batchItemFailures": [{"itemIdentifier": bodies["bad"]}] if "bad" in bodies else []}
"""

    def __init__(self, bench: Bench, name: str, **settings) -> None:
        self._bench, self._sqs = bench, bench.client("sqs")
        self._fifo = name.endswith(".fifo")
        attributes = {"VisibilityTimeout": "60"} | ({"FifoQueue": "true"} if self._fifo else {})
        name = f"{bench.session.prefix}-{name}"
        self.url = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self._function = function = bench.function(self._WORKER)
        allow = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        role = bench.role().rpartition("/")[2]
        bench.client("iam").put_role_policy(RoleName=role, PolicyName="queues", PolicyDocument=document)
        bench.client("lambda").create_event_source_mapping(
            EventSourceArn=_queue_arn(bench, self.url), FunctionName=function, **settings
        )

    def close(self) -> None:
        self._sqs.delete_queue(QueueUrl=self.url)

    def send(self, *bodies: str) -> None:
        fifo = [{"MessageGroupId": body, "MessageDeduplicationId": body} if self._fifo else {} for body in bodies]
        entries = [{"Id": str(number), "MessageBody": body, **fifo[number]} for number, body in enumerate(bodies)]
        self._sqs.send_message_batch(QueueUrl=self.url, Entries=entries)

    def handled(self) -> list[list[str]]:
        """The batches that the function has handled, in the order of its log."""
        logs = self._bench.client("logs")
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{self._function}", filterPattern="handled")
            words = [event["message"].split() for event in found["events"]]
            return [line[1:] for line in words if line[:1] == ["handled"]]
        return []

    def counts(self) -> tuple[int, int]:
        """(messages that can be received, messages that were received)."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])


def _queue_arn(bench: Bench, url: str) -> str:
    found = bench.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return found["Attributes"]["QueueArn"]


@probe("lambda.partial-responses", "of a batch from a queue only what was reported as failed stays")
def _partial_responses(bench: Bench):
    settings = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
    with contextlib.closing(_Mapped(bench, "partial", **settings)) as queue:
        queue.send("good", "bad")
        shown = bench.until(lambda: queue.counts() == (0, 1))
        return shown, f"{sum(queue.counts())} of 2 messages left"


@probe("lambda.batching-window", "a mapping of a queue gathers for its window what it hands over")
def _window(bench: Bench):
    with contextlib.closing(_Mapped(bench, "window", MaximumBatchingWindowInSeconds=10)) as queue:
        queue.send("one")
        bench.until(lambda: queue.counts()[0] == 0)
        queue.send("two")
        bench.until(lambda: sum(map(len, queue.handled())) >= 2)
        handled = queue.handled()
        return len(handled) == 1 and len(handled[0]) == 2, f"handed over as {handled}"


@probe("lambda.message-groups", "groups of a FIFO queue are handled at the same time")
def _groups(bench: Bench):
    with contextlib.closing(_Mapped(bench, "groups.fifo")) as queue:
        queue.send("slow")
        bench.until(lambda: queue.counts() == (0, 1))
        queue.send("quick")
        bench.until(lambda: bool(queue.handled()))
        handled = queue.handled()
        return handled[:1] == [["quick"]], f"handled in the order {handled}"


@probe("sqs.move-tasks", "a message move task puts messages back from a dead-letter queue")
def _moves(bench: Bench):
    sqs = bench.client("sqs")
    dead = sqs.create_queue(QueueName=f"{bench.session.prefix}-dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": _queue_arn(bench, dead), "maxReceiveCount": 1})
    url = sqs.create_queue(QueueName=f"{bench.session.prefix}-back", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    for _ in range(2):
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
    sqs.start_message_move_task(SourceArn=_queue_arn(bench, dead))
    shown = bench.until(lambda: bool(sqs.receive_message(QueueUrl=url).get("Messages")))
    return shown, "moved back" if shown else "not moved"
