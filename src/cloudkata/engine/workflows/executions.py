"""Executions: started, run to their end, stopped.

https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html: a Standard execution has a name of
its own, a history, and up to a year; an Express one has five minutes, leaves its history to CloudWatch Logs, and two
may have the same name. A machine's own time-out ends the execution as TIMED_OUT, which nothing inside can catch.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from cloudkata.engine.activity import Activity
from cloudkata.engine.clock import AwsClock
from cloudkata.engine.workflows.callbacks import Refused
from cloudkata.engine.workflows.control import Line, Machine, Stop
from cloudkata.engine.workflows.data import MOST_BYTES
from cloudkata.engine.workflows.errors import RUNTIME, StateError, Stopped
from cloudkata.engine.workflows.history import WHOLE, History, text
from cloudkata.engine.workflows.logs import Log
from cloudkata.engine.workflows.machines import find
from cloudkata.engine.workflows.states import walk

EXPRESS_SECONDS = 300
_ENDINGS = {
    "SUCCEEDED": "ExecutionSucceeded",
    "FAILED": "ExecutionFailed",
    "TIMED_OUT": "ExecutionTimedOut",
    "ABORTED": "ExecutionAborted",
}


@dataclass
class Run:
    """One execution while it runs and after. `record` is what MiniStack's operations read."""

    record: dict
    line: Line
    done: threading.Event = field(default_factory=threading.Event)
    listeners: list[Callable[[dict], None]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Host:
    """What executions need of the engine; set once, when the behaviour is registered."""

    clock: AwsClock
    activity: Activity
    runs: dict[str, Run] = {}


def start(data: dict) -> dict:
    """StartExecution. Raises Refused."""
    machine = find(data.get("stateMachineArn") or "")
    if machine.express:
        run = _launch(machine, _input(data), data.get("name") or str(uuid.uuid4()))
        return {"executionArn": run.record["executionArn"], "startDate": run.record["startDate"]}
    from ministack.services import stepfunctions

    name = data.get("name") or str(uuid.uuid4())
    arn = f"{_prefix(machine)}:execution:{machine.name}:{name}"
    there = stepfunctions._executions.get(arn)
    if there is None:
        there = _launch(machine, _input(data), name, arn).record
    elif there["status"] != "RUNNING" or there["input"] != _input(data):
        raise Refused("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
    return {"executionArn": arn, "startDate": there["startDate"]}


def start_and_wait(data: dict) -> dict:
    """StartSyncExecution: answers when the execution has ended, however it did. Raises Refused."""
    machine = find(data.get("stateMachineArn") or "")
    if not machine.express:
        raise Refused("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")
    run = _launch(machine, _input(data), data.get("name") or str(uuid.uuid4()))
    run.done.wait()
    names = ("executionArn", "stateMachineArn", "name", "startDate", "stopDate", "status", "error", "cause", "input")
    answer = {name: run.record[name] for name in names if run.record.get(name) is not None}
    answer["inputDetails"] = {"included": True}
    if run.record["output"] is not None:
        answer |= {"output": run.record["output"], "outputDetails": {"included": True}}
    return answer


def abort(arn: str, error: str | None, cause: str | None) -> None:
    """End an execution as ABORTED; nothing happens where it has ended."""
    run = Host.runs.get(arn)
    if run is not None:
        _end(run, "ABORTED", error=error, cause=cause)


def when_ended(arn: str, listener: Callable[[dict], None]) -> None:
    """Have `listener` called with the record when the execution has ended, at once if it has."""
    run = Host.runs[arn]
    with run.lock:
        if not run.done.is_set():
            run.listeners.append(listener)
            return
    listener(run.record)


def _input(data: dict) -> str:
    given = data.get("input") or "{}"
    try:
        json.loads(given)
    except (TypeError, ValueError):
        raise Refused("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{given}'") from None
    if len(given.encode()) > MOST_BYTES:
        raise Refused("ValidationException", f"the input must have at most {MOST_BYTES} bytes")
    return given


def _prefix(machine: Machine) -> str:
    return machine.arn.split(":stateMachine:")[0]


def _launch(machine: Machine, given: str, name: str, arn: str = "") -> Run:
    """Start an execution of a machine; without `arn` it is an Express one."""
    definition = machine.definition
    seconds = definition.get("TimeoutSeconds", EXPRESS_SECONDS if machine.express else None)
    if machine.express:
        arn = f"{_prefix(machine)}:express:{machine.name}:{name}:{uuid.uuid4()}"
        seconds = min(seconds, EXPRESS_SECONDS)
    run = prepare(machine, arn, name, given)
    entered = {"input": given, "inputDetails": WHOLE, "roleArn": machine.role}
    qualified = {"stateMachineAliasArn": machine.alias, "stateMachineVersionArn": machine.version}
    run.line.history.add("ExecutionStarted", 0, entered | {name: value for name, value in qualified.items() if value})
    _announce(run)
    go(run, definition["StartAt"], json.loads(given), seconds)
    return run


def prepare(machine: Machine, arn: str, name: str, given: str, **more) -> Run:
    """The record of an execution and the line it will run on. `more` goes into the record and the line's context."""
    from ministack.services import stepfunctions

    now = stepfunctions.now_iso()
    record: dict = {
        "executionArn": arn,
        "stateMachineArn": machine.arn,
        "name": name,
        "status": "RUNNING",
        "startDate": now,
        "stopDate": None,
        "input": given,
        "output": None,
        "error": None,
        "cause": None,
        "events": [],
        "sync": machine.express,  # MiniStack's word for one that EventBridge is not told of
        **more,
    }
    if machine.version:
        record["stateMachineVersionArn"] = machine.version
    if machine.alias:
        record["stateMachineAliasArn"] = machine.alias
    if not machine.express or "mapRunArn" in more:
        stepfunctions._executions[arn] = record
    log = Log(machine, arn)
    context = {
        "Execution": {
            "Id": arn,
            "Input": json.loads(given),
            "Name": name,
            "RedriveCount": 0,
            "RoleArn": machine.role,
            "StartTime": now,
        },
        "StateMachine": {"Id": machine.version or machine.arn, "Name": machine.name},
    }
    line = Line(
        execution=arn,
        machine=machine,
        clock=Host.clock,
        history=History(record["events"], stepfunctions.now_iso, log.add),
        stop=Stop(),
        states=machine.definition["States"],
        language=machine.definition.get("QueryLanguage", "JSONPath"),
        context=context,
        variables={},
    )
    run = Host.runs[arn] = Run(record, line)
    run.listeners.append(lambda _: log.write())
    return run


def go(run: Run, first: str, value: object, seconds: float | None) -> None:
    """Have an execution run in threads of its own, for at most `seconds` of AWS time."""
    over = Host.activity.begin("Express execution") if run.line.machine.express else lambda: None

    def work() -> None:
        try:
            _end(run, "SUCCEEDED", output=text(walk(run.line, first, value)))
        except StateError as error:
            _end(run, "FAILED", error=error.error, cause=error.cause)
        except Stopped:
            pass
        except Exception as error:
            _end(run, "FAILED", error=RUNTIME, cause=f"{type(error).__name__}: {error}")
            raise
        finally:
            over()

    def watch() -> None:
        if not Host.clock.wait(run.done, seconds):
            _end(run, "TIMED_OUT")

    for task in (work, watch) if seconds is not None else (work,):
        threading.Thread(
            target=contextvars.copy_context().run, args=(task,), name="kata-execution", daemon=True
        ).start()


def _end(run: Run, status: str, output: str | None = None, error: str | None = None, cause: str | None = None) -> None:
    """End an execution, unless it has ended."""
    if status == "SUCCEEDED":
        details: dict = {"output": output, "outputDetails": WHOLE}
    else:
        details = {name: value for name, value in (("error", error), ("cause", cause)) if value}

    def last() -> None:
        from ministack.services import stepfunctions

        stopped = stepfunctions.now_iso()
        run.record.update(status=status, output=output, error=error or None, cause=cause or None, stopDate=stopped)

    with contextlib.suppress(Stopped):
        run.line.history.add(_ENDINGS[status], run.line.previous, details, last=last)
        run.line.stop.stop()
        _announce(run)
        with run.lock:
            listeners = list(run.listeners)
            run.done.set()
        for listener in listeners:
            listener(run.record)


def _announce(run: Run) -> None:
    from ministack.services import stepfunctions

    if not run.record.get("mapRunArn"):
        stepfunctions._emit_execution_status_event(run.record)
