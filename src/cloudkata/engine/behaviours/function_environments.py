"""Functions run in sandboxed execution environments, by AWS's own runtime client.

AWS documents: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html (init, reuse, shutdown),
https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html (errorType is the exception's class, with a stack
trace), https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html (START, END, REPORT around what was printed),
https://docs.aws.amazon.com/lambda/latest/dg/python-context.html (request id, deadline, client context),
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (the environment variables).

MiniStack instead runs a script of its own on the host, unsandboxed: every error is Runtime.HandlerError, the
environment ends with any exception, host packages and variables leak in. Its `_worker_class_for` is made to return
our environment and its `_execute_function` is replaced, so none of its own ways to run code is left.
"""

from __future__ import annotations

import base64
import contextvars
import functools
import json
import time
import uuid
from dataclasses import dataclass

from cloudkata.engine.context import Context
from cloudkata.engine.environments import FunctionEnvironment
from cloudkata.engine.front_door import REQUEST_ID_HEADER
from cloudkata.engine.invocation import Invocation, parse
from cloudkata.engine.rooms import prepare
from cloudkata.sandbox.launch import SandboxError

MAX_ENVIRONMENTS = 64
_RUNTIMES = ("python3.8", "python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14")


@dataclass
class Call:
    """The Invoke request that is being served: what of it the function sees."""

    request_id: str
    client_context: str = ""


_call: contextvars.ContextVar[Call | None] = contextvars.ContextVar("kata_call", default=None)


def register(context: Context) -> None:
    from ministack.services import lambda_svc

    build = functools.partial(FunctionEnvironment, prepare=functools.partial(prepare, context))

    def worker_class_for(original, config):
        if config.get("Runtime") not in _RUNTIMES:
            raise RuntimeError(_refusal(str(config.get("Runtime"))))
        return build

    def execute(original, func, event):
        config = func.get("config") or func
        if lambda_svc._function_config_scope_mismatch(config):
            return lambda_svc._run_with_function_config_scope(config, lambda_svc._execute_function, func, event)
        # Reserved concurrency is the function's, as it is now: a version or an event that waits has none of its own.
        whole = lambda_svc._functions.get(config.get("FunctionName")) or func
        slot, limit = lambda_svc._acquire_execution_slot(whole, config)
        if slot is None:
            return _throttled(lambda_svc, config, limit)
        try:
            with context.activity.busy("invocation"):
                return _execute(lambda_svc, func, config, event)
        finally:
            lambda_svc._release_execution_slot(slot)

    def create(original, data):
        runtime = data.get("Runtime")
        if runtime and runtime not in _RUNTIMES:
            return lambda_svc.error_response_json("InvalidParameterValueException", _refusal(str(runtime)), 400)
        return original(data)

    async def invoke(original, name, event, headers, path_qualifier=None, query_params=None):
        call = Call(str(uuid.uuid4()), _client_context(headers))
        token = _call.set(call)
        try:
            status, answer, body = await original(name, event, headers, path_qualifier, query_params)
        finally:
            _call.reset(token)
        answer = {**answer, REQUEST_ID_HEADER: call.request_id}
        return status, answer, body

    context.seams.hook("ministack.core.lambda_runtime:_worker_class_for", worker_class_for)
    context.seams.hook("ministack.services.lambda_svc:_execute_function", execute, order=90)
    context.seams.hook("ministack.services.lambda_svc:_create_function", create)
    context.seams.hook("ministack.services.lambda_svc:_invoke", invoke, order=10)


def _refusal(runtime: str) -> str:
    return f"The embedded engine runs Python functions from .zip archives only, not {runtime}."


def _client_context(headers: dict) -> str:
    """The JSON of X-Amz-Client-Context, which arrives in base64."""
    encoded = headers.get("x-amz-client-context") or ""
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return ""


def _throttled(lambda_svc, config: dict, limit: str | None) -> dict:
    lambda_svc._emit_lambda_metrics(config.get("FunctionName", ""), duration_ms=0.0, error=False, throttle=True)
    reason = (
        "ReservedFunctionConcurrentInvocationLimitExceeded"
        if limit == "function"
        else ("ConcurrentInvocationLimitExceeded")
    )
    return lambda_svc._throttle_response(reason_code=reason, msg="Rate Exceeded.")


def _execute(lambda_svc, func: dict, config: dict, event) -> dict:
    call = _call.get()
    invocation = Invocation(
        call.request_id if call else str(uuid.uuid4()),
        json.dumps(event, ensure_ascii=False).encode(),
        config.get("FunctionArn", ""),
        _trace_id(lambda_svc, config),
        call.client_context if call else "",
        config.get("Version", "$LATEST"),
    )
    if config.get("PackageType") == "Image":
        return _failure("Runtime.InvalidRuntime", _refusal("container images"))
    code = func.get("code_zip")
    if not code:
        return _failure("Runtime.InvalidEntrypoint", "The function has no code.")
    lambda_svc._ensure_reaper_thread()
    try:
        environment = lease(config, code)
    except RuntimeError as error:
        return _failure("Runtime.InvalidRuntime", str(error))
    try:
        outcome = environment.call(invocation)
    except (SandboxError, OSError) as error:
        environment.kill()
        return _failure("Sandbox.Failure", f"RequestId: {invocation.request_id} Error: {error}")
    finally:
        release(environment)
    _write_log(lambda_svc, config, environment.log_stream, outcome.log)
    body = parse(outcome.payload)
    if outcome.failed:
        return {"body": body, "error": True, "log": outcome.log, "log_source": "rie"}
    return {"body": body, "log": outcome.log, "log_source": "rie"}


def _failure(kind: str, message: str) -> dict:
    return {"body": {"errorType": kind, "errorMessage": message}, "error": True, "log": ""}


def _trace_id(lambda_svc, config: dict) -> str:
    """The trace header with the lineage that recursion detection counts, as AWS's own runtime receives it."""
    trace = lambda_svc._xray_trace_id_for_invocation(config)
    if not trace:
        trace = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Parent={uuid.uuid4().hex[:16]};Sampled=0"
    return f"{trace};Lineage={uuid.uuid4().hex[:8]}:{lambda_svc._invoke_depth.get()}"


# --- the pool: MiniStack's, with a cap and by revision --------------------------------------------------------------


def revision(config: dict) -> tuple:
    """What must be equal for an environment to serve a configuration."""
    return config.get("CodeSha256"), config.get("RevisionId"), config.get("Version")


def lease(config: dict, code: bytes, *, provisioned: bool = False) -> FunctionEnvironment:
    """A free environment of this very revision, made where there is none. Raises RuntimeError for its runtime."""
    from ministack.core import lambda_runtime

    version = config.get("Version", "$LATEST")
    while True:
        _make_room(lambda_runtime)
        environment, _ = lambda_runtime.acquire_worker(config["FunctionName"], config, code, qualifier=version)
        if revision(environment.config) == revision(config):
            environment.provisioned = environment.provisioned or provisioned
            return environment
        _remove(lambda_runtime, environment)
        environment.kill()


def release(environment: FunctionEnvironment) -> None:
    from ministack.core import lambda_runtime

    if environment.provisioned:
        environment.last_used = float("inf")  # not idle: the reaper leaves it
    lambda_runtime.release_worker(environment)


def _remove(lambda_runtime, environment) -> None:
    with lambda_runtime._lock:
        for key, entries in list(lambda_runtime._workers.items()):
            if environment in entries:
                entries.remove(environment)
                if not entries:
                    del lambda_runtime._workers[key]


def _make_room(lambda_runtime) -> None:
    """Keep the number of environments under the cap by ending the one idle for longest, if any is."""
    with lambda_runtime._lock:
        everyone = [entry for entries in lambda_runtime._workers.values() for entry in entries]
        idle = [entry for entry in everyone if not entry.in_use and not entry.provisioned]
        if len(everyone) < MAX_ENVIRONMENTS or not idle:
            return
        oldest = min(idle, key=lambda entry: entry.last_used)
        oldest.in_use = True
    _remove(lambda_runtime, oldest)
    oldest.kill()


def _write_log(lambda_svc, config: dict, stream_name: str, text: str) -> None:
    """Put the lines into the environment's own stream in CloudWatch Logs, and on to subscription filters."""
    from ministack.services import cloudwatch_logs

    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    now = int(lambda_svc.time.time() * 1000)
    groups = cloudwatch_logs._log_groups
    if group not in groups:
        groups[group] = {
            "arn": cloudwatch_logs._make_group_arn(group),
            "creationTime": now,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
    stream = groups[group]["streams"].setdefault(
        stream_name,
        {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        },
    )
    lines = [{"timestamp": now, "message": line} for line in text.splitlines()]
    cloudwatch_logs._append_log_events(stream, [line | {"ingestionTime": now} for line in lines])
    cloudwatch_logs._fanout_to_subscription_filters(group, stream_name, lines)
