"""Who may hand a role to a service, and which roles may be made.

AWS documents that a call which gives a role to a service needs iam:PassRole on that role, besides the call's own
permission, with the key iam:PassedToService
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html), and that the key iam:PermissionsBoundary
holds the boundary that CreateRole and PutRolePermissionsBoundary set, and that the role has whose policies are changed
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_identityandaccessmanagement.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate).

MiniStack asks for iam:PassRole nowhere, and knows none of these keys. Here: Lambda, Step Functions, API Gateway and
identity pools; other services are not asked.
"""

from __future__ import annotations

import json
import re

from cloudkata.engine.context import Context

_ACTIONS = "ministack.core.iam_actions:request_tag_context"
_ENFORCE = "ministack.core.iam_evaluator:enforce"
_PASSED = "kata:passedroles"  # how the first hook tells the second
_ROLE = re.compile(r"^arn:aws:iam::\d{12}:role/[\w+=,.@/-]{1,576}$")
# Calls that give roles away, where in the request these are, and to whom they go.
_GIVES = {
    "lambda:CreateFunction": (("Role",), "lambda.amazonaws.com"),
    "lambda:UpdateFunctionConfiguration": (("Role",), "lambda.amazonaws.com"),
    "states:CreateStateMachine": (("roleArn",), "states.amazonaws.com"),
    "states:UpdateStateMachine": (("roleArn",), "states.amazonaws.com"),
    "cognito-identity:SetIdentityPoolRoles": (("Roles",), "cognito-identity.amazonaws.com"),
    "apigateway:PUT": (("credentials",), "apigateway.amazonaws.com"),
    "apigateway:POST": (("authorizerCredentials", "credentialsArn"), "apigateway.amazonaws.com"),
}
_SETS_BOUNDARY = ("iam:CreateRole", "iam:PutRolePermissionsBoundary")
_OF_ROLE_WITH_BOUNDARY = (
    "iam:AttachRolePolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePolicy",
)


def register(context: Context) -> None:
    context.seams.hook(_ACTIONS, _keys)
    context.seams.hook(_ENFORCE, _enforce)


def _keys(original, service, iam_action, body, params):
    found = dict(original(service, iam_action, body, params))
    if iam_action in _SETS_BOUNDARY:
        found["iam:permissionsboundary"] = _first(params, "PermissionsBoundary")
    elif iam_action in _OF_ROLE_WITH_BOUNDARY:
        found["iam:permissionsboundary"] = _boundary(_first(params, "RoleName"))
    elif iam_action in _GIVES:
        fields, principal = _GIVES[iam_action]
        found[_PASSED] = [(arn, principal) for arn in _roles(body, fields)]
    return {key: value for key, value in found.items() if value}


def _enforce(original, access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
    asked = dict(service_context or {})
    passed = asked.pop(_PASSED, ())
    refused = original(access_key_id, iam_action, service, region, resource_arn, asked)
    for arn, principal in () if refused else passed:
        key = {"iam:passedtoservice": principal}
        if original(access_key_id, "iam:PassRole", "iam", region, arn, key):
            return _refusal(access_key_id, arn)
    return refused


def _refusal(access_key_id: str, role: str):
    """As AWS words it, which names the role."""
    from ministack.core.iam_actions import identity_denial_message
    from ministack.core.iam_evaluator import AuthError, resolve_principal
    from ministack.core.responses import get_account_id

    who = resolve_principal(access_key_id, get_account_id())
    return AuthError("AccessDenied", identity_denial_message("iam:PassRole", who.arn, role, False))


def _first(params: dict, name: str) -> str:
    value = params.get(name) or ""
    return str(value[0]) if isinstance(value, list) else str(value)


def _boundary(role: str) -> str:
    from ministack.services import iam

    return str((iam._roles.get(role) or {}).get("PermissionsBoundary") or "")


def _roles(body: bytes, fields: tuple[str, ...]) -> list[str]:
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        return []  # refused for that soon
    if not isinstance(asked, dict):
        return []
    found: list[str] = []
    for field in fields:
        value = asked.get(field)
        found += [str(one) for one in (value.values() if isinstance(value, dict) else [value])]
    return [arn for arn in found if _ROLE.match(arn)]
