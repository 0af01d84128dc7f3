"""The log of a running engine says which request carried a watched text."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config

from cloudkata.checking.requests import requests, watching
from cloudkata.engine.process import Engine

SECRET = "Correct-horse-7"


@pytest.fixture(scope="module")
def engine():
    with Engine.start(behaviours=[]) as running:
        yield running


@pytest.fixture
def key(engine):
    return engine.issue("checks")


@pytest.fixture
def sqs(engine, key):
    client = boto3.client(
        "sqs",
        region_name="us-east-1",
        endpoint_url=engine.endpoint,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        config=Config(retries={"max_attempts": 0}),
    )
    yield client
    client.close()


def test_only_what_is_sent_meanwhile_is_seen_and_only_the_carrier_is_marked(engine, key, sqs):
    sqs.create_queue(QueueName=SECRET)
    with watching(engine, key.account, {"password": SECRET}) as seen:
        sqs.list_queues()
        sqs.create_queue(QueueName=f"x{SECRET}")
    sqs.create_queue(QueueName=f"y{SECRET}")
    assert [(found.operation, found.carried) for found in seen] == [("ListQueues", ()), ("CreateQueue", ("password",))]


def test_two_who_watch_do_not_meet(engine, key, sqs):
    with (
        watching(engine, key.account, {"one": SECRET}) as first,
        watching(engine, key.account, {"two": SECRET}) as second,
    ):
        sqs.create_queue(QueueName=SECRET)
    assert [found.carried for found in first] == [("one",)]
    assert [found.carried for found in second] == [("two",)]


def test_the_log_of_an_account_is_its_own(engine, key, sqs):
    sqs.list_queues()
    other = engine.issue("checks")
    assert [found.key_set for found in requests(engine, key.account)] == ["checks"]
    assert requests(engine, other.account) == []
