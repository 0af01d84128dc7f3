"""The owner of an engine can have a user pool sign a token with other claims: one that has ended, for example."""

import time

import boto3
import pytest
from botocore.config import Config

from cloudkata.engine.process import Engine
from cloudkata.engine.remote import EngineError

PASSWORD = "Correct-horse-7"


@pytest.fixture(scope="module")
def engine():
    with Engine.start() as engine:
        yield engine


@pytest.fixture(scope="module")
def idp(engine):
    key = engine.issue("learner")
    return boto3.client(
        "cognito-idp",
        endpoint_url=engine.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        config=Config(retries={"max_attempts": 0}),
    )


@pytest.fixture(scope="module")
def token(idp):
    pool = idp.create_user_pool(PoolName="people")["UserPool"]["Id"]
    client = idp.create_user_pool_client(
        UserPoolId=pool, ClientName="app", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    )["UserPoolClient"]["ClientId"]
    idp.admin_create_user(UserPoolId=pool, Username="ada", MessageAction="SUPPRESS")
    idp.admin_set_user_password(UserPoolId=pool, Username="ada", Password=PASSWORD, Permanent=True)
    given = {"USERNAME": "ada", "PASSWORD": PASSWORD}
    reply = idp.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    return reply["AuthenticationResult"]["AccessToken"]


def test_it_is_as_good_as_the_first_one(engine, idp, token):
    made = engine.resigned(token, {"exp": int(time.time()) + 60})
    assert made != token
    assert idp.get_user(AccessToken=made)["Username"] == "ada"


def test_one_that_has_ended_is_refused(engine, idp, token):
    made = engine.resigned(token, {"exp": int(time.time()) - 1})
    with pytest.raises(idp.exceptions.NotAuthorizedException):
        idp.get_user(AccessToken=made)


def test_a_token_of_no_pool_is_not_signed(engine):
    with pytest.raises(EngineError):
        engine.resigned("e30.e30.e30", {"exp": 1})
