"""A weighted alias splits its invocations between two versions, and the rules for aliases are enforced.

AWS documents (https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html): an alias names at most two
versions; AdditionalVersionWeights gives one of them its share from 0.0 to 1.0, the rest goes to FunctionVersion; both
are published ($LATEST is not), with the same execution role and the same dead-letter configuration or none. The header
x-amz-executed-version names the version that ran. An alias points to a version, never to another alias, and its name
is not a number (https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html). A function's ARN in the context
object has the qualifier it was invoked with (https://docs.aws.amazon.com/lambda/latest/dg/python-context.html).
Reserved concurrency belongs to the function with all its versions and aliases
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html).

MiniStack stores weights and ignores them, accepts any alias, shows functions the version's ARN where another service
invoked the alias, and counts reserved concurrency for $LATEST alone. Its `_effective_func_record_for_qualifier` and
`_invoke` only ever see the version that was drawn; its `_create_alias` and `_update_alias` only what is valid.

Our choices, where the pages are silent: UpdateAlias without RoutingConfig keeps the weight; patterns and ranges
answer ValidationException and the other rules InvalidParameterValueException, as the service was seen to do.
CLOUDKATA_SEED in the environment makes the draws repeatable.
"""

from __future__ import annotations

import contextvars
import os
import random
import re

from cloudkata.engine.context import Context

_LAMBDA = "ministack.services.lambda_svc:"
_NAME = re.compile(r"(?![0-9]+$)[a-zA-Z0-9-_]{1,128}")
_VERSION = re.compile(r"\$LATEST|[0-9]{1,1024}")
_NUMBER = re.compile(r"[0-9]{1,1024}")

# Draws are few and cheap: one source for all functions, which random.Random keeps safe between threads.
draw = random.Random(os.environ.get("CLOUDKATA_SEED") or None)

_describing: contextvars.ContextVar[bool] = contextvars.ContextVar("kata_describing", default=False)
_invoked_arn: contextvars.ContextVar[str] = contextvars.ContextVar("kata_invoked_arn", default="")


class _Refused(Exception):
    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message, status)


def register(context: Context) -> None:
    _route(context)
    _judge(context)


def _route(context: Context) -> None:
    """Give each invocation of an alias, from wherever it comes, a version of its own."""
    from ministack.services import lambda_svc

    def resolve(original, func, qualifier):
        alias = (func or {}).get("aliases", {}).get(qualifier)
        if alias is None:
            return original(func, qualifier)
        version = alias["FunctionVersion"] if _describing.get() else choose(alias)
        record, config = original(func, version)
        if record is None:
            return None, None
        config = {**config, "FunctionArn": alias["AliasArn"]}
        return {**record, "config": config}, config

    def describe(original, *args):
        token = _describing.set(True)
        try:
            return original(*args)
        finally:
            _describing.reset(token)

    async def invoke(original, name, event, headers, path_qualifier=None, query_params=None):
        func = lambda_svc._functions.get(name) or {}
        qualifier = path_qualifier or lambda_svc._qp_first(query_params or {}, "Qualifier")
        alias = func.get("aliases", {}).get(qualifier or lambda_svc._qp_first(headers, "x-amz-qualifier"))
        if alias is None:
            return await original(name, event, headers, path_qualifier, query_params)
        token = _invoked_arn.set(alias["AliasArn"])
        try:
            return await original(name, event, headers, choose(alias), query_params)
        finally:
            _invoked_arn.reset(token)

    def deliver(original, func, *args):
        """From Invoke on, only the version is known; the function is told by which alias it was reached."""
        config = func.get("config") or func
        arn = _invoked_arn.get()
        if arn and arn.rpartition(":")[0] == _unqualified(config.get("FunctionArn", "")):
            func = {**func, "config": {**config, "FunctionArn": arn}}
        if "concurrency" not in func:
            account, region = lambda_svc._account_region_from_function_config(config)
            base = lambda_svc._functions.get_scoped(account, region, config.get("FunctionName", ""))
            func = {**func, "concurrency": (base or {}).get("concurrency")}
        return original(func, *args)

    context.seams.hook(_LAMBDA + "_effective_func_record_for_qualifier", resolve)
    context.seams.hook(_LAMBDA + "_get_function", describe, order=20)
    context.seams.hook(_LAMBDA + "_get_function_config", describe, order=20)
    context.seams.hook(_LAMBDA + "_invoke", invoke, order=15)
    context.seams.hook(_LAMBDA + "_execute_function", deliver, order=15)
    context.seams.hook(_LAMBDA + "invoke_async_with_retry", deliver, order=15)


def _judge(context: Context) -> None:
    """Let only valid aliases be made."""
    from ministack.services import lambda_svc

    def create(original, func_name, data):
        func = lambda_svc._functions.get(func_name)
        if func is not None and data.get("Name"):
            try:
                _check_name(str(data["Name"]))
                weights = (data.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
                _check_targets(lambda_svc._func_arn(func_name), func, data.get("FunctionVersion", "$LATEST"), weights)
            except _Refused as refused:
                return lambda_svc.error_response_json(*refused.args)
        return original(func_name, data)

    def update(original, func_name, alias_name, data):
        func = lambda_svc._functions.get(func_name) or {}
        alias = func.get("aliases", {}).get(alias_name)
        if alias is not None and lambda_svc._check_revision(alias, data) is None:
            routing = data["RoutingConfig"] if "RoutingConfig" in data else alias.get("RoutingConfig")
            weights = (routing or {}).get("AdditionalVersionWeights") or {}
            version = data.get("FunctionVersion", alias["FunctionVersion"])
            try:
                _check_targets(lambda_svc._func_arn(func_name), func, version, weights)
            except _Refused as refused:
                return lambda_svc.error_response_json(*refused.args)
        return original(func_name, alias_name, data)

    context.seams.hook(_LAMBDA + "_create_alias", create)
    context.seams.hook(_LAMBDA + "_update_alias", update)


def choose(alias: dict) -> str:
    """The version that this invocation of an alias runs: independent of every other one."""
    point = draw.random()
    for version, weight in ((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}).items():
        if point < float(weight):
            return version
    return alias["FunctionVersion"]


def _unqualified(arn: str) -> str:
    return ":".join(arn.split(":")[:7])


def _invalid(message: str) -> _Refused:
    return _Refused("InvalidParameterValueException", message)


def _constraint(value: str, place: str, constraint: str) -> _Refused:
    message = f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: {constraint}"
    return _Refused("ValidationException", message)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        pattern = "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"
        raise _constraint(name, "name", pattern)


def _check_targets(arn: str, func: dict, version: str, weights: dict) -> None:
    """Raise _Refused for what an alias cannot name: `version`, and the additional version in `weights`."""
    if not _VERSION.fullmatch(str(version)):
        pattern = "Member must satisfy regular expression pattern: (\\$LATEST|[0-9]+)"
        raise _constraint(str(version), "functionVersion", pattern)
    _check_exists(arn, func, version)
    if len(weights) > 1:
        raise _invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for other, weight in weights.items():
        place, shown = "routingConfig.additionalVersionWeights", f"{{{other}={weight}}}"
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0.0 <= weight <= 1.0:
            raise _constraint(shown, place, "Map value must satisfy constraint: [0.0 to 1.0]")
        if version == "$LATEST" or other == "$LATEST":
            raise _invalid("$LATEST is not supported for an alias pointing to more than 1 version")
        if not _NUMBER.fullmatch(other):
            pattern = "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [0-9]+]"
            raise _constraint(shown, place, pattern)
        if other == version:
            included = f"Function version {version} is already included in routing configuration."
            raise _invalid(f"Invalid function version {version}. {included}")
        _check_exists(arn, func, other)
        one, two = func["versions"][version]["config"], func["versions"][other]["config"]
        if one.get("Role") != two.get("Role"):
            raise _invalid("The versions of an alias must have the same execution role.")
        if one.get("DeadLetterConfig") != two.get("DeadLetterConfig"):
            raise _invalid("The versions of an alias must have the same dead-letter configuration.")


def _check_exists(arn: str, func: dict, version: str) -> None:
    if version != "$LATEST" and version not in func["versions"]:
        raise _Refused("ResourceNotFoundException", f"Function not found: {arn}:{version}", 404)
