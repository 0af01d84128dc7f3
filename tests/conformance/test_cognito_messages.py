"""The CustomMessage trigger writes what is sent."""

import pytest
from identity import make_pool, trigger
from support import refusal

pytestmark = [
    pytest.mark.behaviour("cognito_messages"),
    pytest.mark.not_localstack("LocalStack 4.14 has no Cognito without a token"),
]
WRITES = """
event['response']['emailSubject'] = event['triggerSource']
event['response']['emailMessage'] = 'Your code: ' + event['request']['codeParameter']
"""


def sent(clocked) -> list[tuple[str, str]]:
    return [(mail["subject"], mail["text"]) for mail in clocked.engine.messages(clocked.account.number)]


def test_it_writes_the_message_of_every_operation_that_sends_a_code(clocked):
    aws = clocked.account
    pool = make_pool(aws, {"CustomMessage": trigger(aws, WRITES)}, AutoVerifiedAttributes=["email"])
    pool.sign_up()
    pool.idp.resend_confirmation_code(ClientId=pool.client_id, Username="ada")
    pool.idp.admin_confirm_sign_up(UserPoolId=pool.id, Username="ada")
    pool.idp.forgot_password(ClientId=pool.client_id, Username="ada")
    assert [subject for subject, _ in sent(clocked)] == [
        "CustomMessage_SignUp",
        "CustomMessage_ResendCode",
        "CustomMessage_ForgotPassword",
    ]
    assert all(text.startswith("Your code: ") and "{####}" not in text for _, text in sent(clocked))


def test_a_message_without_the_code_is_an_invalid_answer(aws):
    pool = make_pool(aws, {"CustomMessage": trigger(aws, "event['response']['emailMessage'] = 'Welcome!'")})
    assert refusal(pool.sign_up)[0] == "InvalidLambdaResponseException"


@pytest.mark.ministack
def test_without_the_trigger_the_pools_own_message_is_sent(clocked):
    pool = make_pool(clocked.account, AutoVerifiedAttributes=["email"])
    pool.sign_up()
    assert [subject for subject, _ in sent(clocked)] == ["Your verification code"]
