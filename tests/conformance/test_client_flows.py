"""An app client has the flows that it was given, and no others."""

import pytest
from identity import PASSWORD, make_pool
from support import refusal

pytestmark = [
    pytest.mark.behaviour("client_flows"),
    pytest.mark.not_localstack("LocalStack 4.14 has no Cognito without a token"),
]


def initiate(pool, flow: str, **given: str) -> tuple[str, int]:
    return refusal(lambda: pool.idp.initiate_auth(ClientId=pool.client_id, AuthFlow=flow, AuthParameters=given))


def another(pool, *flows: str):
    """A client of the same pool with other flows."""
    more = {"ExplicitAuthFlows": list(flows)} if flows else {}
    made = pool.idp.create_user_pool_client(UserPoolId=pool.id, ClientName="other", **more)
    return type(pool)(pool.aws, pool.id, made["UserPoolClient"]["ClientId"])


def refresh_token(pool) -> str:
    return pool.sign_in()["RefreshToken"]


def test_refresh_is_a_flow_like_the_others(aws):
    pool = make_pool(aws, client={"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]})
    pool.user()
    token = refresh_token(pool)
    assert initiate(pool, "REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)[0] == "InvalidParameterException"
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    pool.idp.update_user_pool_client(UserPoolId=pool.id, ClientId=pool.client_id, ExplicitAuthFlows=flows)
    assert initiate(pool, "REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token) == ("", 200)


def test_a_client_without_a_list_has_srp_and_no_password_flow(aws):
    pool = make_pool(aws)
    pool.user()
    default = another(pool)
    given = {"USERNAME": "ada", "PASSWORD": PASSWORD}
    assert initiate(default, "USER_PASSWORD_AUTH", **given)[0] == "InvalidParameterException"
    assert initiate(default, "USER_SRP_AUTH", USERNAME="ada", SRP_A="ab" * 100) == ("", 200)


@pytest.mark.ministack
def test_a_password_flow_that_the_client_does_not_have_is_refused(aws):
    pool = make_pool(aws)
    pool.user()
    srp = another(pool, "ALLOW_USER_SRP_AUTH")
    given = {"USERNAME": "ada", "PASSWORD": PASSWORD}
    assert initiate(srp, "USER_PASSWORD_AUTH", **given)[0] == "InvalidParameterException"
    assert initiate(pool, "USER_PASSWORD_AUTH", **given) == ("", 200)


def test_names_of_before_do_not_mix(aws):
    pool = make_pool(aws)
    make = lambda *flows: pool.idp.create_user_pool_client(  # noqa: E731
        UserPoolId=pool.id, ClientName="other", ExplicitAuthFlows=list(flows)
    )
    assert refusal(lambda: make("ADMIN_NO_SRP_AUTH")) == ("", 200)
    assert refusal(lambda: make("ALLOW_USER_SRP_AUTH", "ADMIN_NO_SRP_AUTH"))[0] == "InvalidParameterException"
