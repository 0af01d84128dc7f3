"""Roles of one account are out of reach for another that they do not name.

AWS documents that a role's trust policy names who may assume it
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html). MiniStack makes its
own service calls as an account's root user, so it lets any root user, of whatever account, assume a role that trusts
a service; the learner's key is one.
"""

from __future__ import annotations

import json

from cloudkata.engine.seams import Seams


def register(seams: Seams) -> None:
    seams.hook("ministack.core.iam_evaluator:evaluate_trust_policy", _evaluate)


def _evaluate(original, trust_doc, caller_arn: str, ctx=None) -> bool:
    role = getattr(ctx, "resource_arn", "") or ""
    fields, caller = role.split(":"), caller_arn.split(":")
    foreign = caller_arn.endswith(":root") and len(fields) > 4 and len(caller) > 4 and fields[4] != caller[4]
    if foreign and not _names(trust_doc, caller[4]):
        return False
    return original(trust_doc, caller_arn, ctx)


def _names(trust_doc, account: str) -> bool:
    """Whether a statement names `account` or everybody, as AWS principals do."""
    try:
        document = json.loads(trust_doc) if isinstance(trust_doc, str) else trust_doc
    except ValueError:
        return False
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal") if isinstance(statement, dict) else None
        named = principal.get("AWS", []) if isinstance(principal, dict) else principal
        for name in [named] if isinstance(named, str) else named or ():
            if name == "*" or account in str(name):
                return True
    return False
