"""Variables in a policy stand for what is known of the caller.

AWS documents (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html) that `${key}` in a
resource or a condition's value is the request's value of that key, that `${key, 'text'}` has a default, that a
statement whose variable has no value does not match, that an ARN may have them after its fifth colon only, and that
`${*}`, `${?}` and `${$}` are the characters themselves.
The keys of an identity are `cognito-identity.amazonaws.com:sub`, `:aud` and `:amr`
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html).

MiniStack compares the text as it stands and gives a session no keys of its identity. Not here: variables in resource
policies, and values of the request rather than of the caller.

Needs identity_pools.
"""

from __future__ import annotations

import dataclasses
import re

from cloudkata.engine.context import Context

_VARIABLE = re.compile(r"\$\{([^}',]+)(?:\s*,\s*'([^']*)')?\}")
_COLONS = 5  # of an ARN, before its resource
_ITSELF = {"*", "?", "$"}
_NEVER = "\0"  # stands in no resource and no value
_IDENTITY = "cognito-identity.amazonaws.com"


def register(context: Context) -> None:
    context.seams.hook("ministack.core.iam_evaluator:resolve_principal", _resolve)


def _resolve(original, access_key_id, account_id, credential=None):
    found = original(access_key_id, account_id, credential)
    if getattr(found, "policies", None) is None:
        return found  # an error, or root
    keys = {**found.keys, **_identity(access_key_id)}
    known = {**keys, "aws:principalarn": found.arn, "aws:principalaccount": found.account}

    def filled(lists):
        return [[_statement(statement, known) for statement in statements] for statements in lists]

    return dataclasses.replace(
        found, keys=keys, policies=filled(found.policies), limits=[filled(limit) for limit in found.limits]
    )


def _identity(access_key_id: str) -> dict[str, object]:
    from ministack.services import sts

    session = sts._sessions.get(access_key_id) or {}
    if not session.get("_identity_id"):
        return {}
    found = {"sub": session["_identity_id"], "aud": session["_identity_pool_id"], "amr": session["_cognito_amr"]}
    return {f"{_IDENTITY}:{name}": value for name, value in found.items()}


def _statement(statement, known: dict):
    if "${" not in repr(statement):
        return statement
    return dataclasses.replace(
        statement,
        resources=[_arn(text, known) for text in statement.resources],
        not_resources=[_arn(text, known) for text in statement.not_resources],
        conditions={
            operator: {key: _values(value, known) for key, value in entries.items()}
            for operator, entries in statement.conditions.items()
        },
    )


def _arn(text: str, known: dict) -> str:
    """Variables are filled in after the fifth colon; where one stands before, the ARN is nobody's."""
    for match in _VARIABLE.finditer(text):
        if text.startswith("arn:") and _VARIABLE.sub("", text[: match.start()]).count(":") < _COLONS:
            return _NEVER
    return _text(text, known)


def _values(value, known: dict):
    if isinstance(value, list):
        return [_values(entry, known) for entry in value]
    return _text(value, known) if isinstance(value, str) else value


def _text(text: str, known: dict) -> str:
    def value(match: re.Match) -> str:
        name = match.group(1).strip()
        if name in _ITSELF:
            return name
        found = known.get(name.lower(), match.group(2))
        # a wildcard in a value would match more than the value: AWS takes it as it is, this matches nothing
        return found if isinstance(found, str) and not set(found) & {"*", "?"} else _NEVER

    return _VARIABLE.sub(value, text)
