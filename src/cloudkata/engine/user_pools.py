"""What the behaviours of Cognito user pools share: the operation that is served, and calling a trigger.

AWS documents the events and that a trigger's error is the operation's:
https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html. The
error codes are those of https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SignUp.html;
their texts are not documented and follow what is commonly seen.
"""

from __future__ import annotations

import contextvars
from dataclasses import dataclass

from cloudkata.engine.context import Context
from cloudkata.engine.service_calls import NotCalled, call

_SERVICE = "cognito-idp.amazonaws.com"


@dataclass(frozen=True)
class Operation:
    """The API operation that is served, and its members."""

    action: str
    data: dict


class Refused(Exception):
    """What an operation of a user pool answers instead of going on."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


_operation: contextvars.ContextVar[Operation | None] = contextvars.ContextVar("kata_user_pools", default=None)


def operation() -> Operation | None:
    """What is served now; None for the hosted pages."""
    return _operation.get()


def register(context: Context) -> None:
    """Have every operation known, and Refused answered; registering it again changes nothing."""
    context.seams.hook("ministack.services.cognito:_run_idp_handler", _serve, order=10)


def _serve(original, handler, action: str, data: dict):
    from ministack.core.responses import error_response_json

    token = _operation.set(Operation(action, data))
    try:
        return original(handler, action, data)
    except Refused as error:
        return error_response_json(error.code, str(error), 400)
    finally:
        _operation.reset(token)


def has_trigger(pool: dict, name: str) -> bool:
    return bool((pool.get("LambdaConfig") or {}).get(name))


def attributes(user: dict) -> dict[str, str]:
    """A user's attributes as an event has them."""
    from ministack.services import cognito

    found = cognito._attr_list_to_dict(user.get("Attributes", []))
    return {**found, "cognito:user_status": user.get("UserStatus", "")}


def metadata() -> dict:
    """The part of an event's request that carries what the client sent along; the start of a sign-in has none.

    InitiateAuth hands its ClientMetadata on as validation data alone:
    https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html
    """
    served = operation()
    if served and served.action.endswith("InitiateAuth"):
        return {}
    found = (served.data.get("ClientMetadata") if served else None) or {}
    return {"clientMetadata": found} if found else {}


def fire(
    pool: dict,
    name: str,
    source: str,
    *,
    username: str,
    client_id: str,
    request: dict,
    response: dict,
    arn: str = "",
    version: str = "1",
) -> dict:
    """Call a trigger of a pool and return its `response`, which is {} when the pool has no such trigger.

    Raises Refused when the function fails, may not be called, or answers with what is no event.
    """
    from ministack.services import cognito

    arn = arn or (pool.get("LambdaConfig") or {}).get(name, "")
    if not arn:
        return {}
    event = {
        "version": version,
        "triggerSource": source,
        "region": cognito._pool_region(pool["Id"]),
        "userPoolId": pool["Id"],
        "userName": username,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client_id},
        "request": request,
        "response": response,
    }
    try:
        called = call(arn, event, service=_SERVICE, source_arn=pool["Arn"])
    except NotCalled as error:
        raise Refused("UnexpectedLambdaException", f"{name} invocation failed due to error {error.code}.") from error
    if called.error is not None:
        raise Refused("UserLambdaValidationException", f"{name} failed with error {called.message}.")
    answer = called.value.get("response", {}) if isinstance(called.value, dict) else None
    if not isinstance(answer, dict):
        raise Refused("InvalidLambdaResponseException", "Unrecognizable lambda output")
    return answer


def resigned(token: str, claims: dict) -> str:
    """A token of a user pool with some claims changed, signed with the key that signs this pool's tokens."""
    from ministack.services import cognito

    found = cognito._token_claims(token)
    owner = next((scope for scope in cognito._user_pools._data if scope[2] == _pool(found)), None)
    if owner is None:
        raise ValueError("no user pool has signed this token")
    from ministack.core.responses import request_scope

    with request_scope(*owner[:2]):
        return cognito._signed_jwt(found | claims, owner[2], "id" if found.get("token_use") == "id" else "access")


def _pool(claims: dict) -> str:
    return str(claims.get("iss", "")).rpartition("/")[2]
