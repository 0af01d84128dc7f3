"""Ten thousand readings over four shards, one in a hundred poisoned, through lab 05's solution.

Every good one takes effect once, in the order of its meter; of every other one the queue tells where it is.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import defaultdict
from pathlib import Path

import boto3
import pytest

from cloudkata.course import find_course
from cloudkata.deployment.learner import deploy
from cloudkata.targets.embedded import EmbeddedTarget

COURSE = find_course(Path(__file__))
SLUG = "05-stream-failures"
RECORDS, METERS, SHARDS, POISONED = 10_000, 500, 4, 100
SEED = 20261201
A_CALL = 500  # records in one PutRecords
PATIENCE = 900.0


@pytest.fixture
def session():
    with EmbeddedTarget() as target:
        yield target.session("05")


@pytest.fixture
def outputs(session, tmp_path) -> dict[str, str]:
    folder = tmp_path / "lab"
    shutil.copytree(COURSE.solution(SLUG), folder)
    script = folder / "deploy.py"
    text = script.read_text(encoding="utf-8")
    assert text.count("SHARDS = 3") == 1
    script.write_text(text.replace("SHARDS = 3", f"SHARDS = {SHARDS}"), encoding="utf-8")
    made = deploy(folder, session)
    assert not made.error, made.error
    return made.outputs


def test_every_effect_is_there_once_and_in_order(session, outputs):
    draw = random.Random(SEED)
    poisoned = set(draw.sample(range(RECORDS), POISONED))
    kinesis = session.client("kinesis", session.checks)
    waiting = []
    for number in range(RECORDS):
        data = b"garbage" if number in poisoned else json.dumps({"kwh": number}).encode()
        waiting.append((number, {"PartitionKey": f"meter-{draw.randrange(METERS)}", "Data": data}))
    accepted: dict[str, list[tuple[int, int]]] = defaultdict(list)
    lost, shards = set(), set()
    while waiting:
        part, waiting = waiting[:A_CALL], waiting[A_CALL:]
        replies = kinesis.put_records(StreamName=outputs["StreamName"], Records=[entry for _, entry in part])["Records"]
        for (number, entry), reply in zip(part, replies, strict=True):
            if "SequenceNumber" not in reply:  # over a shard's limit: to be sent again
                waiting.append((number, entry))
                continue
            shards.add(reply["ShardId"])
            if number in poisoned:
                lost.add(reply["SequenceNumber"])
            else:
                accepted[entry["PartitionKey"]].append((int(reply["SequenceNumber"]), number))
    assert len(shards) == SHARDS
    assert session.clock.settle(PATIENCE) == []

    table = _resource(session).Table(outputs["MeterTable"])
    items = _scan(table)
    expected = {meter: [number for _, number in sorted(found)] for meter, found in accepted.items()}
    found = {key: [int(value) for value in item["readings"]] for key, item in items.items() if "readings" in item}
    assert {key: values for key, values in found.items() if not key.startswith("opening-")} == expected
    assert sum(int(item["total"]) for key, item in items.items() if key in expected) == sum(map(sum, expected.values()))

    told = _messages(session, outputs["FailuresQueueUrl"])
    batches = [message["KinesisBatchInfo"] for message in told]
    assert sorted(batch["startSequenceNumber"] for batch in batches) == sorted(lost)
    assert {batch["batchSize"] for batch in batches} == {1}
    assert {message["requestContext"]["approximateInvokeCount"] for message in told} == {3}


def _resource(session):
    return boto3.resource(
        "dynamodb",
        endpoint_url=session.endpoint,
        region_name=session.region,
        aws_access_key_id=session.checks.access_key_id,
        aws_secret_access_key=session.checks.secret_access_key,
    )


def _scan(table) -> dict[str, dict]:
    items, start = {}, {}
    while True:
        page = table.scan(ConsistentRead=True, **start)
        items |= {item["id"]: item for item in page["Items"]}
        if "LastEvaluatedKey" not in page:
            return items
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _messages(session, url: str) -> list[dict]:
    sqs, found = session.client("sqs", session.checks), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=43200).get(
        "Messages"
    ):
        found += [json.loads(message["Body"]) for message in messages]
    return found
