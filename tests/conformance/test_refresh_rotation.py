"""A client with rotation gets a new refresh token each time, and the old one ends."""

import pytest
from identity import make_pool
from support import refusal

pytestmark = [
    pytest.mark.behaviour("refresh_rotation"),
    pytest.mark.not_localstack("LocalStack 4.14 has no Cognito without a token"),
]


def rotating(aws, grace: int = 0):
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    setting = {"Feature": "ENABLED", "RetryGracePeriodSeconds": grace}
    pool = make_pool(aws, client={"ExplicitAuthFlows": flows, "RefreshTokenRotation": setting})
    pool.user()
    return pool


def refresh(pool, token: str) -> dict:
    return pool.idp.get_tokens_from_refresh_token(ClientId=pool.client_id, RefreshToken=token)["AuthenticationResult"]


def test_a_refresh_brings_new_tokens_and_a_new_refresh_token(aws):
    pool = rotating(aws)
    first = pool.sign_in()["RefreshToken"]
    second = refresh(pool, first)
    assert second.get("RefreshToken") not in (None, first)
    assert second["AccessToken"] and second["IdToken"]
    assert refresh(pool, second["RefreshToken"])["RefreshToken"] not in (first, second["RefreshToken"])


def test_a_used_token_is_refused(aws):
    pool = rotating(aws)
    token = pool.sign_in()["RefreshToken"]
    refresh(pool, token)
    assert refusal(lambda: _operation(pool, token))[0] == "RefreshTokenReuseException"


def test_a_used_token_works_for_its_grace_period_and_no_longer(clocked):
    pool = rotating(clocked.account, 60)
    token = pool.sign_in()["RefreshToken"]
    refresh(pool, token)
    assert refusal(lambda: _operation(pool, token)) == ("", 200)
    clocked.engine.advance(61)
    assert refusal(lambda: _operation(pool, token))[0] == "RefreshTokenReuseException"


def _operation(pool, token):
    return pool.idp.get_tokens_from_refresh_token(ClientId=pool.client_id, RefreshToken=token)


def test_the_flow_is_not_for_a_client_that_rotates(aws):
    pool = rotating(aws)
    given = {"REFRESH_TOKEN": pool.sign_in()["RefreshToken"]}
    code, _ = refusal(
        lambda: pool.idp.initiate_auth(ClientId=pool.client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=given)
    )
    assert code in ("InvalidParameterException", "NotAuthorizedException")


@pytest.mark.ministack
def test_without_rotation_a_refresh_token_stays(aws):
    pool = make_pool(aws)
    pool.user()
    token = pool.sign_in()["RefreshToken"]
    assert "RefreshToken" not in refresh(pool, token)
    assert refresh(pool, token)["AccessToken"]


def test_the_setting_is_kept_and_shown(aws):
    pool = rotating(aws, 30)
    shown = pool.idp.describe_user_pool_client(UserPoolId=pool.id, ClientId=pool.client_id)["UserPoolClient"]
    assert shown.get("RefreshTokenRotation") == {"Feature": "ENABLED", "RetryGracePeriodSeconds": 30}


def test_a_grace_period_of_more_than_a_minute_is_refused(aws):
    setting = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 61}
    pool = make_pool(aws)
    make = lambda: pool.idp.create_user_pool_client(  # noqa: E731
        UserPoolId=pool.id, ClientName="other", RefreshTokenRotation=setting
    )
    assert refusal(make)[0] == "InvalidParameterException"
