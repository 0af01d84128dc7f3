"""An app client has the flows that it was given, and no others.

AWS documents (ExplicitAuthFlows of
https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html) that a
client without a list of flows has SRP, custom and refresh; that one with a list has those; and that names with ALLOW_
do not mix with those of before.

MiniStack looks at password flows and SRP, only when there is a list, and never at refresh.
"""

from __future__ import annotations

from cloudkata.engine import user_pools
from cloudkata.engine.context import Context
from cloudkata.engine.user_pools import Refused

_DEFAULT = ("ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")
_LEGACY = {
    "ADMIN_NO_SRP_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "CUSTOM_AUTH_FLOW_ONLY": "ALLOW_CUSTOM_AUTH",
    "USER_PASSWORD_AUTH": "ALLOW_USER_PASSWORD_AUTH",
}
_NEEDS = {
    "USER_SRP_AUTH": "ALLOW_USER_SRP_AUTH",
    "USER_PASSWORD_AUTH": "ALLOW_USER_PASSWORD_AUTH",
    "ADMIN_USER_PASSWORD_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ADMIN_NO_SRP_AUTH": "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "CUSTOM_AUTH": "ALLOW_CUSTOM_AUTH",
    "REFRESH_TOKEN_AUTH": "ALLOW_REFRESH_TOKEN_AUTH",
    "REFRESH_TOKEN": "ALLOW_REFRESH_TOKEN_AUTH",
}


def register(context: Context) -> None:
    user_pools.register(context)
    context.seams.hook("ministack.services.cognito:_run_idp_handler", _run, order=30)


def _run(original, handler, action, data):
    if action in ("CreateUserPoolClient", "UpdateUserPoolClient"):
        _one_kind(data.get("ExplicitAuthFlows") or [])
    if action in ("InitiateAuth", "AdminInitiateAuth"):
        _enabled(data)
    return original(handler, action, data)


def _one_kind(flows: list[str]) -> None:
    if len({flow.startswith("ALLOW_") for flow in flows}) > 1:
        raise Refused("InvalidParameterException", "ExplicitAuthFlows: names with ALLOW_ do not mix with others.")


def _enabled(data: dict) -> None:
    from ministack.services import cognito

    pool, _ = cognito._pool_for_client(data.get("ClientId"))
    flow = data.get("AuthFlow", "")
    if pool is None or flow not in _NEEDS:
        return
    given = pool["_clients"][data["ClientId"]].get("ExplicitAuthFlows") or list(_DEFAULT)
    if not all(one.startswith("ALLOW_") for one in given):  # of before: SRP and refresh were always there
        given = [*(_LEGACY.get(one, one) for one in given), "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    if _NEEDS[flow] not in given:
        raise Refused("InvalidParameterException", f"{flow} flow not enabled for this client")
