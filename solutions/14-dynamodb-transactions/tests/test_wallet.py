"""The wallet on moto: what it answers, and what it does when DynamoDB says that others are in its way."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

ROOT = Path(__file__).parents[1]
TABLE = "wallet"


def load(name):
    spec = importlib.util.spec_from_file_location(f"lab14_{name}", ROOT / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def lab(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        made = SimpleNamespace(
            outputs={},
            name=lambda base: base,
            client=lambda service, **options: boto3.client(service, region_name="us-east-1", **options),
        )
        load("deploy").deploy(made)
        yield made


@pytest.fixture
def wallet(monkeypatch):
    module = load("wallet")
    monkeypatch.setattr(module, "PAUSES", (0, 0, 0))
    return module


def item(lab, key):
    found = lab.client("dynamodb").get_item(TableName=TABLE, Key={"pk": {"S": key}}).get("Item", {})
    return {name: int(value["N"]) for name, value in found.items() if "N" in value}


def balances(lab, *owners):
    return [item(lab, f"account#{owner}").get("balance") for owner in owners]


def canceled(*codes):
    reasons = [{"Code": code} for code in codes]
    return ClientError({"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}, "any")


class Answers:
    """An operation that raises or returns one after the other, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, **request):
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_an_account_is_opened_once(lab, wallet):
    assert wallet.open_account(lab, "ada", 5) == wallet.DONE
    assert not wallet.open_account(lab, "ada", 7)["ok"]
    assert item(lab, "account#ada") == {"balance": 5, "version": 1}


def test_visits_are_counted_from_the_first_one(lab, wallet):
    for _ in range(3):
        assert wallet.visits(lab, "home")["ok"]
    assert item(lab, "page#home") == {"visits": 3}


def test_a_deposit_needs_an_account(lab, wallet):
    assert not wallet.deposit(lab, "ada", 5)["ok"]
    assert item(lab, "account#ada") == {}
    wallet.open_account(lab, "ada", 5)
    assert wallet.deposit(lab, "ada", 2)["ok"]
    assert balances(lab, "ada") == [7]


def test_a_limit_needs_the_current_version(lab, wallet):
    wallet.open_account(lab, "ada", 5)
    assert wallet.set_limit(lab, "ada", 50, 1)["ok"]
    assert not wallet.set_limit(lab, "ada", 60, 1)["ok"]
    assert wallet.set_limit(lab, "ada", 70, 2)["ok"]
    assert item(lab, "account#ada") == {"balance": 5, "version": 3, "spend_limit": 70}


def test_a_limit_needs_an_account(lab, wallet):
    assert not wallet.set_limit(lab, "ada", 50, 1)["ok"]
    assert item(lab, "account#ada") == {}


def test_a_transfer_moves_money(lab, wallet):
    wallet.open_account(lab, "ada", 5)
    wallet.open_account(lab, "bob", 0)
    assert wallet.transfer(lab, "ada", "bob", 5, "r1") == wallet.DONE
    assert balances(lab, "ada", "bob") == [0, 5]


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("ada", "bob", "the source is too poor"),
        ("nobody", "bob", "the source is missing"),
        ("bob", "nobody", "the target is missing"),
    ],
)
def test_a_refused_transfer_says_why_and_changes_nothing(lab, wallet, source, target, reason):
    wallet.open_account(lab, "ada", 5)
    wallet.open_account(lab, "bob", 50)
    assert wallet.transfer(lab, source, target, 6, "r1") == wallet.refused(reason)
    assert balances(lab, "ada", "bob", "nobody") == [5, 50, None]


def test_the_request_id_is_the_token(lab, wallet):
    dynamodb = lab.client("dynamodb")
    lab.client = lambda service: dynamodb
    dynamodb.transact_write_items = Answers({})
    assert wallet.transfer(lab, "ada", "bob", 5, "r1") == wallet.DONE
    assert [request["ClientRequestToken"] for request in dynamodb.transact_write_items.asked] == ["r1"]


def test_a_token_of_another_transfer_is_refused(lab, wallet):
    dynamodb = lab.client("dynamodb")
    lab.client = lambda service: dynamodb
    mismatch = dynamodb.exceptions.IdempotentParameterMismatchException
    error = mismatch({"Error": {"Code": "IdempotentParameterMismatchException"}}, "TransactWriteItems")
    dynamodb.transact_write_items = Answers(error)
    assert not wallet.transfer(lab, "ada", "bob", 5, "r1")["ok"]


@pytest.mark.parametrize(
    "busy",
    [
        canceled("None", "TransactionConflict"),
        canceled("ThrottlingError", "TransactionConflict"),
        ClientError({"Error": {"Code": "TransactionInProgressException"}}, "any"),
        ClientError({"Error": {"Code": "TransactionConflictException"}}, "any"),
    ],
    ids=["conflict", "throttled", "still running", "plain write in the way"],
)
def test_the_same_request_is_sent_again_while_others_are_in_the_way(wallet, busy):
    operation = Answers(busy, busy, {"done": 1})
    assert wallet.write(operation, ClientRequestToken="r1", TransactItems=["take", "give"]) == {"done": 1}
    assert operation.asked == [{"ClientRequestToken": "r1", "TransactItems": ["take", "give"]}] * 3


def test_a_failed_condition_is_not_tried_again(wallet):
    operation = Answers(canceled("ConditionalCheckFailed", "TransactionConflict"), {})
    with pytest.raises(ClientError):
        wallet.write(operation)
    assert len(operation.asked) == 1


def test_it_gives_up_after_some_tries_and_names_no_side(wallet):
    operation = Answers(*[canceled("TransactionConflict", "None")] * 4)
    with pytest.raises(ClientError) as caught:
        wallet.write(operation)
    assert len(operation.asked) == 4
    reason = wallet.which_side(*caught.value.response["CancellationReasons"])
    assert "source" not in reason and "target" not in reason
