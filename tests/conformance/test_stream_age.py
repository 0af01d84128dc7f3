"""What is too old is given up, and what the stream has lost is not waited for."""

import json

import pytest
from streams import Mapped, queue, to
from support import eventually, refusal

pytestmark = [
    pytest.mark.behaviour("stream_mappings"),
    pytest.mark.not_localstack("LocalStack has no clock that can be moved"),
]


@pytest.mark.parametrize("kind", ["kinesis", "dynamodb"])
def test_a_batch_that_is_too_old_is_discarded_and_told_of(clocked, kind):
    mapped = Mapped.make(clocked.account, kind)
    url, arn = queue(clocked.account)
    mapped.put("bad")
    mapped.map(MaximumRecordAgeInSeconds=3600, DestinationConfig=to(arn))
    eventually(mapped.handed)
    clocked.engine.advance(3700)
    mapped.put("next")
    pending = clocked.engine.settle(15)
    assert mapped.handed()[-1] == "next" and not pending
    (message,) = clocked.account.client("sqs").receive_message(QueueUrl=url)["Messages"]
    record = json.loads(message["Body"])
    assert record["requestContext"]["condition"] == "RecordAgeExceeded"


def test_without_any_limit_a_batch_blocks_until_it_expires(clocked):
    mapped = Mapped.make(clocked.account, "kinesis")
    mapped.put("bad")
    mapped.map(BatchSize=1)
    eventually(mapped.handed)
    clocked.engine.advance(23 * 3600)
    mapped.put("next")
    assert clocked.engine.settle(1), "a blocked stream is not at rest"
    assert "next" not in mapped.handed()
    clocked.engine.advance(2 * 3600)
    assert clocked.engine.settle(20) == []
    assert mapped.handed()[-1] == "next"


def test_an_iterator_that_has_expired_loses_nothing(clocked):
    mapped = Mapped.make(clocked.account, "kinesis")
    mapped.put("a")
    mapped.map()
    assert clocked.engine.settle(15) == []
    kinesis = clocked.client("kinesis")
    place = {"StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST"}
    iterator = kinesis.get_shard_iterator(**place)["ShardIterator"]
    clocked.engine.advance(600)
    assert refusal(lambda: kinesis.get_records(ShardIterator=iterator))[0] == "ExpiredIteratorException"
    mapped.put("b")
    assert clocked.engine.settle(15) == []
    assert mapped.handed() == ["a", "b"]
