"""What a Task calls: functions, other state machines, and through MiniStack every other service.

https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html and supported-services-awssdk.html. An
error has the name of its service before it; a function's own error has the name that the runtime gives it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable

from cloudkata.engine.workflows import executions
from cloudkata.engine.workflows.control import Line, Pending
from cloudkata.engine.workflows.errors import RUNTIME, StateError
from cloudkata.engine.workflows.history import text

_PARTS = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:(aws-sdk:[^:]+|[^:]+):(.+)")
_PATTERN = re.compile(r"\.(sync(:2)?|waitForTaskToken)$")
_FUNCTION = re.compile(r"(?:.*:function:)?(?P<name>[^:]+)(?::(?P<qualifier>[^:]+))?")


def parts(resource: str) -> tuple[str, str]:
    """("sqs", "sendMessage.waitForTaskToken") of a service integration's ARN."""
    found = _PARTS.fullmatch(resource)
    if found is None:
        raise StateError(RUNTIME, f"The resource '{resource}' is not one that a Task can call.")
    return found[1], found[2]


def region() -> str:
    from ministack.core.responses import get_region

    return get_region()


def work(line: Line, resource: str, given: object) -> Callable[[], object]:
    """What makes the call. It raises StateError."""
    service, action = parts(resource)
    if not isinstance(given, dict):
        raise StateError(RUNTIME, f"The parameters of '{resource}' must be an object, but were: {text(given)}")
    action = _PATTERN.sub("", action)
    if (service, action) == ("lambda", "invoke"):
        return functools.partial(_invoke, given)
    if (service, action) == ("states", "startExecution"):
        return functools.partial(_start_child, line, given)
    return functools.partial(call_service, f"arn:aws:states:::{service}:{action}", given)


def call_function(name: str, event: object, qualifier: str = "", kind: str = "RequestResponse") -> dict:
    """Invoke a function by name or ARN, as the operation Invoke would; its answer. Raises StateError."""
    from ministack import app
    from ministack.services import lambda_svc

    found = _FUNCTION.fullmatch(name)
    if found is None:
        raise StateError("Lambda.ResourceNotFoundException", f"Function not found: {name}")
    qualifier = qualifier or found["qualifier"] or ""

    def invoke(*_):
        return lambda_svc._invoke(found["name"], event, {"x-amz-invocation-type": kind}, qualifier or None, {})

    status, headers, body = app.call_service_handler_sync(invoke, "", "", {}, b"", {})
    written = body.decode() if isinstance(body, bytes) else body
    answer = _value(written)
    if status >= 400:
        answer = answer if isinstance(answer, dict) else {}
        code = str(headers.get("x-amzn-errortype") or answer.get("__type") or "AWSLambdaException")
        raise StateError(f"Lambda.{code}", str(answer.get("message") or answer.get("Message") or written))
    if headers.get("X-Amz-Function-Error"):
        name = answer.get("errorType") if isinstance(answer, dict) else ""
        raise StateError(name or "Lambda.Unknown", written)
    return {
        "ExecutedVersion": headers.get("X-Amz-Executed-Version", "$LATEST"),
        "Payload": answer,
        "StatusCode": status,
    }


def _value(written: str) -> object:
    try:
        return json.loads(written) if written else None
    except ValueError:
        return written


def _invoke(given: dict) -> dict:
    name = given.get("FunctionName")
    if not isinstance(name, str):
        raise StateError(RUNTIME, "lambda:invoke needs a FunctionName.")
    qualifier, kind = given.get("Qualifier", ""), given.get("InvocationType", "RequestResponse")
    return call_function(name, given.get("Payload", {}), qualifier, kind)


def call_service(resource: str, given: dict) -> object:
    """Call another service by a service integration's ARN. Raises StateError."""
    from ministack.services import stepfunctions

    try:
        return stepfunctions._invoke_resource(resource, given)
    except stepfunctions._ExecutionError as error:
        raise StateError(error.error, error.cause) from None


def _start_child(line: Line, given: dict) -> dict:
    request = {"stateMachineArn": given.get("StateMachineArn", ""), "input": text(given.get("Input", {}))}
    if isinstance(given.get("Input"), str):
        request["input"] = given["Input"]
    if "Name" in given:
        request["name"] = given["Name"]
    try:
        started = executions.start(request)
    except executions.Refused as refused:
        code, message = refused.args
        raise StateError(f"StepFunctions.{code}", message) from None
    return {"ExecutionArn": started["executionArn"], "StartDate": started["startDate"]}


def wait_for_child(line: Line, resource: str, started: object) -> Pending:
    """The outcome of a child that `.sync` waits for. It is stopped together with its parent."""
    pending = Pending()
    arn = started["ExecutionArn"]  # type: ignore[index]

    def ended(record: dict) -> None:
        leave()
        if record["status"] == "SUCCEEDED":
            as_json = resource.endswith(":2")
            pending.settle(_described(record, as_json))
        else:
            pending.settle(error=StateError("States.TaskFailed", text(_described(record, False))))

    leave = line.stop.listen(lambda: executions.abort(arn, "", "The parent execution was stopped."))
    executions.when_ended(arn, ended)
    return pending


def _described(record: dict, as_json: bool) -> dict:
    output = record["output"]
    names = ("executionArn", "input", "name", "startDate", "stateMachineArn", "status", "stopDate", "error", "cause")
    made = {name[0].upper() + name[1:]: record[name] for name in names if record.get(name) is not None}
    made["InputDetails"] = {"Included": True}
    if output is not None:
        made |= {"Output": json.loads(output) if as_json else output, "OutputDetails": {"Included": True}}
    return made
