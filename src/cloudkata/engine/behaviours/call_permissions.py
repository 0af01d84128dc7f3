"""Which permission a call needs, and on what.

AWS's service authorization reference names the action of each operation and the resources that it can be limited to: an
alias is read with lambda:GetAlias and changed with lambda:UpdateAlias, lambda:CreateFunction can be limited to the
function that it makes (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html), and
what is done with a CloudFront function to that
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudfront.html).

MiniStack asks for the same action for many operations of Lambda (lambda:ListAliases for GetAlias and UpdateAlias,
lambda:PublishLayerVersion for AddLayerVersionPermission), and takes CreateFunction and what is done with CloudFront
functions to be about "*", so that a policy that is right on AWS refuses them.
"""

from __future__ import annotations

import functools
import json
import re

from cloudkata.engine.context import Context

_EDGE_FUNCTION = re.compile(r"^/\d{4}-\d\d-\d\d/function/([^/]+)")
# Operations of Lambda that have another name as an action.
_LAMBDA = {
    "Invoke": "InvokeFunction",
    "InvokeAsync": "InvokeFunction",
    "InvokeWithResponseStream": "InvokeFunction",
    "GetLayerVersionByArn": "GetLayerVersion",
}


def register(context: Context) -> None:
    context.seams.hook("ministack.core.iam_actions:extract_iam_action", _action)
    context.seams.hook("ministack.core.iam_actions:extract_resource_arn", _resource)


def _action(original, service, method, path, headers, body, params):
    operation = _operation(method, path, params) if service == "lambda" else ""
    if operation:
        return f"lambda:{_LAMBDA.get(operation, operation)}"
    return original(service, method, path, headers, body, params)


def _operation(method: str, path: str, params: dict) -> str:
    """The operation of Lambda with the most particular path that fits, or ""."""
    plain = path.rstrip("/") or "/"
    for verb, pattern, name, _, query in _routes():  # the most particular first
        if verb == method and query.keys() <= params.keys() and pattern.match(plain):
            return name
    return ""


@functools.cache
def _routes() -> list:
    from ministack.core.iam_actions import _load_botocore_routes

    return _load_botocore_routes("lambda")


def _resource(original, service, method, path, headers, body, params, region, account):
    found = original(service, method, path, headers, body, params, region, account)
    if found != "*":
        return found
    if service == "cloudfront" and (named := _EDGE_FUNCTION.match(path)):
        return f"arn:aws:cloudfront::{account}:function/{named.group(1)}"
    if service == "lambda" and _operation(method, path, params) == "CreateFunction":
        name = _text(body, "FunctionName").rpartition(":")[2]
        return f"arn:aws:lambda:{region}:{account}:function:{name}" if name else found
    return found


def _text(body: bytes, field: str) -> str:
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        return ""  # refused for that soon
    value = asked.get(field) if isinstance(asked, dict) else ""
    return value if isinstance(value, str) else ""
