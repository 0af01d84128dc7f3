"""What a failure record says, and how windows part the records of a shard: pure functions."""

import re
from dataclasses import replace

import pytest

from cloudkata.engine.streams.failure_record import failure_record, object_key
from cloudkata.engine.streams.policy import EXHAUSTED, TOO_OLD
from cloudkata.engine.streams.records import Last, Record, Settings, Work
from cloudkata.engine.streams.windows import STATE_BYTES, Window

KINESIS = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-01-01T00:00:00.000"
FAILED = Last("request-1", 200, "3", "Unhandled")


def work() -> Work:
    records = tuple(Record(str(100 + n), "k", 1_700_000_000.25 + n, 10, {}, {}) for n in range(2))
    return Work(records, attempts=3, last=FAILED)


def record(arn=KINESIS, condition=EXHAUSTED, of=None) -> dict:
    return failure_record(of or work(), condition, "arn:f", arn, "shardId-1", 1_700_000_100.5)


def test_kinesis_shows_its_times_with_milliseconds():
    assert record()["KinesisBatchInfo"] == {
        "shardId": "shardId-1",
        "startSequenceNumber": "100",
        "endSequenceNumber": "101",
        "approximateArrivalOfFirstRecord": "2023-11-14T22:13:20.250Z",
        "approximateArrivalOfLastRecord": "2023-11-14T22:13:21.250Z",
        "batchSize": 2,
        "streamArn": KINESIS,
    }


def test_dynamodb_has_a_name_and_times_of_its_own():
    info = record(TABLE)["DDBStreamBatchInfo"]
    assert (info["approximateArrivalOfFirstRecord"], info["streamArn"]) == ("2023-11-14T22:13:20Z", TABLE)


def test_the_last_invocation_is_told():
    found = record()
    assert found["requestContext"] == {
        "requestId": "request-1",
        "functionArn": "arn:f",
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 3,
    }
    assert found["responseContext"] == {"statusCode": 200, "executedVersion": "3", "functionError": "Unhandled"}
    assert (found["version"], found["timestamp"]) == ("1.0", "2023-11-14T22:15:00.500Z")


def test_what_was_never_invoked_has_no_response():
    found = record(condition=TOO_OLD, of=replace(work(), attempts=0, last=Last()))
    assert "responseContext" not in found and found["requestContext"]["approximateInvokeCount"] == 0


def test_an_object_is_named_after_mapping_shard_and_time():
    name = object_key("uuid-1", "shardId-1", 1_700_000_100.5)
    assert re.fullmatch(
        r"aws/lambda/uuid-1/shardId-1/2023/11/14/2023-11-14T22\.15\.00-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name
    )


@pytest.mark.parametrize("arrived, start", [(0, 0), (59.9, 0), (60, 60), (125, 120)])
def test_windows_follow_each_other_without_overlap(arrived, start):
    window = Window.of(arrived, 60)
    assert (window.start, window.end, window.holds(arrived)) == (start, start + 60, True)


def test_a_state_is_taken_from_the_answer():
    window = Window.of(0, 60)
    assert window.take(b'{"state": {"n": 1}}') and window.state == {"n": 1}
    assert not window.take(b"null") and not window.take(b"{}") and not window.take(b"no json")


def test_a_state_that_is_too_large_ends_the_window_early():
    window = Window.of(0, 60)
    window.take(b'{"state": "' + b"x" * STATE_BYTES + b'"}')
    assert window.early and window.fields("s", "a", final=True)["isWindowTerminatedEarly"]


def test_settings_that_are_not_given_are_the_documented_defaults():
    found = Settings.of({})
    assert (found.batch_size, found.window, found.lanes, found.retries, found.record_age) == (100, 0, 1, -1, -1)
    assert (found.bisect, found.partial, found.destination, found.tumbling) == (False, False, "", 0)
