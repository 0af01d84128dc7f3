"""Arguments and payloads beyond the service's limits are refused.

AWS documents: at most 4 KB of environment variables together, measured as their JSON text, names of a letter followed
by letters, digits or underscores, and reserved names that cannot be set
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html); Timeout 1 to 900 seconds and MemorySize 128
to 10,240 MB for a standard function, EphemeralStorage 512 to 10,240 MB, a handler of at most 128 characters, a
description of at most 256, a name of at most 64
(https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html,
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html); payloads of 6 MB for a synchronous and 1 MB
for an asynchronous invocation, else RequestTooLargeException
(https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html); five layers
(https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html).

MiniStack refuses only code and layers over 250 MB unzipped; everything else it accepts, so nothing has to be switched
off: its operations are not reached. Out of a range the answer is ValidationException, as the service was seen to do.
"""

from __future__ import annotations

import json
import re

from cloudkata.engine.context import Context

ENVIRONMENT_BYTES = 4096
SYNCHRONOUS_BYTES = 6 << 20
ASYNCHRONOUS_BYTES = 1 << 20
LAYERS = 5
_RANGES = {"Timeout": (1, 900), "MemorySize": (128, 10_240)}
_STORAGE = (512, 10_240)
_LENGTHS = {"Handler": 128, "Description": 256}
_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9-_]{1,64}")
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
RESERVED = frozenset(
    (
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    )
)
_LAMBDA = "ministack.services.lambda_svc:"


class _Refused(Exception):
    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message, status)


def register(context: Context) -> None:
    from ministack.services import lambda_svc

    def create(original, data):
        name = str(data.get("FunctionName") or "")
        try:
            if name and not _FUNCTION_NAME.fullmatch(name):
                raise _constraint(name, "functionName", "at most 64 letters, digits, hyphens and underscores")
            _check(data)
        except _Refused as refused:
            return lambda_svc.error_response_json(*refused.args)
        return original(data)

    def update(original, name, data):
        try:
            _check(data)
        except _Refused as refused:
            return lambda_svc.error_response_json(*refused.args)
        return original(name, data)

    def layers(original, wanted):
        if len(wanted or ()) > LAYERS:
            message = f"Cannot reference more than {LAYERS} layers."
            return None, lambda_svc.error_response_json("InvalidParameterValueException", message, 400)
        return original(wanted)

    async def invoke(original, name, event, headers, path_qualifier=None, query_params=None):
        asynchronous = str(headers.get("x-amz-invocation-type") or "").lower() == "event"
        limit = ASYNCHRONOUS_BYTES if asynchronous else SYNCHRONOUS_BYTES
        if _payload_bytes(headers, event) > limit:
            message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
            return lambda_svc.error_response_json("RequestTooLargeException", message, 413)
        return await original(name, event, headers, path_qualifier, query_params)

    context.seams.hook(_LAMBDA + "_create_function", create, order=40)
    context.seams.hook(_LAMBDA + "_update_config", update, order=40)
    context.seams.hook(_LAMBDA + "_normalize_layer_attachments", layers, order=40)
    context.seams.hook(_LAMBDA + "_invoke", invoke, order=12)


def _payload_bytes(headers: dict, event) -> int:
    """What the client sent; where it gave no length, the payload as we would write it."""
    length = headers.get("content-length") or ""
    return int(length) if length.isdigit() else len(json.dumps(event, ensure_ascii=False).encode())


def _constraint(value, place: str, constraint: str) -> _Refused:
    message = f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: {constraint}"
    return _Refused("ValidationException", message)


def _check(data: dict) -> None:
    """Raise _Refused for what CreateFunction and UpdateFunctionConfiguration do not take."""
    for name, (least, most) in _RANGES.items():
        _check_range(data.get(name), name[0].lower() + name[1:], least, most)
    _check_range((data.get("EphemeralStorage") or {}).get("Size"), "ephemeralStorage.size", *_STORAGE)
    for name, longest in _LENGTHS.items():
        value = data.get(name)
        if value is not None and len(str(value)) > longest:
            raise _constraint(value, name.lower(), f"Member must have length less than or equal to {longest}")
    _check_environment((data.get("Environment") or {}).get("Variables") or {})


def _check_range(value, place: str, least: int, most: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise _constraint(value, place, f"Member must have value greater than or equal to {least}")
    if value > most:
        raise _constraint(value, place, f"Member must have value less than or equal to {most}")


def _check_environment(variables: dict) -> None:
    prefix = "Lambda was unable to configure your environment variables because the environment variables you have"
    if reserved := sorted(set(variables) & RESERVED):
        text = "provided contains reserved keys that are currently not supported for modification."
        shown = ", ".join(reserved)
        raise _Refused("InvalidParameterValueException", f"{prefix} {text} Reserved keys used in this request: {shown}")
    for name in variables:
        if not _VARIABLE.fullmatch(name):
            pattern = "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: "
            raise _constraint(name, "environment.variables", pattern + "[a-zA-Z]([a-zA-Z0-9_])+]")
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > ENVIRONMENT_BYTES:
        text = f"provided exceeded the 4KB limit. String measured: {measured}"
        raise _Refused("InvalidParameterValueException", f"{prefix} {text}")
