"""Asynchronous invocations are retried as documented."""

import pytest
from support import eventually, stays, within

pytestmark = [
    pytest.mark.behaviour("asynchronous_invocations"),
    pytest.mark.not_localstack("LocalStack's retries are minutes of real time"),
]
FAILING = "def handle(event, context):\n    raise ValueError('no')\n"


def starts(aws, name="f"):
    """The request id of every attempt, as the log has them."""
    logs = aws.client("logs")
    try:
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="START")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"].split()[2] for event in found if event["message"].startswith("START RequestId")]


def still(count, aws, seconds):
    """Watch for a while that no further attempt is made; the number of attempts at the end."""
    stays(lambda: len(starts(aws)) == count, seconds)
    return len(starts(aws))


def test_a_failed_event_is_retried_after_one_and_after_two_minutes_and_then_sent_on(clocked):
    aws = clocked.account
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws.function(FAILING, DeadLetterConfig={"TargetArn": arn})
    aws.invoke({}, InvocationType="Event")
    eventually(lambda: len(starts(aws)) == 1)
    assert still(1, aws, 2.0) == 1, "a retry came at once"
    for wait, attempts in ((61, 2), (121, 3)):
        clocked.engine.advance(wait)
        eventually(lambda attempts=attempts: len(starts(aws)) == attempts)
    eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    clocked.engine.advance(600)
    assert still(3, aws, 0.5) == 3, "there was a fourth attempt"


def test_every_attempt_has_the_request_id_of_the_invocation(clocked):
    aws = clocked.account
    aws.function(FAILING)
    answer = aws.invoke({}, InvocationType="Event")
    eventually(lambda: len(starts(aws)) == 1)
    clocked.engine.advance(61)
    eventually(lambda: len(starts(aws)) >= 2)
    assert set(starts(aws)) == {answer.request_id}


def test_a_throttled_event_waits_without_using_up_its_retries(clocked):
    aws = clocked.account
    aws.function("def handle(event, context):\n    return 1\n")
    aws.lambda_.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0)
    aws.lambda_.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    aws.invoke({}, InvocationType="Event")
    for _ in range(3):
        clocked.engine.advance(300)
    assert still(0, aws, 0.5) == 0
    aws.lambda_.delete_function_concurrency(FunctionName="f")
    clocked.engine.advance(300)
    within(lambda: starts(aws), 5)
    assert len(starts(aws)) == 1
