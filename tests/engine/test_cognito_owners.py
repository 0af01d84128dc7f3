"""Cognito's public operations work through the front door, in the account that owns what they name."""

from __future__ import annotations

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from cloudkata.engine.process import Engine
from cloudkata.engine.remote import IssuedKey

PASSWORD = "Correct-horse-7"
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


@pytest.fixture(scope="module")
def engine():
    with Engine.start(behaviours=[]) as running:
        yield running


class Owner:
    """One account of the engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.key: IssuedKey = engine.issue("learner")
        self._clients: list = []

    def client(self, service: str):
        made = boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=self.engine.endpoint,
            aws_access_key_id=self.key.access_key_id,
            aws_secret_access_key=self.key.secret_access_key,
            config=Config(retries={"max_attempts": 0}),
        )
        self._clients.append(made)
        return made

    def pool(self) -> tuple[str, str]:
        """(a user pool with the user ada, its app client)."""
        idp = self.client("cognito-idp")
        pool = idp.create_user_pool(PoolName="people")["UserPool"]["Id"]
        made = idp.create_user_pool_client(UserPoolId=pool, ClientName="app", ExplicitAuthFlows=FLOWS)
        idp.admin_create_user(UserPoolId=pool, Username="ada", MessageAction="SUPPRESS")
        idp.admin_set_user_password(UserPoolId=pool, Username="ada", Password=PASSWORD, Permanent=True)
        return pool, made["UserPoolClient"]["ClientId"]

    def sign_in(self, client_id: str) -> dict:
        return self.client("cognito-idp").initiate_auth(
            ClientId=client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "ada", "PASSWORD": PASSWORD},
        )["AuthenticationResult"]

    def logged(self) -> list[tuple[str, str]]:
        entries = self.engine.requests(0, self.key.account)["entries"]
        return [(entry["operation"], entry["key_set"]) for entry in entries]

    def close(self) -> None:
        for client in self._clients:
            client.close()


@pytest.fixture
def owner(engine):
    made = Owner(engine)
    yield made
    made.close()


@pytest.fixture
def stranger(engine):
    made = Owner(engine)
    yield made
    made.close()


def code(call) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"]


def test_a_client_id_leads_to_its_pool_and_account(owner):
    _, client_id = owner.pool()
    assert owner.sign_in(client_id)["AccessToken"]
    assert owner.logged()[-1] == ("InitiateAuth", "unsigned")


def test_an_access_token_leads_to_its_pool_and_account(owner):
    _, client_id = owner.pool()
    idp = owner.client("cognito-idp")
    assert idp.get_user(AccessToken=owner.sign_in(client_id)["AccessToken"])["Username"] == "ada"
    assert owner.logged()[-1] == ("GetUser", "unsigned")


def test_whoever_calls_it_is_the_owners_account_that_counts(owner, stranger):
    _, client_id = owner.pool()
    assert stranger.sign_in(client_id)["AccessToken"]
    assert owner.logged()[-1] == ("InitiateAuth", "unsigned")
    assert stranger.logged() == []


def test_an_identity_pool_leads_to_its_account_and_so_do_its_identities(owner):
    identities = owner.client("cognito-identity")
    pool = identities.create_identity_pool(IdentityPoolName="people", AllowUnauthenticatedIdentities=True)
    identity = identities.get_id(IdentityPoolId=pool["IdentityPoolId"])["IdentityId"]
    identities.get_credentials_for_identity(IdentityId=identity)
    assert [entry for entry in owner.logged() if entry[1] == "unsigned"] == [
        ("GetId", "unsigned"),
        ("GetCredentialsForIdentity", "unsigned"),
    ]


def test_credentials_of_an_identity_are_valid_in_its_account(owner):
    identities = owner.client("cognito-identity")
    pool = identities.create_identity_pool(IdentityPoolName="people", AllowUnauthenticatedIdentities=True)
    identity = identities.get_id(IdentityPoolId=pool["IdentityPoolId"])["IdentityId"]
    keys = identities.get_credentials_for_identity(IdentityId=identity)["Credentials"]
    sts = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=owner.engine.endpoint,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert sts.get_caller_identity()["Account"] == owner.key.account
    sts.close()
    assert owner.logged()[-1][1] == "derived"


def test_an_id_that_nobody_has_leads_nowhere(owner):
    assert code(lambda: owner.sign_in("a" * 26)) == "ResourceNotFoundException"
    assert owner.logged() == []


def test_an_operation_that_needs_a_key_is_not_served_without_one(owner):
    pool, _ = owner.pool()
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 0})
    bare = boto3.client("cognito-idp", region_name="us-east-1", endpoint_url=owner.engine.endpoint, config=config)
    assert code(lambda: bare.list_users(UserPoolId=pool)).startswith("MissingAuthenticationToken")
    bare.close()
