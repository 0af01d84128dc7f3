"""What a token trigger answers stands in the tokens, and groups bring their roles."""

import pytest
from identity import claims, events, make_pool, trigger
from support import message, refusal

pytestmark = [
    pytest.mark.behaviour("cognito_tokens"),
    pytest.mark.not_localstack("LocalStack 4.14 has no Cognito without a token"),
]

NEWER = """
event['response']['claimsAndScopeOverrideDetails'] = {
    'idTokenGeneration': {'claimsToAddOrOverride': {'tier': 'gold', 'sub': 'forged'}, 'claimsToSuppress': ['email']},
    'accessTokenGeneration': {'claimsToAddOrOverride': {'tenant': 't1'}, 'scopesToAdd': ['photos/read']},
    'groupOverrideDetails': {'groupsToOverride': ['a', 'b']},
}
"""


def newer(aws) -> dict:
    return {"PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": trigger(aws, NEWER)}}


def role(aws, name: str) -> str:
    return aws.role(name)


@pytest.mark.ministack
def test_a_first_version_trigger_changes_the_id_token_alone(aws):
    body = "event['response']['claimsOverrideDetails'] = {'claimsToAddOrOverride': {'tier': 'gold'}}"
    pool = make_pool(aws, {"PreTokenGeneration": trigger(aws, body)})
    pool.user()
    tokens = pool.sign_in()
    assert claims(tokens["IdToken"])["tier"] == "gold"
    assert "tier" not in claims(tokens["AccessToken"])


def test_a_newer_trigger_is_called_once_for_both_tokens(aws):
    pool = make_pool(aws, newer(aws))
    pool.user(email="ada@example.com")
    tokens = pool.sign_in()
    assert len(events(aws)) == 1
    access, identity = claims(tokens["AccessToken"]), claims(tokens["IdToken"])
    assert (identity["tier"], access["tenant"]) == ("gold", "t1")
    assert "photos/read" in access["scope"].split()
    assert "email" not in identity


def test_a_newer_trigger_overrides_groups_in_both_tokens(aws):
    pool = make_pool(aws, newer(aws))
    pool.user()
    tokens = pool.sign_in()
    assert [claims(tokens[name]).get("cognito:groups") for name in ("AccessToken", "IdToken")] == [["a", "b"]] * 2


def test_claims_that_are_the_pools_alone_stay(aws):
    pool = make_pool(aws, newer(aws))
    pool.user()
    assert claims(pool.sign_in()["IdToken"])["sub"] != "forged"


def test_a_trigger_that_fails_gives_no_tokens_and_its_message(aws):
    pool = make_pool(aws, {"PreTokenGeneration": trigger(aws, "raise ValueError('no tenant')")})
    pool.user()
    assert refusal(pool.initiate) == ("UserLambdaValidationException", 400)
    assert message(pool.initiate) == "PreTokenGeneration failed with error no tenant."


def test_a_trigger_needs_the_functions_permission(aws):
    pool = make_pool(aws, {"PreTokenGeneration": trigger(aws, "pass", permitted=False)})
    pool.user()
    assert refusal(pool.initiate) == ("UnexpectedLambdaException", 400)


def group(pool, name: str, role_arn: str = "", precedence: int | None = None) -> None:
    more = ({"RoleArn": role_arn} if role_arn else {}) | ({} if precedence is None else {"Precedence": precedence})
    pool.idp.create_group(UserPoolId=pool.id, GroupName=name, **more)


def test_the_roles_of_groups_stand_in_the_id_token_and_the_lowest_precedence_is_preferred(aws):
    pool = make_pool(aws)
    readers, editors = role(aws, "readers"), role(aws, "editors")
    group(pool, "readers", readers, 5)
    group(pool, "editors", editors, 1)
    group(pool, "plain")
    pool.user("ada", "readers", "editors", "plain")
    found = claims(pool.sign_in()["IdToken"])
    assert sorted(found.get("cognito:roles", [])) == sorted([readers, editors])
    assert found["cognito:preferred_role"] == editors


def test_no_role_is_preferred_where_two_of_one_precedence_differ(aws):
    pool = make_pool(aws)
    roles = [role(aws, "readers"), role(aws, "editors")]
    group(pool, "readers", roles[0], 1)
    group(pool, "editors", roles[1], 1)
    pool.user("ada", "readers", "editors")
    found = claims(pool.sign_in()["IdToken"])
    assert sorted(found.get("cognito:roles", [])) == sorted(roles)
    assert "cognito:preferred_role" not in found


def test_a_trigger_is_told_the_groups_and_their_roles(aws):
    pool = make_pool(aws, {"PreTokenGeneration": trigger(aws, "pass")})
    readers = role(aws, "readers")
    group(pool, "readers", readers, 1)
    pool.user("ada", "readers")
    pool.sign_in()
    assert events(aws)[0]["request"]["groupConfiguration"] == {
        "groupsToOverride": ["readers"],
        "iamRolesToOverride": [readers],
        "preferredRole": readers,
    }
