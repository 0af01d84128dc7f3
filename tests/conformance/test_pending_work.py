"""The engine knows when nothing is left to do."""

import pytest
from support import eventually

pytestmark = [
    pytest.mark.behaviour("pending_work"),
    pytest.mark.not_localstack("LocalStack cannot be asked"),
]
SLOW = """
import time
def handle(event, context):
    time.sleep(0.3)
"""


def test_at_rest_only_when_a_mapped_queue_is_empty(clocked):
    aws = clocked.account
    sqs = aws.client("sqs")
    iam = aws.client("iam")
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws.function(SLOW)
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}'
    iam.put_role_policy(RoleName="runs", PolicyName="p", PolicyDocument=policy)
    aws.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName="f", BatchSize=1)
    for number in range(5):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    assert clocked.engine.settle(30) == []
    wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
    assert left == dict.fromkeys(wanted, "0")


def test_says_what_keeps_it_from_rest(clocked):
    aws = clocked.account
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws.function("def handle(event, context):\n    raise ValueError\n")
    aws.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName="f")
    sqs.send_message(QueueUrl=url, MessageBody="never handled")
    eventually(lambda: aws.client("logs").describe_log_groups()["logGroups"])
    pending = clocked.engine.settle(0.5)
    assert pending and "message(s) in q" in pending[0]
