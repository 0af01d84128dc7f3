"""What is refused of the mapping of a queue."""

import json

import pytest
from queues import mapped, queue, worker
from support import message, refusal

pytestmark = pytest.mark.behaviour("queue_mappings")

OWN_RANGES = ("ValidationException", "InvalidParameterValueException")


def create(aws, arn, **settings):
    return lambda: aws.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName="f", **settings)


@pytest.mark.localstack
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("q", {"BatchSize": 11}),
        ("q.fifo", {"BatchSize": 11}),
        ("q", {"BatchSize": 10_001, "MaximumBatchingWindowInSeconds": 1}),
    ],
    ids=["above ten without a window", "above ten for FIFO", "above ten thousand"],
)
def test_a_batch_size_out_of_range_is_refused(aws, name, settings):
    worker(aws)
    code, status = refusal(create(aws, queue(aws, name).arn, **settings))
    assert code in OWN_RANGES and status == 400


@pytest.mark.not_localstack("LocalStack accepts them")
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("q.fifo", {"MaximumBatchingWindowInSeconds": 1}),
        ("q", {"MaximumBatchingWindowInSeconds": 301}),
        ("q", {"FunctionResponseTypes": ["ReportEverything"]}),
        ("q", {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:d"}}}),
        ("q", {"StartingPosition": "LATEST"}),
        ("q", {"MaximumRetryAttempts": 2}),
        ("q", {"BisectBatchOnFunctionError": True}),
        ("q", {"FilterCriteria": {"Filters": [{"Pattern": '{"body": 1}'}]}}),
        ("q", {"FilterCriteria": {"Filters": [{"Pattern": "{}"}] * 6}}),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_what_a_queue_does_not_have_is_refused(aws, name, settings):
    worker(aws)
    code, status = refusal(create(aws, queue(aws, name).arn, **settings))
    assert code in OWN_RANGES and status == 400


@pytest.mark.not_localstack("LocalStack does not compare the two")
def test_a_visibility_timeout_below_the_functions_timeout_is_refused(aws):
    worker(aws, Timeout=31)
    call = create(aws, queue(aws, VisibilityTimeout="30").arn)
    assert refusal(call) == ("InvalidParameterValueException", 400)
    assert "30 seconds is less than Function timeout: 31 seconds" in message(call)


@pytest.mark.localstack
def test_an_update_is_judged_as_the_whole_it_makes(aws):
    worker(aws)
    uuid = mapped(queue(aws), BatchSize=100, MaximumBatchingWindowInSeconds=5)
    change = aws.lambda_.update_event_source_mapping
    code, _ = refusal(lambda: change(UUID=uuid, MaximumBatchingWindowInSeconds=0))
    assert code == "InvalidParameterValueException"


@pytest.mark.localstack
def test_a_queue_that_is_not_there_is_refused(aws):
    worker(aws)
    code, _ = refusal(create(aws, f"arn:aws:sqs:us-east-1:{aws.number}:none"))
    assert code == "InvalidParameterValueException"


@pytest.mark.not_localstack("LocalStack checks no execution role")
def test_a_role_that_may_not_receive_is_refused(aws):
    aws.function("def handle(event, context):\n    return 1\n")
    call = create(aws, queue(aws).arn)
    assert refusal(call) == ("InvalidParameterValueException", 400)
    assert "ReceiveMessage" in message(call)


@pytest.mark.not_localstack("LocalStack checks no execution role")
@pytest.mark.parametrize("missing", ["DeleteMessage", "GetQueueAttributes"])
def test_a_role_without_the_other_permissions_is_refused_too(aws, missing):
    worker(aws)
    allowed = [f"sqs:{name}" for name in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes") if name != missing]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": allowed, "Resource": "*"}]}
    aws.client("iam").put_role_policy(RoleName="runs", PolicyName="queues", PolicyDocument=json.dumps(policy))
    assert refusal(create(aws, queue(aws).arn)) == ("InvalidParameterValueException", 400)


@pytest.mark.localstack
def test_the_same_mapping_twice_is_refused(aws):
    worker(aws)
    found = queue(aws)
    uuid = mapped(found)
    call = create(aws, found.arn)
    assert refusal(call) == ("ResourceConflictException", 409)
    assert uuid in message(call)
