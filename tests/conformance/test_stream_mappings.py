"""Streams reach functions in order, batched, retried, split and given up on as the mapping says."""

import hashlib
import json
import time

import pytest
from streams import Mapped, queue, received, to
from support import eventually, stays, within

pytestmark = pytest.mark.behaviour("stream_mappings")
BOTH = pytest.mark.parametrize("kind", ["kinesis", "dynamodb"])
PARTIAL = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
BISECT = {"BisectBatchOnFunctionError": True}
SIX = ("a", "b", "c", "bad", "d", "e")


def after(batches, value):
    """The batches from the first one with `value` on."""
    return batches[next(index for index, batch in enumerate(batches) if value in batch) :]


@pytest.mark.localstack
@pytest.mark.ministack
@BOTH
def test_a_batch_holds_records_in_their_order_and_no_more_than_its_size(aws, kind):
    mapped = Mapped.make(aws, kind)
    values = [f"v{number:02}" for number in range(10)]
    mapped.put(*values)
    mapped.map(BatchSize=4)
    batches = mapped.until(*values)
    assert [value for batch in batches for value in batch] == values
    assert max(map(len, batches)) <= 4


@pytest.mark.not_localstack("4.14 takes its position some time after it is Enabled, and misses what comes before")
@BOTH
def test_latest_starts_after_what_is_there(aws, kind):
    mapped = Mapped.make(aws, kind)
    mapped.put("old")
    mapped.map(StartingPosition="LATEST")
    mapped.put("new")
    _until(mapped, "new")
    assert mapped.batches() == [["new"]]
    assert within(lambda: mapped.config()["LastProcessingResult"] == "OK", 5)


@pytest.mark.not_localstack("4.14 starts with the oldest record")
def test_at_timestamp_starts_with_the_first_record_from_then_on(aws):
    mapped = Mapped.make(aws, "kinesis")
    mapped.put("old")
    shard, stream = "shardId-000000000000", mapped.arn.rpartition("/")[2]
    kinesis = aws.client("kinesis")
    eventually(lambda: time.time() * 1000 % 1000 > 10)
    mapped.put("new", "newer")
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    moment = records[1]["ApproximateArrivalTimestamp"]
    assert records[0]["ApproximateArrivalTimestamp"] < moment
    mapped.map(StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=moment)
    mapped.put("end")
    _until(mapped, "end")
    assert mapped.handed() == ["new", "newer", "end"]


def _until(mapped, value):
    within(lambda: value in mapped.handed(), 10 if mapped.aws.advance else 60)


@pytest.mark.localstack
@BOTH
def test_a_window_gathers_what_comes_within_it(aws, kind):
    mapped = Mapped.make(aws, kind)
    mapped.map(MaximumBatchingWindowInSeconds=20 if aws.advance else 3, BatchSize=100)
    mapped.put("a")
    assert stays(lambda: mapped.handed() == [], 0.8), "the window is not over"
    mapped.put("b", "c")
    assert mapped.until("a", "b", "c") == [["a", "b", "c"]]


@pytest.mark.not_localstack("4.14 does not bisect")
@BOTH
def test_bisecting_parts_a_poison_record_from_the_others(aws, kind):
    """Each half comes before what follows it, and only the poison record is tried again, as often as it may be."""
    mapped = Mapped.make(aws, kind)
    url, arn = queue(aws)
    mapped.put(*SIX)
    mapped.map(**BISECT, MaximumRetryAttempts=1, DestinationConfig=to(arn))
    _until(mapped, "e")
    mapped.put("last")
    _until(mapped, "last")
    assert mapped.batches() == [list(SIX), list("abc"), ["bad", "d", "e"], ["bad"], ["bad"], ["d", "e"], ["last"]]
    (record,) = received(aws, url)
    info = record.get("KinesisBatchInfo") or record["DDBStreamBatchInfo"]
    assert (info["batchSize"], record["requestContext"]["approximateInvokeCount"]) == (1, 2)


@pytest.mark.localstack
@BOTH
def test_a_batch_that_fails_as_often_as_it_may_is_discarded_and_told_of(aws, kind):
    """The failure record says where the batch is, and not what it holds."""
    mapped = Mapped.make(aws, kind)
    url, arn = queue(aws)
    mapped.put("a", "bad", "b")
    mapped.map(MaximumRetryAttempts=2, DestinationConfig=to(arn))
    _until(mapped, "b")
    mapped.put("next")
    _until(mapped, "next")
    batches = mapped.batches()
    assert batches == [["a", "bad", "b"]] * 3 + [["next"]]
    (record,) = received(aws, url)
    context, answer = record["requestContext"], record["responseContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetryAttemptsExhausted", 3)
    assert context["functionArn"].endswith(":function:f") and context["requestId"]
    assert (answer["statusCode"], answer["executedVersion"], answer["functionError"]) == (200, "$LATEST", "Unhandled")
    info = record["KinesisBatchInfo" if kind == "kinesis" else "DDBStreamBatchInfo"]
    assert (info["batchSize"], info["streamArn"]) == (3, mapped.arn)
    assert int(info["startSequenceNumber"]) < int(info["endSequenceNumber"])
    assert info["approximateArrivalOfFirstRecord"].endswith("Z") and info["shardId"].startswith("shardId-")
    assert "payload" not in record and record["version"] == "1.0"


@pytest.mark.localstack
def test_a_failure_record_finds_the_record_again(aws):
    mapped = Mapped.make(aws, "kinesis")
    url, arn = queue(aws)
    mapped.put("a", "bad")
    mapped.map(MaximumRetryAttempts=0, BatchSize=1, DestinationConfig=to(arn))
    found = _first(aws, url)
    assert found is not None
    info, kinesis = found["KinesisBatchInfo"], aws.client("kinesis")
    iterator = kinesis.get_shard_iterator(
        StreamName=info["streamArn"].rpartition("/")[2],
        ShardId=info["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        StartingSequenceNumber=info["startSequenceNumber"],
    )["ShardIterator"]
    assert kinesis.get_records(ShardIterator=iterator, Limit=1)["Records"][0]["Data"] == b"bad"


def _first(aws, url):
    """The body of the first message; None when there is none."""
    found = within(lambda: aws.client("sqs").receive_message(QueueUrl=url).get("Messages"), 15)
    return json.loads(found[0]["Body"]) if found else None


@pytest.mark.localstack
def test_a_topic_gets_the_same_record(aws):
    mapped = Mapped.make(aws, "kinesis")
    url, queue_arn = queue(aws)
    topic = aws.client("sns").create_topic(Name="failures")["TopicArn"]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue_arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    mapped.put("bad")
    mapped.map(MaximumRetryAttempts=0, DestinationConfig=to(topic))
    found = _first(aws, url)
    assert found and json.loads(found["Message"])["KinesisBatchInfo"]["batchSize"] == 1


@pytest.mark.not_localstack("4.14 names the object otherwise")
def test_a_bucket_gets_the_whole_event_as_well(aws):
    mapped = Mapped.make(aws, "kinesis")
    s3, bucket = aws.client("s3"), f"failures-{aws.number}"
    s3.create_bucket(Bucket=bucket)
    mapped.put("bad")
    uuid = mapped.map(MaximumRetryAttempts=0, DestinationConfig=to(f"arn:aws:s3:::{bucket}"))
    found = within(lambda: s3.list_objects_v2(Bucket=bucket).get("Contents", []), 15)
    assert found and found[0]["Key"].startswith(f"aws/lambda/{uuid}/shardId-000000000000/20")
    with s3.get_object(Bucket=bucket, Key=found[0]["Key"])["Body"] as body:
        record = json.loads(body.read())
    assert json.loads(record["payload"])["Records"][0]["kinesis"]["partitionKey"] == "k"


@pytest.mark.not_localstack("4.14 sends whatever the role permits")
def test_a_failure_record_is_sent_with_the_roles_permissions(aws):
    mapped = Mapped.make(aws, "kinesis")
    url, arn = queue(aws)
    allow = {"Effect": "Allow", "Action": ["kinesis:*", "logs:*"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    aws.client("iam").put_role_policy(RoleName="runs", PolicyName="all", PolicyDocument=policy)
    mapped.put("bad")
    mapped.map(MaximumRetryAttempts=0, DestinationConfig=to(arn))
    eventually(mapped.handed)
    mapped.put("next")
    _until(mapped, "next")
    assert mapped.handed() == ["bad", "next"]
    assert "Messages" not in aws.client("sqs").receive_message(QueueUrl=url)


@pytest.mark.localstack
@BOTH
def test_what_comes_before_the_returned_number_has_succeeded(aws, kind):
    mapped = Mapped.make(aws, kind, MODE="partial")
    mapped.put(*SIX)
    mapped.map(**PARTIAL, MaximumRetryAttempts=1)
    _until(mapped, "bad")
    mapped.put("next")
    _until(mapped, "next")
    assert mapped.batches() == [list(SIX), ["bad", "d", "e"], ["next"]]


@pytest.mark.localstack
def test_the_lowest_returned_number_is_the_checkpoint(aws):
    mapped = Mapped.make(aws, "kinesis", MODE="several")
    mapped.put("a", "bad1", "b", "bad2")
    mapped.map(**PARTIAL, MaximumRetryAttempts=1)
    eventually(mapped.handed)
    mapped.put("next")
    _until(mapped, "next")
    assert mapped.batches()[1] == ["bad1", "b", "bad2"]


@pytest.mark.not_localstack("4.14 does not bisect")
@BOTH
def test_bisecting_cuts_at_the_returned_number(aws, kind):
    """Nothing before the cut is handled again, and the poison record ends up alone."""
    mapped = Mapped.make(aws, kind, MODE="pattern")
    mapped.put(*SIX)
    mapped.map(**PARTIAL, **BISECT, MaximumRetryAttempts=1)
    _until(mapped, "e")
    mapped.put("next")
    _until(mapped, "next")
    assert mapped.batches() == [list(SIX), ["bad", "d", "e"], ["bad"], ["bad"], ["d", "e"], ["next"]]


@pytest.mark.localstack
@pytest.mark.parametrize("mode", ["empty", "wrong key"])
def test_an_item_without_an_identifier_fails_the_batch(aws, mode):
    mapped = Mapped.make(aws, "kinesis", MODE=mode)
    mapped.put("a", "bad")
    mapped.map(**PARTIAL, MaximumRetryAttempts=1)
    eventually(mapped.handed)
    mapped.put("next")
    _until(mapped, "next")
    assert mapped.batches() == [["a", "bad"], ["a", "bad"], ["next"]]


@pytest.mark.localstack
@pytest.mark.ministack
def test_a_response_is_ignored_without_the_setting(aws):
    mapped = Mapped.make(aws, "kinesis", MODE="partial")
    mapped.put("a", "bad")
    mapped.map()
    eventually(mapped.handed)
    mapped.put("next")
    mapped.until("next")
    assert mapped.handed() == ["a", "bad", "next"]


@pytest.mark.not_localstack("4.14 reads the shards of a mapping one after the other")
def test_a_blocked_shard_leaves_the_others_alone(aws):
    mapped = Mapped.make(aws, "kinesis", shards=2)
    keys = _keys_of_two_shards()
    mapped.put("bad", "behind", key=keys[0])
    mapped.map(BatchSize=1)
    mapped.put("free", "too", key=keys[1])
    _until(mapped, "too")
    handed = mapped.handed()
    assert [value for value in handed if value != "bad"] == ["free", "too"]
    assert mapped.config()["LastProcessingResult"] in ("OK", "PROBLEM: Function call failed")


def _keys_of_two_shards() -> list[str]:
    """A partition key for each half of the range of hashes."""
    halves: dict[bool, str] = {}
    for number in range(100):
        digest = hashlib.md5(f"k{number}".encode()).hexdigest()
        halves.setdefault(int(digest, 16) >= 2**127, f"k{number}")
    return list(halves.values())
