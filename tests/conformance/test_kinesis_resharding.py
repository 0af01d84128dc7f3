"""Shards are split and merged without losing what they hold."""

import pytest
from streams import Mapped
from support import eventually, refusal, within

MIDDLE = str(2**127)
FIRST, SECOND, THIRD = (f"shardId-{number:012d}" for number in range(3))


def stream(aws, shards=1):
    kinesis = aws.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=shards)
    eventually(lambda: status(kinesis) == "ACTIVE")
    return kinesis


def status(kinesis) -> str:
    return kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamStatus"]


def put(kinesis, *values, key="k"):
    return [kinesis.put_record(StreamName="s", Data=value.encode(), PartitionKey=key)["ShardId"] for value in values]


def read(kinesis, shard) -> tuple[list[bytes], dict]:
    """All that a shard holds, and the last answer."""
    found, iterator = [], kinesis.get_shard_iterator(StreamName="s", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    token = iterator["ShardIterator"]
    for _ in range(3):
        answer = kinesis.get_records(ShardIterator=token)
        found += [record["Data"] for record in answer["Records"]]
        token = answer.get("NextShardIterator")
        if not token:
            break
    return found, answer


def split(kinesis):
    kinesis.split_shard(StreamName="s", ShardToSplit=FIRST, NewStartingHashKey=MIDDLE)
    during = status(kinesis)
    eventually(lambda: status(kinesis) == "ACTIVE")
    return during


@pytest.mark.behaviour("kinesis_resharding")
@pytest.mark.localstack
def test_a_split_keeps_the_parents_records_readable(aws):
    kinesis = stream(aws)
    put(kinesis, "a", "b")
    split(kinesis)
    assert put(kinesis, "c")[0] in (SECOND, THIRD)
    shards = [shard["ShardId"] for shard in kinesis.list_shards(StreamName="s")["Shards"]]
    assert shards == [FIRST, SECOND, THIRD]
    found, answer = read(kinesis, FIRST)
    assert found == [b"a", b"b"]
    assert "NextShardIterator" not in answer
    assert sorted(child["ShardId"] for child in answer["ChildShards"]) == [SECOND, THIRD]


@pytest.mark.behaviour("kinesis_resharding")
@pytest.mark.localstack
def test_a_stream_is_updating_meanwhile_and_not_changed_again(aws):
    kinesis = stream(aws)
    kinesis.split_shard(StreamName="s", ShardToSplit=FIRST, NewStartingHashKey=MIDDLE)
    again = refusal(lambda: kinesis.merge_shards(StreamName="s", ShardToMerge=SECOND, AdjacentShardToMerge=THIRD))
    assert again[0] == "ResourceInUseException"
    assert put(kinesis, "written meanwhile")


@pytest.mark.behaviour("kinesis_resharding")
@pytest.mark.localstack
def test_a_closed_shard_shows_where_it_ends_and_is_not_counted_as_open(aws):
    kinesis = stream(aws)
    split(kinesis)
    found = {shard["ShardId"]: shard for shard in kinesis.list_shards(StreamName="s")["Shards"]}
    assert FIRST in found and "EndingSequenceNumber" in found[FIRST]["SequenceNumberRange"]
    assert found[SECOND]["ParentShardId"] == FIRST
    summary = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 2


@pytest.mark.behaviour("kinesis_resharding")
@pytest.mark.localstack
def test_a_merge_keeps_both_parents_records_readable(aws):
    kinesis = stream(aws, 2)
    owners = {shard: f"k{number}" for number in range(20) for shard in put(kinesis, f"v{number}", key=f"k{number}")}
    kinesis.merge_shards(StreamName="s", ShardToMerge=FIRST, AdjacentShardToMerge=SECOND)
    eventually(lambda: status(kinesis) == "ACTIVE")
    assert sorted(owners) == [FIRST, SECOND]
    assert put(kinesis, "after")[0] == THIRD
    codes = [refusal(lambda shard=shard: _iterator(kinesis, shard))[0] for shard in (FIRST, SECOND)]
    assert codes == ["", ""]
    assert sum(len(read(kinesis, shard)[0]) for shard in (FIRST, SECOND)) == 20


def _iterator(kinesis, shard):
    return kinesis.get_shard_iterator(StreamName="s", ShardId=shard, ShardIteratorType="TRIM_HORIZON")


@pytest.mark.behaviour("kinesis_resharding")
@pytest.mark.localstack
def test_only_neighbours_are_merged(aws):
    kinesis = stream(aws, 3)
    call = lambda: kinesis.merge_shards(StreamName="s", ShardToMerge=FIRST, AdjacentShardToMerge=THIRD)  # noqa: E731
    assert refusal(call)[0] == "InvalidArgumentException"


@pytest.mark.behaviour("kinesis_resharding")
@pytest.mark.localstack
def test_another_number_of_shards_keeps_what_the_old_ones_hold(aws):
    kinesis = stream(aws, 2)
    put(kinesis, *"abcd")
    kinesis.update_shard_count(StreamName="s", TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    eventually(lambda: status(kinesis) == "ACTIVE")
    shards = [shard["ShardId"] for shard in kinesis.list_shards(StreamName="s")["Shards"]]
    assert len(shards) > 4
    assert sum(len(read(kinesis, shard)[0]) for shard in shards) == 4


@pytest.mark.behaviour("kinesis_resharding")
@pytest.mark.not_localstack("4.14 starts with the children at once")
def test_a_mapping_reads_the_parent_before_its_children(aws):
    mapped = Mapped.make(aws, "kinesis")
    kinesis = aws.client("kinesis")
    mapped.put("a", "b")
    kinesis.split_shard(StreamName="s", ShardToSplit=FIRST, NewStartingHashKey=MIDDLE)
    mapped.put("c", "d")
    mapped.map(BatchSize=1)
    eventually(lambda: len(mapped.handed()) >= 2)
    within(lambda: len(mapped.handed()) >= 4, 8)
    assert mapped.handed() == ["a", "b", "c", "d"]
