"""Triggers of a user pool are called around sign-up, confirmation and sign-in, and what they answer takes effect."""

import pytest
from identity import PASSWORD, events, make_pool, trigger
from support import message, refusal

pytestmark = [
    pytest.mark.behaviour("cognito_triggers"),
    pytest.mark.not_localstack("LocalStack 4.14 has no Cognito without a token"),
]


def sources(aws) -> list[str]:
    return [event["triggerSource"] for event in events(aws)]


def status(pool, name="ada") -> str:
    return pool.idp.admin_get_user(UserPoolId=pool.id, Username=name)["UserStatus"]


def test_pre_sign_up_is_given_what_the_client_sent(aws):
    pool = make_pool(aws, {"PreSignUp": trigger(aws, "event['response']['autoConfirmUser'] = True")})
    pool.sign_up(ValidationData=[{"Name": "code", "Value": "7"}], ClientMetadata={"from": "app"})
    request = events(aws)[0]["request"]
    assert (request["validationData"], request.get("clientMetadata")) == ({"code": "7"}, {"from": "app"})


def test_pre_sign_up_refuses_with_the_message_of_its_exception(aws):
    pool = make_pool(aws, {"PreSignUp": trigger(aws, "raise ValueError('not from there')")})
    assert refusal(pool.sign_up) == ("UserLambdaValidationException", 400)
    assert message(pool.sign_up) == "PreSignUp failed with error not from there."


def test_a_trigger_that_does_not_return_the_event_is_an_invalid_answer(aws):
    pool = make_pool(aws, {"PreSignUp": trigger(aws, "return None")})
    assert refusal(pool.sign_up) == ("InvalidLambdaResponseException", 400)


def test_a_trigger_needs_the_functions_permission(aws):
    function = trigger(aws, "event['response']['autoConfirmUser'] = True", permitted=False)
    pool = make_pool(aws, {"PreSignUp": function})
    assert refusal(pool.sign_up) == ("UnexpectedLambdaException", 400)
    assert events(aws) == []


@pytest.mark.ministack
def test_a_permission_may_name_the_pool(aws):
    pool = make_pool(aws)
    function = trigger(aws, "event['response']['autoConfirmUser'] = True", permitted=False)
    pool.idp.update_user_pool(UserPoolId=pool.id, LambdaConfig={"PreSignUp": function})
    aws.lambda_.add_permission(
        FunctionName="trigger",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="cognito-idp.amazonaws.com",
        SourceArn=pool.idp.describe_user_pool(UserPoolId=pool.id)["UserPool"]["Arn"],
    )
    assert pool.sign_up()["UserConfirmed"]


def test_a_permission_for_another_pool_is_none(aws):
    function = trigger(aws, "event['response']['autoConfirmUser'] = True", permitted=False)
    pool = make_pool(aws, {"PreSignUp": function})
    aws.lambda_.add_permission(
        FunctionName="trigger",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="cognito-idp.amazonaws.com",
        SourceArn=f"arn:aws:cognito-idp:us-east-1:{aws.number}:userpool/us-east-1_Another",
    )
    assert refusal(pool.sign_up) == ("UnexpectedLambdaException", 400)


def test_pre_sign_up_is_called_for_a_user_that_an_administrator_makes(aws):
    pool = make_pool(aws, {"PreSignUp": trigger(aws, "event['response']['autoVerifyEmail'] = True")})
    pool.user("ada", email="ada@example.com")
    assert sources(aws) == ["PreSignUp_AdminCreateUser"]
    found = pool.idp.admin_get_user(UserPoolId=pool.id, Username="ada")["UserAttributes"]
    assert {"Name": "email_verified", "Value": "true"} in found


def test_post_confirmation_follows_a_confirmation(aws):
    pool = make_pool(aws, {"PostConfirmation": trigger(aws, "pass")})
    pool.sign_up()
    pool.idp.admin_confirm_sign_up(UserPoolId=pool.id, Username="ada")
    assert sources(aws) == ["PostConfirmation_ConfirmSignUp"]
    assert events(aws)[0]["request"]["userAttributes"]["email"] == "ada@example.com"


def test_post_confirmation_follows_a_sign_up_that_was_confirmed_at_once(aws):
    function = trigger(
        aws, "if 'autoConfirmUser' in event['response']:\n    event['response']['autoConfirmUser'] = True"
    )
    pool = make_pool(aws, {"PreSignUp": function, "PostConfirmation": function})
    pool.sign_up()
    assert sources(aws) == ["PreSignUp_SignUp", "PostConfirmation_ConfirmSignUp"]


def test_a_failing_post_confirmation_is_reported_and_the_user_is_confirmed(aws):
    pool = make_pool(aws, {"PostConfirmation": trigger(aws, "raise ValueError('mail is down')")})
    pool.sign_up()
    confirm = lambda: pool.idp.admin_confirm_sign_up(UserPoolId=pool.id, Username="ada")  # noqa: E731
    assert refusal(confirm) == ("UserLambdaValidationException", 400)
    assert status(pool) == "CONFIRMED"


def test_pre_authentication_refuses_a_right_password(aws):
    body = "if event['request']['validationData'] != {'device': 'known'}:\n    raise ValueError('unknown device')"
    pool = make_pool(aws, {"PreAuthentication": trigger(aws, body)})
    pool.user()
    assert refusal(pool.initiate) == ("UserLambdaValidationException", 400)
    assert pool.sign_in(ClientMetadata={"device": "known"})["AccessToken"]


def test_pre_authentication_comes_before_the_password_is_looked_at(aws):
    pool = make_pool(aws, {"PreAuthentication": trigger(aws, "pass")})
    pool.user()
    assert refusal(lambda: pool.initiate(password="Wrong-horse-7"))[0] == "NotAuthorizedException"
    assert sources(aws) == ["PreAuthentication_Authentication"]


@pytest.mark.parametrize(("setting", "calls"), [("ENABLED", [True]), ("LEGACY", [])])
def test_pre_authentication_for_nobody_only_where_the_client_hides_who_exists(aws, setting, calls):
    function = trigger(aws, "pass")
    pool = make_pool(
        aws, {"PreAuthentication": function, "PostConfirmation": function}, {"PreventUserExistenceErrors": setting}
    )
    pool.sign_up("witness")
    pool.idp.admin_confirm_sign_up(UserPoolId=pool.id, Username="witness")
    refusal(lambda: pool.initiate("nobody"))
    found = [event["request"].get("userNotFound") for event in events(aws)]
    assert found == [None, *calls]


def test_post_authentication_follows_a_sign_in_and_no_refresh(aws):
    pool = make_pool(aws, {"PostAuthentication": trigger(aws, "pass")})
    pool.user()
    tokens = pool.sign_in()
    refresh = {"REFRESH_TOKEN": tokens["RefreshToken"]}
    pool.idp.initiate_auth(ClientId=pool.client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=refresh)
    refusal(lambda: pool.initiate(password="Wrong-horse-7"))
    assert sources(aws) == ["PostAuthentication_Authentication"]


def test_post_authentication_keeps_the_tokens_back(aws):
    pool = make_pool(aws, {"PostAuthentication": trigger(aws, "raise ValueError('blocked')")})
    pool.user()
    assert refusal(pool.initiate) == ("UserLambdaValidationException", 400)


MIGRATES = """
if event['request']['password'] == 'Correct-horse-7':
    event['response']['userAttributes'] = {'email': event['userName'] + '@old.example', 'email_verified': 'true'}
    event['response']['finalUserStatus'] = 'CONFIRMED'
    event['response']['messageAction'] = 'SUPPRESS'
"""


def test_a_user_that_is_not_there_is_migrated_with_the_password(aws):
    pool = make_pool(aws, {"UserMigration": trigger(aws, MIGRATES)})
    assert refusal(lambda: pool.initiate("bob")) == ("", 200)
    assert status(pool, "bob") == "CONFIRMED"
    pool.sign_in("bob")
    assert sources(aws) == ["UserMigration_Authentication"], "once migrated, the user is the pool's"


def test_a_migrated_user_resets_the_password_unless_told_otherwise(aws):
    body = "event['response']['userAttributes'] = {'email': 'bob@old.example'}"
    pool = make_pool(aws, {"UserMigration": trigger(aws, body)})
    assert refusal(lambda: pool.initiate("bob"))[0] == "PasswordResetRequiredException"


def test_a_migration_that_fails_makes_no_user(aws):
    pool = make_pool(aws, {"UserMigration": trigger(aws, MIGRATES)})
    code, _ = refusal(lambda: pool.initiate("bob", "Wrong-horse-7"))
    assert code in ("UserNotFoundException", "NotAuthorizedException")
    assert sources(aws) == ["UserMigration_Authentication"]
    assert pool.idp.list_users(UserPoolId=pool.id)["Users"] == []


def test_a_forgotten_password_migrates(aws):
    body = "event['response']['userAttributes'] = {'email': 'bob@old.example', 'email_verified': 'true'}"
    pool = make_pool(aws, {"UserMigration": trigger(aws, body)})
    assert refusal(lambda: pool.idp.forgot_password(ClientId=pool.client_id, Username="bob")) == ("", 200)
    assert sources(aws) == ["UserMigration_ForgotPassword"]


@pytest.mark.ministack
def test_without_triggers_nobody_is_called_and_all_goes_on(aws):
    pool = make_pool(aws)
    pool.user()
    given = {"USERNAME": "ada", "PASSWORD": PASSWORD}
    tokens = pool.idp.admin_initiate_auth(
        UserPoolId=pool.id, ClientId=pool.client_id, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters=given
    )
    assert tokens["AuthenticationResult"]["AccessToken"]
