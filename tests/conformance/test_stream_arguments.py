"""What CreateEventSourceMapping takes for a stream, and what it refuses."""

import pytest
from streams import Mapped, queue
from support import message, refusal

pytestmark = pytest.mark.behaviour("stream_arguments")
INVALID = ("InvalidParameterValueException", "ValidationException")
FUTURE = 4_000_000_000


def create(aws, mapped, **settings):
    given = {"StartingPosition": "TRIM_HORIZON", **settings}
    given = {name: value for name, value in given.items() if value is not None}
    return aws.lambda_.create_event_source_mapping(EventSourceArn=mapped.arn, FunctionName="f", **given)


@pytest.mark.not_localstack("4.14 takes values out of range, and some positions")
@pytest.mark.parametrize("kind", ["kinesis", "dynamodb"])
def test_values_out_of_range_are_refused(aws, kind):
    mapped = Mapped.make(aws, kind)
    for wrong in (
        {"StartingPosition": None},
        {"StartingPosition": "EARLIEST"},
        {"BatchSize": 0},
        {"BatchSize": 10_001},
        {"MaximumBatchingWindowInSeconds": 301},
        {"ParallelizationFactor": 0},
        {"ParallelizationFactor": 11},
        {"MaximumRetryAttempts": -2},
        {"MaximumRetryAttempts": 10_001},
        {"MaximumRecordAgeInSeconds": 0},
        {"MaximumRecordAgeInSeconds": 59},
        {"MaximumRecordAgeInSeconds": 604_801},
        {"TumblingWindowInSeconds": 901},
        {"FunctionResponseTypes": ["Everything"]},
        {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:dynamodb:us-east-1:123456789012:table/t"}}},
        {"FilterCriteria": {"Filters": [{"Pattern": "{"}]}},
    ):
        assert refusal(lambda wrong=wrong: create(aws, mapped, **wrong))[0] in INVALID, wrong


@pytest.mark.not_localstack("4.14 takes any position for any stream")
def test_at_timestamp_is_for_kinesis_and_needs_a_time_that_has_been(aws):
    table = Mapped.make(aws, "dynamodb")
    assert (
        refusal(lambda: create(aws, table, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1))[0] in INVALID
    )
    aws.client("kinesis").create_stream(StreamName="s", ShardCount=1)
    arn = aws.client("kinesis").describe_stream(StreamName="s")["StreamDescription"]["StreamARN"]
    stream = Mapped(aws, "kinesis", arn)
    for moment in (None, FUTURE):
        given = {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": moment}
        assert refusal(lambda given=given: create(aws, stream, **given))[0] in INVALID


@pytest.mark.localstack
def test_defaults_are_shown(aws):
    mapped = Mapped.make(aws, "dynamodb")
    made = create(aws, mapped)
    shown = ("BatchSize", "ParallelizationFactor", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds")
    assert [made.get(name) for name in shown] == [100, 1, -1, -1]
    assert (made.get("BisectBatchOnFunctionError"), made.get("TumblingWindowInSeconds")) == (False, 0)
    assert made["LastProcessingResult"] == "No records processed"


@pytest.mark.localstack
def test_a_second_mapping_of_the_same_stream_and_function_is_refused(aws):
    mapped = Mapped.make(aws, "kinesis")
    create(aws, mapped)
    assert refusal(lambda: create(aws, mapped)) == ("ResourceConflictException", 409)


@pytest.mark.not_localstack("4.14 enforces no permissions")
@pytest.mark.parametrize("kind", ["kinesis", "dynamodb"])
def test_a_role_that_may_not_read_the_stream_is_refused(aws, kind):
    mapped = Mapped.make(aws, kind)
    aws.client("iam").delete_role_policy(RoleName="runs", PolicyName="all")
    assert "GetRecords" in message(lambda: create(aws, mapped))


@pytest.mark.not_localstack("4.14 takes values out of range")
def test_an_update_is_judged_as_well(aws):
    mapped = Mapped.make(aws, "kinesis")
    _, arn = queue(aws)
    mapped.map(BatchSize=5)
    update = aws.lambda_.update_event_source_mapping
    for wrong in ({"BatchSize": 0}, {"MaximumRecordAgeInSeconds": 30}, {"ParallelizationFactor": 11}):
        assert refusal(lambda wrong=wrong: update(UUID=mapped.uuid, **wrong))[0] in INVALID, wrong
    good = {"TumblingWindowInSeconds": 30, "DestinationConfig": {"OnFailure": {"Destination": arn}}}
    assert update(UUID=mapped.uuid, **good)["TumblingWindowInSeconds"] == 30
