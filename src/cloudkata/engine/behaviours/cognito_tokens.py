"""The token trigger is called once a sign-in with the right shape, and ID tokens name the groups' roles.

AWS documents (https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html)
that a V1_0 trigger answers claimsOverrideDetails and changes the ID token; V2_0 and V3_0 answer
claimsAndScopeOverrideDetails, with a part for each token and the groups beside them. Some claims are the pool's alone.
A group's role stands in `cognito:roles`, that of the group with the lowest precedence in `cognito:preferred_role`
(https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateGroup.html).

MiniStack calls a V2_0 trigger once for each token, looks for the groups in the wrong place, lets any claim be
overridden, answers a failing trigger with an internal error and knows no roles. Its function is replaced.

Needs function_environments.
"""

from __future__ import annotations

import contextvars

from cloudkata.engine import user_pools
from cloudkata.engine.context import Context
from cloudkata.engine.user_pools import attributes, fire, metadata

# What a trigger can neither change nor take away, by the documented list.
_OF_TOKENS = {"acr", "amr", "aud", "at_hash", "auth_time", "azp", "exp", "iat", "iss", "jti", "nbf", "nonce", "sub"}
_OF_COGNITO = {"client_id", "cognito:username", "event_id", "origin_jti", "token_use", "username", "version"}
_FIXED = _OF_TOKENS | _OF_COGNITO
_ID, _ACCESS = "id", "access"
_answers: contextvars.ContextVar[dict | None] = contextvars.ContextVar("kata_token_answers", default=None)


def register(context: Context) -> None:
    user_pools.register(context)

    def build(original, *args, **kwargs):
        token = _answers.set({})
        try:
            return original(*args, **kwargs)
        finally:
            _answers.reset(token)

    context.seams.hook("ministack.services.cognito:_build_auth_result", build, order=30)
    context.seams.hook("ministack.services.cognito:_apply_pretoken_trigger", _apply)


def _apply(
    original,
    pool_id,
    claims,
    token_type,
    trigger_source,
    client_id,
    username,
    user_attrs,
    groups,
    client_metadata=None,
    scope="",
):
    from ministack.services import cognito

    pool = cognito._user_pools.get(pool_id)
    if not pool:
        return claims
    roles, preferred = _roles(pool, groups)
    if token_type == _ID:
        claims = _with_roles(claims, roles, preferred)
    arn, version = _trigger(pool)
    wanted = "V3_0" if trigger_source == "TokenGeneration_ClientCredentials" else version
    if not arn or version != wanted or (version == "V1_0" and token_type != _ID):
        return claims
    answers = _answers.get()
    if answers is not None and arn in answers:
        answer = answers[arn]
    else:
        event = cognito._build_pretoken_event(
            pool_id, client_id, username, user_attrs, groups, trigger_source, version, client_metadata, scope
        )
        groups_part = event["request"]["groupConfiguration"]
        groups_part["iamRolesToOverride"], groups_part["preferredRole"] = roles, preferred
        user = pool["_users"].get(username)
        if user:
            event["request"]["userAttributes"] = attributes(user)
        answer = fire(
            pool,
            "PreTokenGeneration",
            trigger_source,
            username=event["userName"],
            client_id=client_id,
            request={**event["request"], **metadata()},
            response=event["response"],
            arn=arn,
            version=event["version"],
        )
        if answers is not None:
            answers[arn] = answer
    return _overridden(claims, token_type, version, answer)


def _trigger(pool: dict) -> tuple[str, str]:
    """(the function's ARN or nothing, the version of the event)."""
    config = pool.get("LambdaConfig") or {}
    newer = config.get("PreTokenGenerationConfig") or {}
    if newer.get("LambdaArn"):
        return newer["LambdaArn"], newer.get("LambdaVersion") or "V2_0"
    return config.get("PreTokenGeneration") or "", "V1_0"


def _overridden(claims: dict, token_type: str, version: str, answer: dict) -> dict:
    if version == "V1_0":
        details = answer.get("claimsOverrideDetails") or {}
        part = details
    else:
        details = answer.get("claimsAndScopeOverrideDetails") or {}
        part = details.get("accessTokenGeneration" if token_type == _ACCESS else "idTokenGeneration") or {}
    found = dict(claims)
    group = details.get("groupOverrideDetails") or {}
    if isinstance(group.get("groupsToOverride"), list):
        found["cognito:groups"] = group["groupsToOverride"]
        if token_type == _ID:
            found = _with_roles(found, group.get("iamRolesToOverride") or [], group.get("preferredRole"))
    found |= {name: value for name, value in (part.get("claimsToAddOrOverride") or {}).items() if name not in _FIXED}
    for name in part.get("claimsToSuppress") or []:
        if name not in _FIXED:
            found.pop(name, None)
    if version != "V1_0" and token_type == _ACCESS:
        kept = [one for one in found.get("scope", "").split() if one not in (part.get("scopesToSuppress") or [])]
        found["scope"] = " ".join(dict.fromkeys([*kept, *(part.get("scopesToAdd") or [])]))
    return found


def _roles(pool: dict, names: list[str]) -> tuple[list[str], str | None]:
    """(the roles of a user's groups, the preferred one): none is preferred where two of the same precedence differ."""
    groups = [pool["_groups"][name] for name in names if name in pool["_groups"]]
    with_role = [(group.get("Precedence"), group["RoleArn"]) for group in groups if group.get("RoleArn")]
    with_role.sort(key=lambda entry: (entry[0] is None, entry[0] or 0))
    first = {role for precedence, role in with_role if precedence == with_role[0][0]}
    return list(dict.fromkeys(role for _, role in with_role)), first.pop() if len(first) == 1 else None


def _with_roles(claims: dict, roles: list[str], preferred: str | None) -> dict:
    kept = {name: value for name, value in claims.items() if name not in ("cognito:roles", "cognito:preferred_role")}
    named = {"cognito:roles": roles} if roles else {}
    return kept | named | ({"cognito:preferred_role": preferred} if preferred else {})
