"""SQS event source mappings deliver, retry and delete as documented."""

import json
import time

import pytest
from queues import POLICY, batches, bodies, mapped, queue, worker
from support import eventually, stays, within

pytestmark = pytest.mark.behaviour("queue_mappings")

PARTIAL = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


def still_there(found, seconds=1.0):
    """Watch that a queue keeps its one message; whether it did."""
    return stays(lambda: sum(found.counts()) == 1, seconds)


@pytest.mark.ministack
@pytest.mark.localstack
def test_a_handled_message_is_deleted(aws):
    worker(aws)
    found = queue(aws)
    mapped(found)
    found.send("one")
    eventually(found.empty)
    assert within(lambda: bodies(aws) == ["one"], 10)


@pytest.mark.ministack
@pytest.mark.localstack
def test_what_an_error_kept_comes_back_after_the_visibility_timeout(aws):
    worker(aws)
    found = queue(aws, VisibilityTimeout="5")
    mapped(found)
    found.send("fail")
    eventually(lambda: len(batches(aws)) >= 2)
    assert batches(aws)[:2] == [[["fail", "1"]], [["fail", "2"]]]


@pytest.mark.not_localstack("LocalStack hands over the first message at once")
def test_a_window_gathers_what_arrives_apart(aws):
    worker(aws)
    found = queue(aws, VisibilityTimeout="60")
    mapped(found, BatchSize=10, MaximumBatchingWindowInSeconds=10)
    for number in range(4):
        found.send(f"m{number}")
        time.sleep(0.1)
    eventually(found.empty)
    assert [len(batch) for batch in batches(aws)] == [4]


@pytest.mark.localstack
def test_a_batch_above_ten_is_handed_over_as_soon_as_it_is_full(aws):
    worker(aws)
    found = queue(aws, VisibilityTimeout="600")
    for number in range(25):
        found.send(f"m{number}")
    mapped(found, BatchSize=25, MaximumBatchingWindowInSeconds=300)
    eventually(found.empty, 10)
    assert [len(batch) for batch in batches(aws)] == [25]


@pytest.mark.localstack
@pytest.mark.parametrize(
    "failures",
    [[{"itemIdentifier": ""}], [{"itemIdentifier": None}], [{"id": "x"}], [{"itemIdentifier": "no-such-message"}]],
    ids=["empty", "null", "another key", "unknown"],
)
def test_an_invalid_identifier_fails_the_whole_batch(aws, failures):
    worker(aws)
    found = queue(aws, VisibilityTimeout="600")
    mapped(found, **PARTIAL)
    found.send("answer " + json.dumps({"batchItemFailures": failures}))
    eventually(lambda: batches(aws))
    assert still_there(found)


@pytest.mark.ministack
@pytest.mark.localstack
@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}], ids=str)
def test_an_empty_answer_is_a_success(aws, answer):
    worker(aws)
    found = queue(aws)
    mapped(found, **PARTIAL)
    found.send("answer " + json.dumps(answer))
    eventually(found.empty)
    assert within(lambda: len(batches(aws)) == 1, 10)


@pytest.mark.localstack
def test_a_list_that_is_null_is_a_success(aws):
    worker(aws)
    found = queue(aws, VisibilityTimeout="600")
    mapped(found, **PARTIAL)
    found.send('answer {"batchItemFailures": null}')
    assert within(found.empty, 10)


@pytest.mark.ministack
@pytest.mark.localstack
def test_only_what_was_reported_comes_back(aws):
    worker(
        aws,
        "def handle(event, context):\n"
        "    bad = [one['messageId'] for one in event['Records'] if one['body'] == 'bad']\n"
        "    return {'batchItemFailures': [{'itemIdentifier': name} for name in bad]}\n",
    )
    found = queue(aws, VisibilityTimeout="600")
    for body in ("good", "bad", "fine"):
        found.send(body)
    mapped(found, **PARTIAL)
    eventually(lambda: sum(found.counts()) == 1)
    found.aws.client("sqs").purge_queue(QueueUrl=found.url)
    assert found.empty()


@pytest.mark.not_localstack("LocalStack handles one batch of a FIFO queue at a time")
def test_another_group_is_handled_while_one_is_busy(aws):
    worker(aws)
    found = queue(aws, "q.fifo", VisibilityTimeout="60")
    mapped(found, BatchSize=1)
    found.send("sleep 3", MessageGroupId="slow")
    eventually(lambda: sum(found.counts()) == 1 and found.counts()[1] == 1)
    found.send("quick", MessageGroupId="other")
    assert within(lambda: sum(found.counts()) == 1, 2.5), "the quick message waited for the slow one"


@pytest.mark.ministack
@pytest.mark.localstack
def test_a_failed_group_is_retried_before_it_goes_on_and_blocks_no_other(aws):
    worker(aws)
    found = queue(aws, "q.fifo", VisibilityTimeout="15")
    for body, group in (("fail", "a"), ("after", "a"), ("other", "b")):
        found.send(body, MessageGroupId=group)
    mapped(found, BatchSize=1)
    eventually(lambda: len(bodies(aws)) >= 3)
    assert sorted(bodies(aws)[:2]) == ["fail", "other"]
    assert bodies(aws)[2] == "fail"


@pytest.mark.ministack
@pytest.mark.localstack
def test_no_more_batches_at_once_than_the_maximum_concurrency(aws):
    worker(aws)
    found = queue(aws, VisibilityTimeout="60")
    for _ in range(5):
        found.send("sleep 0.4")
    began = time.monotonic()
    mapped(found, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    eventually(found.empty)
    assert time.monotonic() - began > 1.1  # three rounds of two


@pytest.mark.ministack
@pytest.mark.not_localstack("LocalStack has one batch of a mapping at a time")
def test_five_batches_at_once_to_begin_with(aws):
    worker(aws, Timeout=10)
    found = queue(aws, VisibilityTimeout="60")
    for _ in range(5):
        found.send("sleep 8")
    mapped(found, BatchSize=1)
    assert within(lambda: found.counts()[1] == 5, 7)


def filtered(aws, pattern):
    """Which of three messages reach the function; those that do not are gone from the queue, too."""
    worker(aws)
    found = queue(aws)
    mapped(found, FilterCriteria={"Filters": [{"Pattern": json.dumps({"body": pattern})}]})
    found.send(json.dumps({"kind": "offer", "tags": ["c"], "total": 4}), WANTED, "no json")
    eventually(found.empty)
    return bodies(aws)


WANTED = json.dumps({"kind": "order", "tags": ["a", "b"], "total": 5})


@pytest.mark.localstack
@pytest.mark.parametrize(
    "pattern", [{"kind": [{"equals-ignore-case": "ORDER"}]}, {"tags": ["b"]}], ids=["case", "list"]
)
def test_a_filter_loses_nothing_that_matches_and_deletes_the_rest(aws, pattern):
    assert filtered(aws, pattern) == [WANTED]


@pytest.mark.not_localstack("LocalStack does not know $or")
def test_one_of_several_fields_is_enough(aws):
    assert filtered(aws, {"$or": [{"kind": ["x"]}, {"total": [5]}]}) == [WANTED]


@pytest.mark.not_localstack("LocalStack lets the message become visible again and counts another receive")
def test_a_throttled_batch_is_offered_again_while_it_is_invisible(aws):
    worker(aws)
    aws.lambda_.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    found = queue(aws, VisibilityTimeout="60")
    mapped(found)
    found.send("waits")
    assert within(lambda: found.counts()[1] == 1, 10)
    aws.lambda_.delete_function_concurrency(FunctionName="f")
    within(lambda: batches(aws), 10)
    assert batches(aws) == [[["waits", "1"]]]


@pytest.mark.not_localstack("LocalStack checks no execution role")
def test_without_the_roles_permission_nothing_is_received(aws):
    worker(aws)
    found = queue(aws)
    mapped(found)
    found.send("first")
    eventually(found.empty)
    aws.client("iam").delete_role_policy(RoleName="runs", PolicyName="queues")
    found.send("waits")
    assert still_there(found) and len(batches(aws)) == 1
    aws.client("iam").put_role_policy(RoleName="runs", PolicyName="queues", PolicyDocument=POLICY)
    eventually(found.empty)


@pytest.mark.ministack
@pytest.mark.localstack
def test_a_disabled_mapping_receives_nothing_until_it_is_enabled_again(aws):
    worker(aws)
    found = queue(aws)
    uuid = mapped(found)
    aws.lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    eventually(lambda: aws.lambda_.get_event_source_mapping(UUID=uuid)["State"] == "Disabled")
    found.send("waits")
    assert still_there(found)
    aws.lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    eventually(found.empty)


@pytest.mark.not_localstack("LocalStack's queues have no clock that can be moved")
def test_a_long_window_keeps_its_messages_from_others(clocked):
    aws = clocked.account
    worker(aws)
    found = queue(aws, VisibilityTimeout="30")
    mapped(found, MaximumBatchingWindowInSeconds=100)
    found.send("early")
    assert within(lambda: found.counts()[1] == 1, 10) and still_there(found, 2)
    clocked.engine.advance(60)
    assert not batches(aws) and not found.receive()
    clocked.engine.advance(41)
    eventually(found.empty)
    assert batches(aws) == [[["early", "1"]]]


@pytest.mark.not_localstack("LocalStack cannot be asked")
def test_the_engine_is_at_rest_only_when_a_mapped_queue_is_empty(clocked):
    aws = clocked.account
    worker(aws)
    found = queue(aws, VisibilityTimeout="60")
    mapped(found, BatchSize=1)
    for _ in range(5):
        found.send("sleep 0.3")
    assert clocked.engine.settle(30) == []
    assert found.empty()


@pytest.mark.not_localstack("LocalStack cannot be asked")
def test_the_engine_says_which_queue_keeps_it_from_rest(clocked):
    aws = clocked.account
    worker(aws)
    found = queue(aws)
    mapped(found)
    found.send("fail")
    eventually(lambda: batches(aws))
    assert clocked.engine.settle(0.5) == ["1 message(s) in q"]
