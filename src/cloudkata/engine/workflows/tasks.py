"""Task states: what is called, how long it may take, and which events it leaves.

https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html and connect-to-resource.html. A function's ARN
leaves LambdaFunction events, an activity's Activity events, a service integration Task events.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from cloudkata.engine.workflows import activities, integrations
from cloudkata.engine.workflows.callbacks import Tokens
from cloudkata.engine.workflows.control import Line, Pending, detached
from cloudkata.engine.workflows.data import arguments, effective, jsonata, number, within_limit
from cloudkata.engine.workflows.errors import HEARTBEAT, TIMEOUT, StateError
from cloudkata.engine.workflows.history import WHOLE, text, with_input

_CALLBACK = ".waitForTaskToken"


@dataclass(frozen=True)
class _Limits:
    """Seconds, or None."""

    timeout: float | None
    heartbeat: float | None

    def details(self) -> dict:
        found = {"timeoutInSeconds": self.timeout, "heartbeatInSeconds": self.heartbeat}
        return {name: int(value) for name, value in found.items() if value is not None}


def run_task(line: Line, state: dict, raw: object) -> object:
    """The raw result of one attempt. Raises StateError, or Stopped."""
    resource = state["Resource"]
    callback = resource.endswith(_CALLBACK)
    token, pending = Tokens.new() if callback or ":activity:" in resource else ("", Pending())
    if callback:
        line.context["Task"] = {"Token": token}
    try:
        seen = effective(line, state, raw)
        given = arguments(line, state, raw, seen)
        over = raw if jsonata(line, state) else seen
        limits = _Limits(number(line, state, "TimeoutSeconds", over), number(line, state, "HeartbeatSeconds", over))
        if ":activity:" in resource:
            return _activity(line, resource, given, limits, token, pending)
        if resource.startswith("arn:aws:lambda:"):
            return _function(line, resource, given, limits)
        return _service(line, resource, given, limits, pending if callback else None)
    finally:
        pending.close()


def _function(line: Line, resource: str, given: object, limits: _Limits) -> object:
    line.event("LambdaFunctionScheduled", {**with_input(given), "resource": resource, **limits.details()})
    line.event("LambdaFunctionStarted")
    try:
        call = detached(functools.partial(integrations.call_function, resource, given))
        result = line.outcome(call, limits.timeout, None, real=True)["Payload"]  # type: ignore[index]
        written = within_limit(line.state[0], result)
    except StateError as error:
        _failed(line, "LambdaFunction", error, {})
    line.event("LambdaFunctionSucceeded", {"output": written, "outputDetails": WHOLE})
    return result


def _activity(line: Line, arn: str, given: object, limits: _Limits, token: str, pending: Pending) -> object:
    started = Pending()
    line.event("ActivityScheduled", {"resource": arn, **with_input(given), **limits.details()})
    try:
        activities.offer(arn, token, text(given), started)
        result = line.outcome(started, limits.timeout, None)
        line.event("ActivityStarted", {"workerName": str(result or "")})
        result = line.outcome(pending, limits.timeout, limits.heartbeat)
        written = within_limit(line.state[0], result)
    except StateError as error:
        _failed(line, "Activity", error, {})
    line.event("ActivitySucceeded", {"output": written, "outputDetails": WHOLE})
    return result


def _service(line: Line, resource: str, given: object, limits: _Limits, callback: Pending | None) -> object:
    service, action = integrations.parts(resource)
    common = {"resourceType": service, "resource": action}
    scheduled = {**common, "region": integrations.region(), "parameters": text(given), **limits.details()}
    line.event("TaskScheduled", scheduled)
    line.event("TaskStarted", common)
    began = line.clock.now()
    if callback is not None:  # its token is out before anybody waits for it
        callback.started(began, limits.timeout, limits.heartbeat)
    own_code = service == "lambda"
    try:
        work = integrations.work(line, resource, given)
        waits = callback is not None or ".sync" in action
        result = line.outcome(detached(work), None if waits else limits.timeout, None, real=own_code)
        if waits:
            written = within_limit(line.state[0], result)
            line.event("TaskSubmitted", {**common, "output": written, "outputDetails": WHOLE})
            wait = callback if callback is not None else integrations.wait_for_child(line, resource, result)
            result = line.outcome(wait, limits.timeout, limits.heartbeat, began=began)
        written = within_limit(line.state[0], result)
    except StateError as error:
        _failed(line, "Task", error, common)
    line.event("TaskSucceeded", {**common, "output": written, "outputDetails": WHOLE})
    return result


def _failed(line: Line, kind: str, error: StateError, common: dict) -> None:
    """Write how a task ended, and raise `error` again."""
    ending = "TimedOut" if error.error in (TIMEOUT, HEARTBEAT) else "Failed"
    details = {**common, "error": error.error}
    line.event(f"{kind}{ending}", {**details, "cause": error.cause} if error.cause else details)
    raise error
