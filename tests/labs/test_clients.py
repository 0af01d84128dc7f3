"""What `lab.client` hands out."""

import pytest
from botocore.config import Config

from kata_lab import Lab, real_account


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


NOT_KNOWN_YET = [
    ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."),
    (
        "InvalidParameterValueException",
        "The function execution role does not have permissions to call ReceiveMessage on SQS",
    ),
    (
        "AccessDeniedException",
        "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the "
        "provided role.",
    ),
    (
        "InvalidLambdaFunctionAssociation",
        "The function execution role must be assumable with edgelambda.amazonaws.com as well as lambda.amazonaws.com",
    ),
]
OTHERS = [
    ("AccessDeniedException", "User: a is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/r"),
    ("InvalidParameterValueException", "Uploaded file must be a non-empty zip"),
    ("ThrottlingException", "The role defined for the function cannot be assumed by Lambda."),
]


@pytest.mark.parametrize(("code", "message"), NOT_KNOWN_YET + OTHERS)
def test_only_a_role_that_is_not_known_yet_is_tried_again(code, message):
    wait = real_account._patient(30.0)
    answer = (None, {"Error": {"Code": code, "Message": message}})
    assert (wait(answer, {"context": {}}) is not None) == ((code, message) in NOT_KNOWN_YET)


def test_a_role_is_not_waited_for_for_ever():
    (code, message), asked = NOT_KNOWN_YET[0], {"context": {}}
    assert real_account._patient(0.0)((None, {"Error": {"Code": code, "Message": message}}), asked) is None


def test_an_answer_without_an_error_is_not_asked_for_again():
    assert real_account._patient(30.0)((None, {}), {"context": {}}) is None
    assert real_account._patient(30.0)(None, {"context": {}}) is None


def test_an_api_is_at_aws_where_the_relay_is_only_the_way_out(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:8443")
    given = {"folder": ".", "prefix": "kata10-0000", "region": "us-east-1", "account": "000000000000", "poll": 0.0}
    assert Lab(**given, door="").api_url("abc", "prod") == "https://abc.execute-api.us-east-1.amazonaws.com/prod"
    played = Lab(**given, door="http://127.0.0.1:4566")
    assert played.api_url("abc") == "http://127.0.0.1:4566/_aws/execute-api/abc"
