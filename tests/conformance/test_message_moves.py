"""Message move tasks empty a dead-letter queue as documented."""

import json

import pytest
from queues import Queue, queue
from support import eventually, refusal

pytestmark = pytest.mark.behaviour("message_moves")

# The documents name the errors, and not which of them is for what.
REFUSALS = ("InvalidParameterValue", "InvalidParameterValueException", "ValidationException")


def dead_letter_pair(aws, suffix="") -> tuple[Queue, Queue]:
    """(a queue, its dead-letter queue)."""
    dead = queue(aws, f"dead{suffix}")
    policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": "1"})
    return queue(aws, f"q{suffix}", RedrivePolicy=policy), dead


def bury(source: Queue, dead: Queue, *bodies: str, **options) -> None:
    """Send messages and receive them once too often."""
    source.send(*bodies, **options)
    for _ in bodies:
        source.receive(1, VisibilityTimeout=0)
    assert not source.receive()
    assert sum(dead.counts()) == len(bodies)


def start(dead: Queue, **arguments):
    return lambda: dead.aws.client("sqs").start_message_move_task(SourceArn=dead.arn, **arguments)


def tasks(dead: Queue, **arguments) -> list[dict]:
    return dead.aws.client("sqs").list_message_move_tasks(SourceArn=dead.arn, **arguments).get("Results", [])


def attempt(call):
    """The answer of a call, or the code it was refused with."""
    code, _ = refusal(call)
    return code.removeprefix("AWS.SimpleQueueService.")


@pytest.mark.localstack
def test_messages_go_back_to_the_queue_they_came_from(aws):
    source, dead = dead_letter_pair(aws)
    number = {"tries": {"DataType": "Number", "StringValue": "3"}}
    bury(source, dead, "a", MessageAttributes=number)
    assert attempt(start(dead)) == ""
    eventually(dead.empty)
    (back,) = source.receive()
    assert (back["Body"], back["MessageAttributes"]) == ("a", number)
    task = eventually(lambda: next((task for task in tasks(dead) if task["Status"] != "RUNNING"), None))
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"], task["SourceArn"]) == ("COMPLETED", 1, dead.arn)
    assert "TaskHandle" not in task


@pytest.mark.not_localstack("LocalStack moves the message itself, with its receive count")
def test_a_moved_message_is_a_new_one(aws):
    source, dead = dead_letter_pair(aws)
    bury(source, dead, "a")
    assert attempt(start(dead)) == ""
    eventually(dead.empty)
    assert [one["Attributes"]["ApproximateReceiveCount"] for one in source.receive()] == ["1"]


@pytest.mark.localstack
def test_messages_go_to_the_queue_that_is_named(aws):
    source, dead = dead_letter_pair(aws)
    bury(source, dead, "a", "b")
    other = queue(aws, "other")
    assert attempt(start(dead, DestinationArn=other.arn)) == ""
    eventually(dead.empty)
    assert sum(other.counts()) == 2 and source.empty()


@pytest.mark.not_localstack("LocalStack moves nothing back into a FIFO queue")
def test_the_order_of_a_group_is_kept_in_a_fifo_queue(aws):
    source, dead = dead_letter_pair(aws, ".fifo")
    for number in range(3):
        source.send(f"m{number}", MessageGroupId="g")
    for _ in range(3):
        source.receive(1, VisibilityTimeout=0)
    assert not source.receive()
    assert attempt(start(dead)) == ""
    eventually(dead.empty)
    assert [one["Body"] for one in source.receive()] == ["m0", "m1", "m2"]


@pytest.mark.localstack
def test_a_queue_that_is_no_dead_letter_queue_is_refused(aws):
    assert attempt(start(queue(aws))) in ("UnsupportedOperation", *REFUSALS)


@pytest.mark.localstack
def test_a_queue_that_is_not_there_is_refused(aws):
    gone = Queue(aws, "", f"arn:aws:sqs:us-east-1:{aws.number}:gone")
    assert attempt(start(gone)) == "ResourceNotFoundException"


@pytest.mark.not_localstack("LocalStack takes any rate")
def test_a_rate_above_five_hundred_is_refused(aws):
    _, dead = dead_letter_pair(aws)
    assert attempt(start(dead, MaxNumberOfMessagesPerSecond=501)) in REFUSALS


@pytest.mark.localstack
def test_one_task_at_a_time(aws):
    source, dead = dead_letter_pair(aws)
    bury(source, dead, *"abcdefghij")
    assert attempt(start(dead, MaxNumberOfMessagesPerSecond=1)) == ""
    assert attempt(start(dead)) in ("UnsupportedOperation", *REFUSALS)


@pytest.mark.localstack
def test_a_cancelled_task_leaves_what_it_has_not_moved(aws):
    source, dead = dead_letter_pair(aws)
    bury(source, dead, *"abcdefghij")
    assert attempt(start(dead, MaxNumberOfMessagesPerSecond=1)) == ""
    eventually(lambda: tasks(dead)[0]["ApproximateNumberOfMessagesMoved"] >= 1)
    handle = tasks(dead)[0]["TaskHandle"]
    aws.client("sqs").cancel_message_move_task(TaskHandle=handle)
    eventually(lambda: tasks(dead)[0]["Status"] == "CANCELLED")
    moved = sum(source.counts())
    assert 1 <= moved < 10 and sum(dead.counts()) == 10 - moved


@pytest.mark.not_localstack("LocalStack cancels a task twice")
def test_only_a_running_task_can_be_cancelled(aws):
    source, dead = dead_letter_pair(aws)
    bury(source, dead, "a")
    answer = attempt(start(dead, MaxNumberOfMessagesPerSecond=1))
    assert answer == ""
    handle = tasks(dead)[0]["TaskHandle"]
    eventually(lambda: tasks(dead)[0]["Status"] == "COMPLETED")
    assert attempt(lambda: aws.client("sqs").cancel_message_move_task(TaskHandle=handle)) == "UnsupportedOperation"


@pytest.mark.localstack
def test_the_list_has_the_newest_task_or_as_many_as_asked_for(aws):
    source, dead = dead_letter_pair(aws)
    for body in "ab":
        bury(source, dead, body)
        assert attempt(start(dead)) == ""
        eventually(lambda: all(task["Status"] == "COMPLETED" for task in tasks(dead)))
        aws.client("sqs").purge_queue(QueueUrl=source.url)
    assert len(tasks(dead)) == 1 and len(tasks(dead, MaxResults=10)) == 2


@pytest.mark.not_localstack("LocalStack cannot be asked")
def test_moving_messages_is_work_to_be_done(clocked):
    source, dead = dead_letter_pair(clocked.account)
    bury(source, dead, "a", "b", "c")
    assert attempt(start(dead, MaxNumberOfMessagesPerSecond=1)) == ""
    assert clocked.engine.settle(0.3) == ["messages are being moved out of dead"]
