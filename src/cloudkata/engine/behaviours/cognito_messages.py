"""The CustomMessage trigger writes the messages of every operation that sends one.

AWS documents (https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-message.html) a trigger
source for each reason, and that the message must hold the code's placeholder. MiniStack calls the trigger for
AdminCreateUser alone. Nothing is delivered anywhere: the owner of the engine can read what was sent.

Needs function_environments.
"""

from __future__ import annotations

from cloudkata.engine import user_pools
from cloudkata.engine.context import Context
from cloudkata.engine.user_pools import Refused, attributes, fire

_SOURCES = {
    "SignUp": "CustomMessage_SignUp",
    "ResendConfirmationCode": "CustomMessage_ResendCode",
    "ForgotPassword": "CustomMessage_ForgotPassword",
    "AdminResetUserPassword": "CustomMessage_ForgotPassword",
}
_CODE = "{####}"


def register(context: Context) -> None:
    user_pools.register(context)
    context.seams.hook("ministack.services.cognito:_apply_custom_message_trigger", _apply)
    context.seams.hook("ministack.services.cognito:_send_verification_email", _send)


def _apply(original, pool, trigger_source, username, user_attrs, client_metadata=None, username_parameter="{username}"):
    served = user_pools.operation()
    client = served.data.get("ClientId") if served else None
    known = pool["_users"].get(username)
    return fire(
        pool,
        "CustomMessage",
        trigger_source,
        username=username or "",
        client_id=client or "CLIENT_ID_NOT_APPLICABLE",
        request={
            "userAttributes": attributes(known) if known else dict(user_attrs or {}),
            "codeParameter": _CODE,
            "usernameParameter": username_parameter if trigger_source.endswith("AdminCreateUser") else None,
            **({"clientMetadata": client_metadata} if client_metadata else {}),
        },
        response={"smsMessage": None, "emailMessage": None, "emailSubject": None},
    )


def _send(original, pool, username, attr_dict, code, attribute_name="email"):
    from ministack.services import cognito

    served = user_pools.operation()
    source = _SOURCES.get(served.action) if served else None
    if source is None or not (attr_dict or {}).get("email") or not user_pools.has_trigger(pool, "CustomMessage"):
        return original(pool, username, attr_dict, code, attribute_name)
    assert served is not None
    custom = cognito._apply_custom_message_trigger(
        pool, source, username, attr_dict, served.data.get("ClientMetadata"), "{username}"
    )
    text = custom.get("emailMessage")
    if text and _CODE not in text:
        raise Refused("InvalidLambdaResponseException", f"emailMessage does not contain {_CODE}.")
    subject, body = cognito._resolve_verification_template(pool)
    return cognito._deliver_cognito_email(
        pool,
        attr_dict["email"],
        cognito._expand_template(custom.get("emailSubject") or subject, username, code),
        cognito._expand_template(text or body, username, code),
        type_name="CognitoVerificationMessage",
        extra={"Username": username, "AttributeName": attribute_name},
    )
