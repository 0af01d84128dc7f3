"""The authorizer functions and what they know of tokens, with a key of their own."""

import base64
import importlib
import json
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ROOT = Path(__file__).parents[1]
ISSUER, CLIENT_ID = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool", "client"
ARN = "arn:aws:execute-api:us-east-1:123456789012:abc123/v1/GET/token"
MODULES = ("signatures", "tokens", "token_authorizer", "request_authorizer", "api")


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def load(monkeypatch, key):
    """Import a module of app/ anew, with the variables that deploy.py sets."""
    public = key.public_key().public_numbers()
    entry = {"kid": "one", "n": number(public.n), "e": number(public.e)}
    monkeypatch.setenv("KEYS", json.dumps({"keys": [entry]}))
    monkeypatch.setenv("ISSUER", ISSUER)
    monkeypatch.setenv("CLIENT_ID", CLIENT_ID)
    monkeypatch.setattr(sys, "path", [str(ROOT / "app"), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def make(key):
    """An access token with these claims changed, and perhaps another header; None leaves a claim out."""

    def make(header=None, **claims):
        given = {
            "iss": ISSUER,
            "client_id": CLIENT_ID,
            "token_use": "access",
            "username": "ada",
            "exp": int(time.time()) + 60,
        }
        said = {name: value for name, value in (given | claims).items() if value is not None}
        parts = [encoded(json.dumps(part).encode()) for part in (header or {"kid": "one", "alg": "RS256"}, said)]
        signature = key.sign(".".join(parts).encode(), padding.PKCS1v15(), hashes.SHA256())
        return ".".join([*parts, encoded(signature)])

    return make


def test_a_good_token_is_verified(load, make):
    assert load("tokens").verify(make())["username"] == "ada"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": ISSUER + "x"},
        {"client_id": "another"},
        {"token_use": "id"},
        {"exp": int(time.time()) - 1},
        {"header": {"kid": "two", "alg": "RS256"}},
    ],
    ids=["issuer", "client", "kind", "expired", "key"],
)
def test_a_token_that_is_not_for_us_is_refused(load, make, claims):
    with pytest.raises(ValueError, match="not"):
        load("tokens").verify(make(**claims))


def test_a_changed_token_is_refused(load, make):
    head, _, signature = make().split(".")
    body = make(username="mallory").split(".")[1]
    with pytest.raises(ValueError, match="not signed"):
        load("tokens").verify(f"{head}.{body}.{signature}")


@pytest.mark.parametrize("ending", ["", "AAAA"])
def test_a_token_without_its_signature_is_refused(load, make, ending):
    signed = make({"kid": "one", "alg": "none"}).rpartition(".")[0]
    with pytest.raises(ValueError, match="not signed"):
        load("tokens").verify(f"{signed}.{ending}")


@pytest.mark.parametrize(
    ("groups", "role", "verbs"), [(None, "reader", ["GET"]), (["editors"], "editor", ["GET", "POST"])]
)
def test_the_policy_names_all_that_a_caller_may_do(load, make, groups, role, verbs):
    token = make(**{"cognito:groups": groups})
    answer = load("token_authorizer").handler({"authorizationToken": f"Bearer {token}", "methodArn": ARN}, None)
    assert (answer["principalId"], answer["context"]) == ("ada", {"role": role})
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Resource"] == [ARN.replace("GET", verb) for verb in verbs]


def test_a_bad_token_is_unauthorized_in_so_many_words(load):
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        load("token_authorizer").handler({"authorizationToken": "nonsense", "methodArn": ARN}, None)


@pytest.mark.parametrize(("shop", "allowed"), [("north", True), ("south", False)])
def test_a_caller_gets_into_the_own_shop(load, make, shop, allowed):
    headers = {"authorization": make(**{"cognito:groups": ["north"]}), "x-shop": shop}
    answer = load("request_authorizer").handler({"headers": headers}, None)
    assert answer == {"isAuthorized": allowed, "context": {"user": "ada", "shop": shop}}


def test_a_bad_token_gets_into_no_shop(load):
    headers = {"authorization": "nonsense", "x-shop": "north"}
    assert load("request_authorizer").handler({"headers": headers}, None) == {"isAuthorized": False}


def test_the_api_answers_with_what_was_passed_on(load):
    answer = load("api").handler({"requestContext": {"authorizer": {"role": "reader"}}}, None)
    assert json.loads(answer["body"]) == {"authorizer": {"role": "reader"}}
