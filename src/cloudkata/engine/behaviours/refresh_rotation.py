"""App clients rotate their refresh tokens.

AWS documents (https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html)
that a client with rotation gets a new refresh token at each GetTokensFromRefreshToken, valid for what was left of the
first one; the old one ends at once, or after a grace period of up to 60 seconds. REFRESH_TOKEN_AUTH is not for such
a client. That a used token is answered with RefreshTokenReuseException is among the operation's errors.

MiniStack forgets the setting and never answers with a refresh token. The grace period runs on the AWS clock.
"""

from __future__ import annotations

import json
import uuid

from cloudkata.engine import user_pools
from cloudkata.engine.context import Context
from cloudkata.engine.user_pools import Refused

_LONGEST_GRACE = 60  # seconds
_REFRESH_FLOWS = ("REFRESH_TOKEN_AUTH", "REFRESH_TOKEN")
_SETTINGS = ("CreateUserPoolClient", "UpdateUserPoolClient")


def register(context: Context) -> None:
    user_pools.register(context)
    ended: dict[str, float] = {}  # refresh tokens that were replaced, and until when they still work

    def run(original, handler, action, data):
        if action in _SETTINGS:
            return original(lambda given: _set(handler, given), action, data)
        if action.endswith("InitiateAuth") and data.get("AuthFlow") in _REFRESH_FLOWS and _rotation(data) is not None:
            raise Refused("InvalidParameterException", "REFRESH_TOKEN_AUTH is not for clients that rotate tokens.")
        if action == "GetTokensFromRefreshToken":
            return original(lambda given: refresh(handler, given), action, data)
        return original(handler, action, data)

    def refresh(handler, data):
        old = data.get("RefreshToken") or ""
        if context.clock.now() > ended.get(old, float("inf")):
            raise Refused("RefreshTokenReuseException", "The refresh token was used before.")
        answer = handler(data)
        grace = _rotation(data)
        if answer[0] != 200 or grace is None:
            return answer
        ended.setdefault(old, context.clock.now() + grace)
        body = json.loads(answer[2])
        body["AuthenticationResult"]["RefreshToken"] = _successor(old)
        return _json(body)

    context.seams.hook("ministack.services.cognito:_run_idp_handler", run, order=20)


def _rotation(data: dict) -> int | None:
    """The grace period in seconds of the client in a request, or None where it does not rotate."""
    from ministack.services import cognito

    pool, _ = cognito._pool_for_client(data.get("ClientId"))
    setting = (pool["_clients"][data["ClientId"]].get("RefreshTokenRotation") if pool else None) or {}
    return setting.get("RetryGracePeriodSeconds", 0) if setting.get("Feature") == "ENABLED" else None


def _successor(token: str) -> str:
    """Another refresh token of the same session, with the same end."""
    from ministack.services import cognito

    claims = {**cognito._token_claims(token), "jti": str(uuid.uuid4())}
    return cognito._signed_jwt(claims, claims["iss"].rpartition("/")[2], "access")


def _set(handler, data: dict):
    """Keep the setting of a client, which MiniStack drops, and show it."""
    from ministack.services import cognito

    setting = data.get("RefreshTokenRotation")
    if setting is not None:
        if setting.get("Feature") not in ("ENABLED", "DISABLED"):
            raise Refused("InvalidParameterException", "RefreshTokenRotation: Feature must be ENABLED or DISABLED.")
        if not 0 <= setting.get("RetryGracePeriodSeconds", 0) <= _LONGEST_GRACE:
            raise Refused("InvalidParameterException", "RetryGracePeriodSeconds must be from 0 to 60.")
    answer = handler(data)
    if answer[0] != 200 or setting is None:
        return answer
    body = json.loads(answer[2])
    shown = body["UserPoolClient"]
    cognito._user_pools[shown["UserPoolId"]]["_clients"][shown["ClientId"]]["RefreshTokenRotation"] = setting
    shown["RefreshTokenRotation"] = setting
    return _json(body)


def _json(body: dict):
    from ministack.core.responses import json_response

    return json_response(body)
