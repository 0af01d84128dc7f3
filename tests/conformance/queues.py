"""What the tests of queues and their mappings share."""

from __future__ import annotations

import json
from dataclasses import dataclass

from support import Account, eventually

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]})

# Writes down each batch before it does what the messages say: fail, or take so many seconds.
WORKER = """
import json, time

def handle(event, context):
    records = event["Records"]
    seen = [[one["body"], one["attributes"]["ApproximateReceiveCount"]] for one in records]
    print(json.dumps({"batch": seen, "at": time.time()}), flush=True)
    for one in records:
        if one["body"].startswith("sleep "):
            time.sleep(float(one["body"].split()[1]))
    if any(one["body"] == "fail" for one in records):
        raise ValueError("as asked")
    answer = [one["body"][7:] for one in records if one["body"].startswith("answer ")]
    return json.loads(answer[0]) if answer else None
"""


@dataclass(frozen=True)
class Queue:
    """A queue, by its URL and its ARN."""

    aws: Account
    url: str
    arn: str

    def send(self, *bodies: str, **options) -> None:
        for body in bodies:
            self.aws.client("sqs").send_message(QueueUrl=self.url, MessageBody=body, **options)

    def set(self, **attributes: str) -> None:
        self.aws.client("sqs").set_queue_attributes(QueueUrl=self.url, Attributes=attributes)

    def counts(self) -> tuple[int, int]:
        """(messages that can be received, messages that were received and are invisible)."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.aws.client("sqs").get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    def empty(self) -> bool:
        return self.counts() == (0, 0)

    def receive(self, count: int = 10, **options) -> list[dict]:
        options = {"MaxNumberOfMessages": count, "AttributeNames": ["All"], "MessageAttributeNames": ["All"]} | options
        return self.aws.client("sqs").receive_message(QueueUrl=self.url, **options).get("Messages", [])


def queue(aws: Account, name: str = "q", **attributes: str) -> Queue:
    sqs = aws.client("sqs")
    if name.endswith(".fifo"):
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} | attributes
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return Queue(aws, url, arn)


def worker(aws: Account, source: str = WORKER, name: str = "f", **arguments) -> str:
    """A function whose role may do anything with queues."""
    role = aws.role()
    aws.client("iam").put_role_policy(RoleName="runs", PolicyName="queues", PolicyDocument=POLICY)
    return aws.function(source, name, Role=role, **({"Timeout": 5} | arguments))


def mapped(found: Queue, function: str = "f", **settings) -> str:
    """Map a queue to a function and wait until the mapping is enabled; its UUID."""
    functions = found.aws.lambda_
    made = functions.create_event_source_mapping(EventSourceArn=found.arn, FunctionName=function, **settings)
    eventually(lambda: functions.get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled")
    return made["UUID"]


def batches(aws: Account, name: str = "f") -> list[list]:
    """Every batch that WORKER was given: [body, receive count] of each message, in the order of the log."""
    logs = aws.client("logs")
    try:
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    lines = [event["message"] for event in found if '"batch"' in event["message"]]
    said = [json.loads(line[line.index("{") :]) for line in lines]
    return [one["batch"] for one in sorted(said, key=lambda one: one["at"])]


def bodies(aws: Account, name: str = "f") -> list[str]:
    return [body for batch in batches(aws, name) for body, _ in batch]
