"""Triggers around sign-up, confirmation and sign-in are called, and what they answer takes effect.

AWS documents, each on its page below https://docs.aws.amazon.com/cognito/latest/developerguide/:
- user-pool-lambda-pre-sign-up.html: before SignUp and AdminCreateUser; confirms, verifies or refuses; ValidationData.
- user-pool-lambda-post-confirmation.html: after a user, an administrator or PreSignUp has confirmed, and after a reset.
- user-pool-lambda-pre-authentication.html: at each sign-in but no refresh; not for a user that does not exist, unless
  the client hides that.
- user-pool-lambda-post-authentication.html: after the sign-in, before its tokens are given out (so it can refuse).
- user-pool-lambda-migrate-user.html: for a user that does not exist, in flows that send a password, and in
  ForgotPassword; it creates the user, who has to reset the password unless finalUserStatus is CONFIRMED.

MiniStack calls PreSignUp for SignUp alone, without ValidationData, and none of the others, whatever the function's
policy says. Its PreSignUp is replaced. Not here: the limit of five seconds and its three attempts.

Needs function_environments.
"""

from __future__ import annotations

import json
import uuid

from cloudkata.engine import user_pools
from cloudkata.engine.context import Context
from cloudkata.engine.user_pools import Refused, attributes, fire, has_trigger, metadata

_PASSWORD_FLOWS = ("USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH")
_REFRESH_FLOWS = ("REFRESH_TOKEN_AUTH", "REFRESH_TOKEN")
_CONFIRMATIONS = {
    "ConfirmSignUp": "PostConfirmation_ConfirmSignUp",
    "AdminConfirmSignUp": "PostConfirmation_ConfirmSignUp",
    "ConfirmForgotPassword": "PostConfirmation_ConfirmForgotPassword",
}
_NOT_A_CLIENT = "CLIENT_ID_NOT_APPLICABLE"
_REFRESHED = "TokenGeneration_RefreshTokens"


def register(context: Context) -> None:
    user_pools.register(context)

    def run(original, handler, action, data):
        wrap = _WRAPPED.get(action)
        return original((lambda given: wrap(handler, action, given)) if wrap else handler, action, data)

    context.seams.hook("ministack.services.cognito:_run_idp_handler", run)
    context.seams.hook("ministack.services.cognito:_apply_presignup_trigger", _pre_sign_up)
    context.seams.hook("ministack.services.cognito:_build_auth_result", _post_authentication, order=20)


def _pool(data: dict) -> dict | None:
    from ministack.services import cognito

    if data.get("UserPoolId"):
        return cognito._user_pools.get(data["UserPoolId"])
    return cognito._pool_for_client(data.get("ClientId"))[0]


def _user(pool: dict, username: str | None) -> dict | None:
    from ministack.services import cognito

    return cognito._resolve_user(pool, username)[0]


# --- sign-up and confirmation ---------------------------------------------------------------------------------------


def _pre_sign_up(original, pool_id, client_id, username, user_attrs, trigger_source="PreSignUp_ExternalProvider"):
    from ministack.services import cognito

    pool = cognito._user_pools.get(pool_id) or {}
    served = user_pools.operation()
    validation = cognito._attr_list_to_dict((served.data.get("ValidationData") if served else None) or [])
    defaults = {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False}
    try:
        answer = fire(
            pool,
            "PreSignUp",
            trigger_source,
            username=username or "",
            client_id=client_id or _NOT_A_CLIENT,
            request={"userAttributes": user_attrs, "validationData": validation or None, **metadata()},
            response=dict(defaults),
        )
    except Refused as error:
        if served is None:
            raise cognito._PreSignUpRejected(str(error)) from error  # what the hosted pages know
        raise
    return {name: bool(answer.get(name)) for name in defaults}


def _sign_up(handler, action, data):
    answer = handler(data)
    if answer[0] == 200 and json.loads(answer[2]).get("UserConfirmed"):
        _post_confirmation(data, "PostConfirmation_ConfirmSignUp")
    return answer


def _confirm(handler, action, data):
    answer = handler(data)
    if answer[0] == 200:
        _post_confirmation(data, _CONFIRMATIONS[action])
    return answer


def _post_confirmation(data: dict, source: str) -> None:
    pool = _pool(data)
    user = _user(pool, data.get("Username")) if pool else None
    if pool and user:
        fire(
            pool,
            "PostConfirmation",
            source,
            username=user["Username"],
            client_id=data.get("ClientId") or _NOT_A_CLIENT,
            request={"userAttributes": attributes(user), **metadata()},
            response={},
        )


def _admin_create_user(handler, action, data):
    from ministack.services import cognito

    pool, name = _pool(data), data.get("Username")
    resent = str(data.get("MessageAction") or "").upper() == "RESEND"
    if pool and name and not resent and not _user(pool, name) and has_trigger(pool, "PreSignUp"):
        given = cognito._attr_list_to_dict(data.get("UserAttributes") or [])
        answer = cognito._apply_presignup_trigger(pool["Id"], "", name, given, "PreSignUp_AdminCreateUser")
        for attribute, wanted in (("email", "autoVerifyEmail"), ("phone_number", "autoVerifyPhone")):
            if answer[wanted] and attribute in given:
                given[f"{attribute}_verified"] = "true"
        data = {**data, "UserAttributes": cognito._dict_to_attr_list(given)}
    return handler(data)


# --- sign-in --------------------------------------------------------------------------------------------------------


def _initiate(handler, action, data):
    from ministack.services import cognito

    flow = data.get("AuthFlow")
    pool, client_id = _pool(data), data.get("ClientId")
    given = data.get("AuthParameters") or {}
    name = given.get("USERNAME")
    if pool is None or not name or flow in _REFRESH_FLOWS:
        return handler(data)
    user = _user(pool, name)
    if user is None and flow in _PASSWORD_FLOWS and has_trigger(pool, "UserMigration"):
        _migrate(pool, client_id, name, "UserMigration_Authentication", given.get("PASSWORD"))
        return handler(data)
    hidden = cognito._hides_user_existence(pool, client_id)
    if user is not None or hidden:
        fire(
            pool,
            "PreAuthentication",
            "PreAuthentication_Authentication",
            username=user["Username"] if user else name,
            client_id=client_id,
            request={
                "userAttributes": attributes(user) if user else {},
                "validationData": data.get("ClientMetadata") or None,
                **({"userNotFound": user is None} if hidden else {}),
            },
            response={},
        )
    return handler(data)


def _post_authentication(original, pool_id, client_id, user, *args, **kwargs):
    from ministack.services import cognito

    pool, served = cognito._user_pools.get(pool_id), user_pools.operation()
    if pool and served and kwargs.get("trigger_source") != _REFRESHED:
        fire(
            pool,
            "PostAuthentication",
            "PostAuthentication_Authentication",
            username=user["Username"],
            client_id=client_id,
            request={"userAttributes": attributes(user), "newDeviceUsed": False, **metadata()},
            response={},
        )
    return original(pool_id, client_id, user, *args, **kwargs)


# --- migration ------------------------------------------------------------------------------------------------------


def _forgot_password(handler, action, data):
    pool, name = _pool(data), data.get("Username")
    if pool and name and _user(pool, name) is None and has_trigger(pool, "UserMigration"):
        _migrate(pool, data.get("ClientId"), name, "UserMigration_ForgotPassword", None)
    return handler(data)


def _migrate(pool: dict, client_id, name: str, source: str, password: str | None) -> None:
    """Create the user that the trigger describes. Raises Refused when it does not."""
    from ministack.services import cognito

    served = user_pools.operation()
    request = {
        "password": password,
        "validationData": (served.data.get("ClientMetadata") if served else None) or None,
        **metadata(),
    }
    response = dict.fromkeys(("userAttributes", "finalUserStatus", "messageAction", "desiredDeliveryMediums"))
    try:
        answer = fire(
            pool, "UserMigration", source, username=name, client_id=client_id, request=request, response=response
        )
    except Refused as error:
        raise _not_migrated(pool, client_id) from error
    given = answer.get("userAttributes")
    if not given or not isinstance(given, dict):
        raise _not_migrated(pool, client_id)
    found = {"sub": str(uuid.uuid4()), **{key: str(value) for key, value in given.items() if key != "username"}}
    username = found["sub"] if cognito._username_alias_attribute(pool, name) else name
    now = cognito._now_epoch()
    pool["_users"][username] = {
        "Username": username,
        "Attributes": cognito._dict_to_attr_list(found),
        "UserCreateDate": now,
        "UserLastModifiedDate": now,
        "Enabled": True,
        "UserStatus": answer.get("finalUserStatus") or "RESET_REQUIRED",
        "MFAOptions": [],
        "_password": password or cognito._generate_temp_password(),
        "_groups": [],
        "_tokens": [],
    }
    pool["EstimatedNumberOfUsers"] = len(pool["_users"])


def _not_migrated(pool: dict, client_id) -> Refused:
    from ministack.services import cognito

    if cognito._hides_user_existence(pool, client_id):
        return Refused("NotAuthorizedException", "Incorrect username or password.")
    return Refused("UserNotFoundException", f"Exception migrating user in app client {client_id}")


_WRAPPED = {
    "SignUp": _sign_up,
    "AdminCreateUser": _admin_create_user,
    "InitiateAuth": _initiate,
    "AdminInitiateAuth": _initiate,
    "ForgotPassword": _forgot_password,
    **dict.fromkeys(_CONFIRMATIONS, _confirm),
}
