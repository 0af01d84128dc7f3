"""Public operations of Cognito act in the account that owns the pool they name.

AWS documents that operations with an app client are unsigned: they carry the client's id, or a token of the pool
(https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flows-public-server-side.html), and that
those of identity pools are public (https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetId.html,
https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html), like
AssumeRoleWithWebIdentity of STS (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).

MiniStack serves whatever has no key in one account of its own, where none of those pools is. The front door asks here
for the owner, by ids that exist; whether the request is right is still MiniStack's to judge.
"""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from cloudkata.engine.owners import Owners, Unsigned

_USER_POOLS, _IDENTITY_POOLS = "AWSCognitoIdentityProviderService.", "AWSCognitoIdentityService."
_TOKENS = ("AccessToken", "RefreshToken", "Token")


def register(owners: Owners) -> None:
    owners.register(_of_user_pool, lambda request: _target(request).startswith(_USER_POOLS))
    owners.register(_of_identity_pool, lambda request: _target(request).startswith(_IDENTITY_POOLS))
    owners.register(_of_role, _is_form)


def _target(request: Unsigned) -> str:
    return request.headers.get("x-amz-target", "")


def _is_form(request: Unsigned) -> bool:
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return form and request.method == "POST" and request.path == "/"


def _named(request: Unsigned, service: str, public: set[str]) -> dict:
    """The members of a public operation of a service, or nothing."""
    target = _target(request)
    if not target.startswith(service) or target.removeprefix(service) not in public:
        return {}
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def _of_user_pool(request: Unsigned) -> str | None:
    from ministack.services import cognito

    named = _named(request, _USER_POOLS, cognito._UNSIGNED_IDP_ACTIONS)
    if not named:
        return None
    wanted = {named.get("UserPoolId")} | {_pool_of(cognito, named[name]) for name in _TOKENS if name in named}
    for (account, _, pool_id), pool in list(cognito._user_pools.all_items()):
        if named.get("ClientId") in pool["_clients"] or pool_id in wanted:
            return account
    for (account, token), _ in list(cognito._challenge_sessions._data.items()):
        if token == named.get("Session"):
            return account
    return None


def _pool_of(cognito, token: str) -> str:
    """The user pool that a token says it is from; MiniStack verifies the token."""
    return cognito._pool_id_from_token(token) or (cognito._refresh_tokens.get(token) or {}).get("pool_id", "")


def _of_identity_pool(request: Unsigned) -> str | None:
    from ministack.services import cognito

    named = _named(request, _IDENTITY_POOLS, cognito._UNSIGNED_IDENTITY_ACTIONS)
    if not named:
        return None
    for (account, _, pool_id), pool in list(cognito._identity_pools.all_items()):
        if pool_id == named.get("IdentityPoolId") or named.get("IdentityId") in pool["_identities"]:
            return account
    return None


def _of_role(request: Unsigned) -> str | None:
    from ministack.services import iam

    if not _is_form(request):
        return None
    form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
    if form.get("Action") != "AssumeRoleWithWebIdentity":
        return None
    fields = form.get("RoleArn", "").split(":")
    name = fields[-1].rpartition("/")[2]
    return fields[4] if len(fields) == 6 and iam._roles.get_scoped(fields[4], None, name) else None
