"""Public operations of Cognito work in the account that owns the pool they name."""

import pytest
from identity import PASSWORD, make_pool
from support import refusal

pytestmark = [
    pytest.mark.behaviour("cognito_accounts"),
    pytest.mark.not_localstack("LocalStack 4.14 has no Cognito without a token"),
]


def test_a_client_id_leads_to_its_pool(aws):
    pool = make_pool(aws)
    pool.user("ada")
    assert refusal(pool.initiate) == ("", 200)


@pytest.mark.ministack
def test_an_access_token_leads_to_its_pool(aws):
    pool = make_pool(aws)
    given = {"USERNAME": pool.user("ada"), "PASSWORD": PASSWORD}
    tokens = pool.idp.admin_initiate_auth(
        UserPoolId=pool.id, ClientId=pool.client_id, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters=given
    )["AuthenticationResult"]
    assert refusal(lambda: pool.idp.get_user(AccessToken=tokens["AccessToken"])) == ("", 200)


def test_an_identity_pool_leads_to_its_account(aws):
    identities = aws.client("cognito-identity")
    pool = identities.create_identity_pool(IdentityPoolName="people", AllowUnauthenticatedIdentities=True)
    assert refusal(lambda: identities.get_id(IdentityPoolId=pool["IdentityPoolId"])) == ("", 200)


@pytest.mark.ministack
def test_an_id_that_nobody_has_leads_nowhere(aws):
    idp = aws.client("cognito-idp")
    asked = {"ClientId": "a" * 26, "AuthFlow": "USER_PASSWORD_AUTH"}
    given = {"USERNAME": "ada", "PASSWORD": PASSWORD}
    assert refusal(lambda: idp.initiate_auth(**asked, AuthParameters=given))[0] == "ResourceNotFoundException"
