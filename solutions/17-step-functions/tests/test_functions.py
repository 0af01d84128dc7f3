"""The functions on moto, each as the workflow calls it, and what their errors are called."""

import importlib.util
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

APP = Path(__file__).parents[1] / "app"
ORDER = {"orderId": "o-1", "customer": "Ada", "address": "1 Main street", "card": "card-1", "amount": 250}


def load(name):
    spec = importlib.util.spec_from_file_location(f"lab17_{name}", APP / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def table(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("ORDERS_TABLE", "orders")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        made = boto3.resource("dynamodb").create_table(
            TableName="orders",
            KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "orderId", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield made


def test_a_charge_answers_with_the_amount(table):
    assert load("payments").charge(ORDER, None) == {"charged": 250}


def test_the_bank_does_not_answer_as_often_as_the_item_says(table):
    payments = load("payments")
    table.put_item(Item={"orderId": "o-1", "unavailable": 2})
    for _ in range(2):
        with pytest.raises(payments.PaymentUnavailable):
            payments.charge(ORDER, None)
    assert payments.charge(ORDER, None) == {"charged": 250}
    assert table.get_item(Key={"orderId": "o-1"})["Item"]["unavailable"] == 0


def test_a_declined_card_is_declined_whatever_the_bank_does(table):
    payments = load("payments")
    table.put_item(Item={"orderId": "o-1", "unavailable": 2})
    with pytest.raises(payments.CardDeclined, match="declined-7"):
        payments.charge({**ORDER, "card": "declined-7"}, None)
    assert table.get_item(Key={"orderId": "o-1"})["Item"]["unavailable"] == 2


def test_a_refund_answers_with_the_amount(table):
    assert load("payments").refund(ORDER, None) == {"refunded": 250}


def test_the_warehouse_knows_one_item_at_a_time(monkeypatch):
    warehouse = load("warehouse")
    monkeypatch.setattr(warehouse, "SECONDS", 0)
    assert warehouse.reserve({"sku": "a", "quantity": 1}, None) == {"reserved": "a"}
    with pytest.raises(warehouse.OutOfStock, match="gone-b"):
        warehouse.reserve({"sku": "gone-b", "quantity": 1}, None)
    assert warehouse.release(ORDER, None) == {"released": "o-1"}


def test_the_courier_does_not_go_everywhere():
    courier = load("courier")
    assert courier.ship(ORDER, None) == {"shipped": "o-1"}
    with pytest.raises(courier.NoCourier, match="nowhere-9"):
        courier.ship({**ORDER, "address": "nowhere-9"}, None)
