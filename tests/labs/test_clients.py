"""What `lab.client` hands out."""

import pytest
from botocore.config import Config

from kata_lab import Lab


@pytest.fixture
def lab(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    return Lab(folder=".", prefix="kata14-0000", region="us-east-1", account="000000000000", poll=0.05)


def test_the_same_options_give_the_same_client(lab):
    once = Config(retries={"total_max_attempts": 1})
    assert lab.client("dynamodb") is lab.client("dynamodb")
    assert lab.client("dynamodb", config=once) is lab.client("dynamodb", config=once)


def test_other_options_give_another_client(lab):
    assert lab.client("dynamodb") is not lab.client("dynamodb", config=Config())
    assert lab.client("dynamodb") is not lab.client("sqs")


def test_a_waiter_polls_as_the_target_says_for_as_long_as_before(lab):
    waiter = lab.client("dynamodb").get_waiter("table_exists")
    assert waiter.config.delay == 0.05
    assert waiter.config.delay * waiter.config.max_attempts == 20 * 25
    again = lab.client("dynamodb").get_waiter("table_exists")
    assert again.config.max_attempts == waiter.config.max_attempts
