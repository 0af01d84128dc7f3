"""What services do on a learner's behalf does not reach into another account either.

Checks keep their own queues, tables and markers in an account of their own, and go by what arrives there.
"""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from botocore.exceptions import ClientError

from .conftest import archive, client, invoke, make_function, until

FORGED = "forged"


@pytest.fixture
def mailbox(engine, victim):
    """A queue of the victim's without a policy: what the attacker's services put there."""
    sqs = client(engine, victim.key, "sqs")
    url = sqs.create_queue(QueueName="mailbox")["QueueUrl"]

    def messages() -> list[str]:
        return [
            message["Body"] for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        ]

    yield f"arn:aws:sqs:us-east-1:{victim.key.account}:mailbox", messages
    sqs.delete_queue(QueueUrl=url)


def by_topic(engine, learner, queue: str) -> None:
    sns = client(engine, learner, "sns")
    topic = sns.create_topic(Name="forger")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    sns.publish(TopicArn=topic, Message=FORGED)


def by_rule(engine, learner, queue: str) -> None:
    events = client(engine, learner, "events")
    events.put_rule(Name="forger", EventPattern=json.dumps({"source": ["forger"]}))
    events.put_targets(Rule="forger", Targets=[{"Id": "1", "Arn": queue}])
    events.put_events(Entries=[{"Source": "forger", "DetailType": FORGED, "Detail": "{}"}])


def by_destination(engine, learner, queue: str) -> None:
    lambda_ = client(engine, learner, "lambda")
    try:
        make_function(engine, learner, "forger", {"app.py": f"def handler(event, context): return '{FORGED}'"})
    except ClientError:
        pass
    lambda_.put_function_event_invoke_config(
        FunctionName="forger", DestinationConfig={"OnSuccess": {"Destination": queue}}
    )
    lambda_.invoke(FunctionName="forger", InvocationType="Event")["Payload"].read()


def by_queue_url(engine, learner, queue: str) -> None:
    account, name = queue.split(":")[4:]
    client(engine, learner, "sqs").send_message(QueueUrl=f"{engine.endpoint}/{account}/{name}", MessageBody=FORGED)


def by_state_machine(engine, learner, queue: str) -> None:
    account, name = queue.split(":")[4:]
    machines = client(engine, learner, "stepfunctions")
    state = {
        "Type": "Task",
        "End": True,
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {"QueueUrl": f"{engine.endpoint}/{account}/{name}", "MessageBody": FORGED},
    }
    made = machines.create_state_machine(
        name="forger",
        roleArn=f"arn:aws:iam::{learner.account}:role/attacker",
        definition=json.dumps({"StartAt": "A", "States": {"A": state}}),
    )
    machines.start_execution(stateMachineArn=made["stateMachineArn"])


def by_redrive(engine, learner, queue: str) -> None:
    sqs = client(engine, learner, "sqs")
    policy = json.dumps({"deadLetterTargetArn": queue, "maxReceiveCount": "1"})
    url = sqs.create_queue(QueueName="forger", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})[
        "QueueUrl"
    ]
    sqs.send_message(QueueUrl=url, MessageBody=FORGED)
    for _ in range(3):
        sqs.receive_message(QueueUrl=url)


def by_bucket(engine, learner, queue: str) -> None:
    s3 = client(engine, learner, "s3")
    name = f"forger-{learner.account}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_notification_configuration(
        Bucket=name,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]}]},
    )
    s3.put_object(Bucket=name, Key=FORGED, Body=b"x")


@pytest.mark.parametrize(
    "by",
    [by_topic, by_rule, by_destination, by_queue_url, by_state_machine, by_redrive, by_bucket],
    ids=lambda by: by.__name__,
)
def test_no_service_forges_a_message_in_another_account(engine, learner, mailbox, by):
    queue, messages = mailbox
    try:
        by(engine, learner, queue)
    except ClientError as refusal:
        assert refusal.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403, 404)
    engine.settle(5)
    assert messages() == []


def test_an_event_source_mapping_reads_no_queue_of_another_account(engine, learner, victim):
    make_function(engine, learner, "reader", {"app.py": "def handler(event, context): return 1"})
    queue = f"arn:aws:sqs:us-east-1:{victim.key.account}:kept"
    try:
        client(engine, learner, "lambda").create_event_source_mapping(
            EventSourceArn=queue, FunctionName="reader", BatchSize=1
        )
    except ClientError:
        pass
    until(lambda: False, 2.0)  # the poller's own interval is one second
    sqs = client(engine, victim.key, "sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=victim.queue, AttributeNames=names)["Attributes"]
    assert (found[names[0]], found[names[1]]) == ("1", "0")


def test_a_functions_code_is_not_taken_from_another_accounts_bucket(engine, learner, victim):
    code = archive({"app.py": "def handler(event, context): return 1"})
    bucket = f"kept-{victim.key.account}"
    client(engine, victim.key, "s3").put_object(Bucket=bucket, Key="code.zip", Body=code)
    try:
        made = client(engine, learner, "lambda").create_function(
            FunctionName="stolen",
            Runtime="python3.12",
            Handler="app.handler",
            Code={"S3Bucket": bucket, "S3Key": "code.zip"},
            Role=f"arn:aws:iam::{learner.account}:role/attacker",
        )
    except ClientError:
        return
    assert made["CodeSha256"] != base64.b64encode(hashlib.sha256(code).digest()).decode()


def test_a_stack_is_not_read_from_another_accounts_bucket(engine, learner, victim):
    bucket = f"kept-{victim.key.account}"
    client(engine, victim.key, "s3").put_object(
        Bucket=bucket,
        Key="stack.json",
        Body=json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Description": victim.marker}).encode(),
    )
    with pytest.raises(ClientError):
        client(engine, learner, "cloudformation").get_template_summary(
            TemplateURL=f"{engine.endpoint}/{bucket}/stack.json"
        )


def test_a_role_of_another_account_gives_a_function_nothing_of_it(engine, learner, victim):
    source = (
        "import boto3\ndef handler(event, context):\n    return boto3.client('sts').get_caller_identity()['Account']"
    )
    try:
        make_function(engine, learner, "borrowed", {"app.py": source}, Role=victim.role)
    except ClientError:
        return
    _, answer = invoke(engine, learner, "borrowed", {})
    assert answer != victim.key.account
