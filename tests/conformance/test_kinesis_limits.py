"""A shard takes and gives what is its share, and says when it is over."""

import pytest
from support import eventually, refusal

pytestmark = [pytest.mark.behaviour("kinesis_limits"), pytest.mark.not_localstack("kinesis-mock enforces no limits")]
EXCEEDED = "ProvisionedThroughputExceededException"
SHARD = "shardId-000000000000"


def stream(clocked, shards=1):
    kinesis = clocked.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=shards)
    return kinesis


def records(count, size=10):
    return [{"Data": bytes(size), "PartitionKey": f"k{number}"} for number in range(count)]


def iterator(kinesis, kind="TRIM_HORIZON"):
    return kinesis.get_shard_iterator(StreamName="s", ShardId=SHARD, ShardIteratorType=kind)["ShardIterator"]


def test_what_is_over_a_megabyte_a_second_is_reported_record_by_record(clocked):
    kinesis = stream(clocked)
    answer = kinesis.put_records(StreamName="s", Records=records(5, 600_000))
    codes = [record.get("ErrorCode") for record in answer["Records"]]
    assert codes == [None] + [EXCEEDED] * 4
    assert answer["FailedRecordCount"] == 4
    assert "SequenceNumber" in answer["Records"][0]


def test_what_is_over_a_thousand_records_a_second_is_refused(clocked):
    kinesis = stream(clocked)
    answers = [kinesis.put_records(StreamName="s", Records=records(500)) for _ in range(8)]
    failed = sum(answer["FailedRecordCount"] for answer in answers)
    assert 0 < failed < 4000
    clocked.engine.advance(1)
    assert kinesis.put_records(StreamName="s", Records=records(500))["FailedRecordCount"] == 0


def test_one_record_over_the_limit_is_refused_until_a_second_has_passed(clocked):
    kinesis = stream(clocked)
    put = lambda: kinesis.put_record(StreamName="s", Data=bytes(1_000_000), PartitionKey="k")  # noqa: E731
    assert [refusal(put)[0] for _ in range(2)] == ["", EXCEEDED]
    clocked.engine.advance(1)
    assert refusal(put)[0] == ""


def test_shards_have_limits_of_their_own(clocked):
    kinesis = stream(clocked, 2)
    answer = kinesis.put_records(StreamName="s", Records=records(12, 300_000))
    taken = {record["ShardId"] for record in answer["Records"] if "ShardId" in record}
    assert len(taken) == 2 and answer["FailedRecordCount"] > 0


def test_more_than_five_reads_a_second_are_refused(clocked):
    kinesis = stream(clocked)
    token = iterator(kinesis)
    codes = []
    for _ in range(30):
        codes.append(refusal(lambda: kinesis.get_records(ShardIterator=token))[0])
    assert codes[:5] == [""] * 5 and EXCEEDED in codes
    clocked.engine.advance(1)
    assert refusal(lambda: kinesis.get_records(ShardIterator=token))[0] == ""


def test_a_full_answer_closes_the_shard_for_five_seconds(clocked):
    kinesis = stream(clocked)
    for _ in range(12):
        kinesis.put_record(StreamName="s", Data=bytes(1_000_000), PartitionKey="k")
        clocked.engine.advance(1)
    token = iterator(kinesis)
    answer = kinesis.get_records(ShardIterator=token)
    assert len(answer["Records"]) == 10, "10 MiB at most"
    after = answer["NextShardIterator"]
    clocked.engine.advance(3)
    assert refusal(lambda: kinesis.get_records(ShardIterator=after))[0] == EXCEEDED
    clocked.engine.advance(2)
    assert eventually(lambda: kinesis.get_records(ShardIterator=after)["Records"])


def test_more_than_five_iterators_a_second_are_refused(clocked):
    kinesis = stream(clocked)
    codes = [refusal(lambda: _raw(kinesis))[0] for _ in range(30)]
    assert codes[:5] == [""] * 5 and EXCEEDED in codes


def _raw(kinesis):
    return kinesis.get_shard_iterator(StreamName="s", ShardId=SHARD, ShardIteratorType="LATEST")
