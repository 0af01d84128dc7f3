"""Identity pools give out the credentials of the role that their settings choose, and of no other.

AWS documents:
- guests get nothing from a pool that does not allow them:
  https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_CreateIdentityPool.html
- the role comes from the call's CustomRoleArn if the token has it in `cognito:roles` (else it is denied), from the
  token's preferred role, from the first rule that matches, or from AmbiguousRoleResolution:
  https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html
- credentials are those of AssumeRoleWithWebIdentity, so the role must trust cognito-identity.amazonaws.com, with `aud`
  the pool and `amr` the kind of identity: https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html
- the basic flow has to be allowed: https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html
STS believes a token only with its issuer's signature:
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html

MiniStack serves guests of any pool, knows no mapping, no trust policy and no basic flow, makes a role up where none is
set, and STS reads the token without its signature. The session policy that narrows guests further is not here.

Needs cognito_tokens.
"""

from __future__ import annotations

import contextvars
import json
import time

from cloudkata.engine.context import Context

_ISSUER = "cognito-identity.amazonaws.com"
_SESSION = "CognitoIdentityCredentials"
_identity: contextvars.ContextVar[dict | None] = contextvars.ContextVar("kata_web_identity", default=None)


def register(context: Context) -> None:
    context.seams.hook("ministack.services.cognito:_run_identity_handler", _serve)
    context.seams.hook("ministack.services.sts:_web_identity_trust_denied", _verified)
    context.seams.hook("ministack.services.sts:register_session", _remember)


class _Refused(Exception):
    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def _serve(original, handler, action: str, data: dict):
    from ministack.core.responses import error_response_json

    wrap = {
        "GetId": _get_id,
        "GetCredentialsForIdentity": _credentials,
        "GetOpenIdToken": _open_id_token,
        "SetIdentityPoolRoles": _set_roles,
    }.get(action)
    try:
        return original((lambda given: wrap(handler, given)) if wrap else handler, action, data)
    except _Refused as error:
        return error_response_json(error.code, str(error), 400)


def _get_id(handler, data: dict):
    from ministack.services import cognito

    pool = cognito._identity_pools.get(data.get("IdentityPoolId"))
    if pool and not data.get("Logins"):
        _guests_allowed(pool)
    return handler(data)


def _guests_allowed(pool: dict) -> None:
    if not pool.get("AllowUnauthenticatedIdentities"):
        raise _Refused("NotAuthorizedException", "Unauthenticated access is not supported for this identity pool.")


def _open_id_token(handler, data: dict):
    pool = _pool_of(data)
    if not pool.get("AllowClassicFlow"):
        text = "Basic (classic) flow is not enabled, please use enhanced flow."
        raise _Refused("InvalidParameterException", text)
    if not data.get("Logins"):
        _guests_allowed(pool)
    return handler(data)


def _pool_of(data: dict) -> dict:
    from ministack.services import cognito

    for pool in cognito._identity_pools.values():
        if data.get("IdentityId") in pool["_identities"]:
            return pool
    raise _Refused("ResourceNotFoundException", f"Identity '{data.get('IdentityId')}' not found.")


def _credentials(handler, data: dict):
    from ministack.core.responses import get_account_id
    from ministack.services import cognito, sts

    account = get_account_id()
    pool, logins = _pool_of(data), data.get("Logins") or {}
    with _kept():
        error = cognito._identity_logins_error(pool, data["IdentityId"], logins)
    if error:
        return error
    if not logins:
        _guests_allowed(pool)
    role = _role(pool, logins, data.get("CustomRoleArn"))
    if not role or not _trusts(role, pool, data["IdentityId"], logins):
        text = "Invalid identity pool configuration. Check assigned IAM roles for this pool."
        raise _Refused("InvalidIdentityPoolConfigurationException", text)
    with _kept():
        answer = handler(data)
    if answer[0] == 200:
        session = sts._sessions[json.loads(answer[2])["Credentials"]["AccessKeyId"]]
        session["Arn"] = f"arn:aws:sts::{account}:assumed-role/{role.rpartition('/')[2]}/{_SESSION}"
        session["AccountId"] = account
    return answer


def _kept():
    """The account stays what it is: to look a token's signature up, MiniStack moves to that of the token's pool."""
    from ministack.core.responses import get_account_id, get_region, request_scope

    return request_scope(get_account_id(), get_region())


def _trusts(role_arn: str, pool: dict, identity_id: str, logins: dict) -> bool:
    """Whether the role is of the pool's account and lets the identity of this pool assume it."""
    from ministack.core.iam_evaluator import EvalContext, evaluate_trust_policy
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import cognito, iam

    account = get_account_id()
    role = iam._roles.get(role_arn.rpartition("/")[2])
    if role is None or role.get("Arn") != role_arn:
        return False
    keys = {"aud": pool["IdentityPoolId"], "sub": identity_id, "amr": cognito._identity_login_fields(logins)[0]}
    context = EvalContext(
        principal_arn=_ISSUER,
        principal_type="WebIdentityUser",
        principal_account=account,
        action="sts:AssumeRoleWithWebIdentity",
        resource_arn=role_arn,
        region=get_region(),
        service_context={f"{_ISSUER}:{name}": value for name, value in keys.items()},
    )
    return evaluate_trust_policy(role.get("AssumeRolePolicyDocument", "{}"), _ISSUER, context)


# --- the choice of a role -------------------------------------------------------------------------------------------


def _role(pool: dict, logins: dict, custom: str | None) -> str:
    """The ARN of the role for these logins; "" where none is set. Raises _Refused where they get none."""
    from ministack.services import cognito

    roles = pool.get("_roles") or {}
    if not logins:
        return roles.get("unauthenticated", "")
    provider, token = next(iter(logins.items()))
    claims = cognito._token_claims(token)
    if custom:
        if custom not in _texts(claims.get("cognito:roles")):
            raise _Refused("NotAuthorizedException", "The token does not have the custom role.")
        return custom
    mappings = pool.get("_role_mappings") or {}
    mapping = mappings.get(f"{provider}:{claims.get('aud')}") or mappings.get(provider)
    if not mapping:
        return roles.get("authenticated", "")
    found = claims.get("cognito:preferred_role") if mapping.get("Type") == "Token" else _by_rule(mapping, claims)
    if found:
        return found
    if mapping.get("AmbiguousRoleResolution") == "AuthenticatedRole":
        return roles.get("authenticated", "")
    raise _Refused("NotAuthorizedException", "No role of the mapping fits, and its resolution is to deny.")


def _by_rule(mapping: dict, claims: dict) -> str | None:
    for rule in (mapping.get("RulesConfiguration") or {}).get("Rules") or []:
        value, match = rule.get("Value", ""), rule.get("MatchType")
        found = _texts(claims.get(rule.get("Claim")))
        fits = {
            "Equals": value in found,
            "NotEqual": bool(found) and value not in found,
            "StartsWith": any(text.startswith(value) for text in found),
            "Contains": any(value in text for text in found),
        }
        if fits.get(match):
            return rule.get("RoleARN")
    return None


def _texts(claim) -> list[str]:
    """A claim as texts: of a list each entry, as rules may match any of them (our choice)."""
    if claim is None:
        return []
    return [str(entry) for entry in claim] if isinstance(claim, list) else [str(claim)]


def _set_roles(handler, data: dict):
    for name, mapping in (data.get("RoleMappings") or {}).items():
        kind = mapping.get("Type")
        if kind not in ("Token", "Rules"):
            raise _Refused("InvalidParameterException", f"{name}: the type of a mapping is Token or Rules.")
        if mapping.get("AmbiguousRoleResolution") not in ("AuthenticatedRole", "Deny"):
            raise _Refused("InvalidParameterException", f"{name}: AmbiguousRoleResolution is required.")
        rules = (mapping.get("RulesConfiguration") or {}).get("Rules") or []
        if kind == "Rules" and not 1 <= len(rules) <= 25:
            raise _Refused("InvalidParameterException", f"{name}: a mapping has 1 to 25 rules.")
    return handler(data)


# --- STS ------------------------------------------------------------------------------------------------------------


def _verified(original, role_arn: str, params: dict, use_json: bool):
    """Refuse a token that says it is Cognito's and is not signed so, or has expired."""
    from ministack.core.responses import error_response_json
    from ministack.services import cognito, sts

    token = sts._p(params, "WebIdentityToken")
    claims = cognito._token_claims(token)
    code = ""
    if "cognito" in str(claims.get("iss", "")):
        with _kept():
            valid = cognito._signature_valid(token)
        if not valid:
            code, text = "InvalidIdentityToken", "The token's signature is not its issuer's."
        elif not isinstance(claims.get("exp"), (int, float)) or time.time() >= claims["exp"]:
            code, text = "ExpiredTokenException", "The token has expired."
    if not code:
        denied = original(role_arn, params, use_json)
        _identity.set(claims if not denied and claims.get("iss") == f"https://{_ISSUER}" else None)
        return denied
    return error_response_json(code, text, 400) if use_json else sts._error(400, code, text, ns="sts")


def _remember(original, access_key: str, session: dict):
    """The session of the basic flow knows its identity, as that of the enhanced flow does."""
    claims = _identity.get()
    if claims and "_identity_id" not in session:
        known = {"_identity_id": "sub", "_identity_pool_id": "aud", "_cognito_amr": "amr"}
        session |= {name: claims.get(claim) for name, claim in known.items()}
        _identity.set(None)
    return original(access_key, session)
