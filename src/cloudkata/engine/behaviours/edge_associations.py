"""A distribution takes only edge functions that may be where they are put.

AWS documents, below https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ :
edge-function-restrictions-all.html (one function an event, CloudFront Functions and Lambda@Edge not both on viewer
events), associate-function.html (only what is published), lambda-at-edge-function-restrictions.html (us-east-1; no
variables, layers, VPC, dead-letter queue, X-Ray, provisioned concurrency, images, arm64 or more than 512 MB of /tmp;
the role trusts edgelambda.amazonaws.com as well), cloudfront-limits.html (30 seconds at most). And below
https://docs.aws.amazon.com/cloudfront/latest/APIReference/ : API_FunctionAssociation.html (viewer events only),
API_LambdaFunctionAssociation.html (a version's ARN, no alias, no $LATEST).

MiniStack takes anything. Not enforced, since AWS's pages disagree: memory at viewer events, code size.
"""

from __future__ import annotations

import json
import re
from xml.etree.ElementTree import Element

from cloudkata.engine.context import Context
from cloudkata.engine.edge.settings import items, parse, text

_CLOUDFRONT = "ministack.services.cloudfront"
_VIEWER = ("viewer-request", "viewer-response")
_EVENTS = (*_VIEWER, "origin-request", "origin-response")
_VERSION = re.compile(r"^arn:aws:lambda:([a-z0-9-]+):(\d{12}):function:([A-Za-z0-9_-]+)(?::([A-Za-z0-9$_-]+))?$")
_REGION = "us-east-1"
_SECONDS = 30
_TMP_MB = 512
_PRINCIPALS = ("lambda.amazonaws.com", "edgelambda.amazonaws.com")
_FUNCTION, _LAMBDA = "InvalidFunctionAssociation", "InvalidLambdaFunctionAssociation"


class _Wrong(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def register(context: Context) -> None:
    context.seams.hook(f"{_CLOUDFRONT}:_create_distribution", _create)
    context.seams.hook(f"{_CLOUDFRONT}:_update_distribution", _update)


def _create(original, headers, body):
    from ministack.services import cloudfront

    config, _ = cloudfront._unwrap_distribution_create_xml(cloudfront._parse_body(body))
    return _refusal(config) or original(headers, body)


def _update(original, dist_id, headers, body):
    from ministack.services import cloudfront

    return _refusal(cloudfront._parse_body(body)) or original(dist_id, headers, body)


def _refusal(config: Element | None):
    """The answer that refuses a configuration, or None."""
    from ministack.services import cloudfront

    if config is None or cloudfront._find(config, "DefaultCacheBehavior") is None:
        return None  # MiniStack says so itself
    try:
        for entry in [cloudfront._find(config, "DefaultCacheBehavior"), *items(config, "CacheBehaviors")]:
            _judge_events(entry)
        for behavior in parse(config).behaviors:
            for arn in behavior.functions.values():
                _judge_function(arn)
            for association in behavior.lambdas.values():
                _judge_lambda(association.arn)
    except _Wrong as wrong:
        return cloudfront._error(wrong.code, str(wrong), 400)
    return None


def _judge_events(entry: Element) -> None:
    functions = [text(one, "EventType") for one in items(entry, "FunctionAssociations")]
    lambdas = [text(one, "EventType") for one in items(entry, "LambdaFunctionAssociations")]
    for kind in functions:
        if kind not in _VIEWER:
            raise _Wrong(_FUNCTION, f"A CloudFront function cannot be associated with the event type {kind}.")
    for kind in lambdas:
        if kind not in _EVENTS:
            raise _Wrong(_LAMBDA, f"There is no event type {kind}.")
    for kinds, code in ((functions, _FUNCTION), (lambdas, _LAMBDA)):
        if len(set(kinds)) < len(kinds):
            raise _Wrong(code, "An event type of a cache behavior can have one function only.")
    if functions and set(lambdas) & set(_VIEWER):
        raise _Wrong(
            _LAMBDA, "A cache behavior cannot have CloudFront functions and Lambda functions on viewer events."
        )


def _judge_function(arn: str) -> None:
    from ministack.services import cloudfront

    found = cloudfront._functions.get(arn.rsplit("/", 1)[-1])
    if not found or found["arn"] != arn:
        raise _Wrong(_FUNCTION, f"The function {arn} does not exist in this account.")
    if not found["live_etag"]:
        raise _Wrong(_FUNCTION, f"The function {arn} is not published: only its LIVE stage can be associated.")


def _judge_lambda(arn: str) -> None:
    from ministack.core.responses import get_account_id, request_scope
    from ministack.services import lambda_svc

    found = _VERSION.match(arn)
    if found is None:
        raise _Wrong(_LAMBDA, f"{arn} is not the ARN of a Lambda function's version.")
    region, account, name, version = found.groups()
    if region != _REGION:
        raise _Wrong(_LAMBDA, f"The function must be in {_REGION}, not in {region}.")
    if account != get_account_id():
        raise _Wrong(_LAMBDA, "The function and the distribution must be owned by the same account.")
    if version is None or not version.isdigit():
        raise _Wrong(_LAMBDA, f"The function ARN must name a numbered version, not {version or 'none'}: {arn}")
    with request_scope(account, _REGION):
        _, config = lambda_svc._get_func_record_for_qualifier(name, version)
    if config is None:
        raise _Wrong(_LAMBDA, f"The function version {arn} does not exist.")
    if wrong := _unsupported(config, name, version):
        raise _Wrong(_LAMBDA, f"Lambda@Edge does not support {wrong}.")
    _judge_role(config.get("Role", ""))


def _unsupported(config: dict, name: str, version: str) -> str:
    """The first of the function's features that Lambda@Edge has not, or nothing."""
    from ministack.services import lambda_svc

    record = lambda_svc._functions.get(name) or {}
    checks = {
        "environment variables": bool((config.get("Environment") or {}).get("Variables")),
        "layers": bool(config.get("Layers")),
        "access to a VPC": bool((config.get("VpcConfig") or {}).get("SubnetIds")),
        "dead-letter queues": bool((config.get("DeadLetterConfig") or {}).get("TargetArn")),
        "tracing with X-Ray": (config.get("TracingConfig") or {}).get("Mode") == "Active",
        "container images": config.get("PackageType") == "Image",
        "the arm64 architecture": "arm64" in (config.get("Architectures") or ()),
        f"more than {_TMP_MB} MB of ephemeral storage": (config.get("EphemeralStorage") or {}).get("Size", 0) > _TMP_MB,
        f"a timeout above {_SECONDS} seconds": int(config.get("Timeout", 3)) > _SECONDS,
        f"the runtime {config.get('Runtime')}": not str(config.get("Runtime")).startswith(("python", "nodejs")),
        "provisioned concurrency": version in (record.get("provisioned_concurrency") or {}),
    }
    return next((name for name, found in checks.items() if found), "")


def _judge_role(arn: str) -> None:
    from ministack.services import iam

    role = iam._roles.get(arn.rsplit("/", 1)[-1])
    document = role.get("AssumeRolePolicyDocument", "") if role else ""
    try:
        statements = (json.loads(document) if isinstance(document, str) else document).get("Statement", [])
    except (ValueError, AttributeError):
        statements = []
    trusted: set[str] = set()
    for statement in [statements] if isinstance(statements, dict) else statements:
        named = (statement.get("Principal") or {}) if statement.get("Effect") == "Allow" else {}
        services = named.get("Service", []) if isinstance(named, dict) else []
        trusted |= {services} if isinstance(services, str) else set(services)
    for principal in _PRINCIPALS:
        if principal not in trusted:
            raise _Wrong(_LAMBDA, f"The function's execution role must be assumable by {principal}: {arn}")
