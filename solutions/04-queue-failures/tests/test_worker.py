"""The workers on moto: what they write, and what they report."""

import importlib.util
import json
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

ROOT = Path(__file__).parents[1]
TABLE = "results"


@pytest.fixture
def dynamodb(monkeypatch):
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("RESULTS_TABLE", TABLE),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


@pytest.fixture
def worker(dynamodb):
    spec = importlib.util.spec_from_file_location("lab04_worker", ROOT / "app" / "worker.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event(*orders):
    """What Lambda hands over, as far as the workers look at it; message ids are m0, m1, ..."""
    return {
        "Records": [
            {"messageId": f"m{number}", "body": json.dumps(order), "eventSource": "aws:sqs", "attributes": {}}
            for number, order in enumerate(orders)
        ]
    }


def reported(answer):
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def attribute(dynamodb, key, name):
    found = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": key}}).get("Item", {})
    return found.get(name)


GOOD, BAD = {"order": "a", "amount": 5}, {"order": "b", "amount": "much"}


def test_only_what_failed_is_reported(worker, dynamodb):
    assert reported(worker.handler(event(GOOD, BAD, GOOD | {"order": "c"}), None)) == ["m1"]
    assert attribute(dynamodb, "order#a", "amount") == {"N": "5"}
    assert attribute(dynamodb, "order#c", "times") == {"N": "1"}
    assert attribute(dynamodb, "order#b", "times") is None


def test_nothing_is_reported_of_a_good_batch(worker):
    assert reported(worker.handler(event(GOOD), None)) == []


def test_an_order_that_is_booked_again_keeps_its_amount(worker, dynamodb):
    for _ in range(2):
        worker.handler(event(GOOD), None)
    assert attribute(dynamodb, "order#a", "amount") == {"N": "5"}
    assert attribute(dynamodb, "order#a", "times") == {"N": "2"}


def test_an_order_waits_for_its_customer(worker, dynamodb):
    waiting = event(GOOD | {"customer": "ada"}, GOOD | {"order": "c"})
    assert reported(worker.handler(waiting, None)) == ["m0"]
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": "customer#ada"}})
    assert reported(worker.handler(waiting, None)) == []


def test_a_line_stops_at_its_first_failure(worker, dynamodb):
    line = [order | {"line": "x"} for order in (GOOD, BAD, GOOD | {"order": "c"})]
    assert reported(worker.fifo_handler(event(*line), None)) == ["m1", "m2"]
    assert attribute(dynamodb, "line#x", "orders") == {"L": [{"S": "a"}]}
