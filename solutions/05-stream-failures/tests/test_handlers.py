"""The two handlers on moto: what they write, and what they answer to a batch with a poison record."""

import base64
import importlib
import json
import sys
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

APP = Path(__file__).parents[1] / "app"
MODULES = ("store", "batch", "projector", "meter")
TABLE = "projection"


@pytest.fixture
def app(monkeypatch):
    """The modules of the functions, loaded as Lambda loads them, with a table to write to."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("TABLE", TABLE)
    monkeypatch.syspath_prepend(str(APP))
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for name in MODULES:
            monkeypatch.delitem(sys.modules, name, raising=False)
        yield {name: importlib.import_module(name) for name in MODULES}
        for name in MODULES:
            sys.modules.pop(name, None)


def item(key):
    found = boto3.resource("dynamodb").Table(TABLE).get_item(Key={"id": key}).get("Item", {})
    return {name: value for name, value in found.items() if name not in ("id", "last_sequence")}


def change(number, order, status="placed", amount=1):
    image = {"id": {"S": order}, "status": {"S": status}, "amount": {"N": str(amount)}}
    return {"dynamodb": {"SequenceNumber": str(number), "NewImage": image, "Keys": {"id": {"S": order}}}}


def reading(number, meter, value):
    data = value if isinstance(value, bytes) else json.dumps({"kwh": value}).encode()
    return {
        "kinesis": {
            "sequenceNumber": str(number),
            "partitionKey": meter,
            "data": base64.b64encode(data).decode(),
        }
    }


def test_statuses_follow_each_other(app):
    records = [change(1, "a"), change(2, "b"), change(3, "a", "paid")]
    assert app["projector"].handler({"Records": records}, None) == {"batchItemFailures": []}
    assert item("a") == {"status": "paid", "history": ["placed", "paid"], "tries": 2}


def test_readings_are_kept_and_added_up(app):
    app["meter"].handler({"Records": [reading(1, "m", 3), reading(2, "m", 4)]}, None)
    assert item("m") == {"readings": [3, 4], "total": 7, "tries": 2}


def test_a_record_that_comes_again_is_only_counted(app):
    records = [reading(1, "m", 3), reading(2, "m", 4)]
    for _ in range(2):
        app["meter"].handler({"Records": records}, None)
    assert item("m") == {"readings": [3, 4], "total": 7, "tries": 4}


def test_longer_numbers_come_later(app):
    app["meter"].handler({"Records": [reading(99, "m", 1), reading(100, "m", 2)]}, None)
    assert item("m")["readings"] == [1, 2]


def test_the_number_that_failed_is_returned_and_nothing_after_it_is_handled(app):
    records = [change(1, "a"), change(2, "bad", amount=-1), change(3, "c")]
    assert app["projector"].handler({"Records": records}, None) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert (item("a")["tries"], item("bad"), item("c")) == (1, {"tries": 1}, {})


@pytest.mark.parametrize("data", [b"\xff", b"{", b"[]", b'"kwh"', b'{"kwh": "many"}', b'{"kwh": null}'])
def test_a_first_record_that_fails_is_raised(app, data):
    with pytest.raises(ValueError, match="m"):
        app["meter"].handler({"Records": [reading(1, "m", data), reading(2, "n", 1)]}, None)
    assert (item("m"), item("n")) == ({"tries": 1}, {})
