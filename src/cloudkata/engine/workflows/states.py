"""Walks a line of control from state to state, and does what has no work of its own: Pass, Wait, Succeed, Fail."""

from __future__ import annotations

import contextlib
import datetime

from cloudkata.engine.workflows.choice import choose
from cloudkata.engine.workflows.control import Line
from cloudkata.engine.workflows.data import (
    arguments,
    assign,
    effective,
    finish,
    jsonata,
    number,
    passed_on,
    query,
    setting,
    within_limit,
)
from cloudkata.engine.workflows.errors import RUNTIME, StateError, Stopped
from cloudkata.engine.workflows.history import WHOLE, with_input
from cloudkata.engine.workflows.paths import NotFound, evaluate, read
from cloudkata.engine.workflows.retry import persist


def walk(line: Line, start: str, value: object) -> object:
    """Run the states of a line from `start` to its end; the output. Raises StateError, or Stopped."""
    name: str | None = start
    while name is not None:
        value, name = _run(line, name, value)
    return value


def _run(line: Line, name: str, raw: object) -> tuple[object, str | None]:
    state = line.states[name]
    entered = line.event(f"{state['Type']}StateEntered", {"name": name, **with_input(raw)})
    line.state = (name, entered)
    line.context = {key: value for key, value in line.context.items() if key != "Task"}
    line.context["State"] = {"EnteredTime": _iso(line.clock.now()), "Name": name, "RetryCount": 0}
    before = line.variables
    try:
        output, following = _KINDS[state["Type"]](line, state, raw)
        written = within_limit(name, output)
    except StateError as error:
        raise _placed(line, error) from error
    except Stopped:
        _aborted(line, state["Type"])
        raise
    details: dict = {"name": name, "output": written, "outputDetails": WHOLE}
    if line.variables is not before and line.variables != before:
        changed = {key: value for key, value in line.variables.items() if key not in before or before[key] != value}
        details["assignedVariables"] = {key: within_limit(name, value) for key, value in changed.items()}
        details["assignedVariablesDetails"] = WHOLE
    line.event(f"{state['Type']}StateExited", details)
    return output, following


def _aborted(line: Line, kind: str) -> None:
    """Say that a state was left because another branch failed. Where the execution has ended nothing is written."""
    if kind in _CAN_BE_ABORTED:
        with contextlib.suppress(Stopped):
            line.previous = line.history.add(f"{kind}StateAborted", line.previous)


def _placed(line: Line, error: StateError) -> StateError:
    """States.Runtime says in which state it happened."""
    if error.error != RUNTIME or error.cause.startswith("An error occurred while executing the state"):
        return error
    name, number = line.state
    where = f"An error occurred while executing the state '{name}' (entered at the event id #{number})."
    return StateError(RUNTIME, f"{where} {error.cause}")


def _iso(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def _pass(line: Line, state: dict, raw: object):
    if jsonata(line, state):
        return finish(line, state, raw, raw), state.get("Next")
    given = arguments(line, state, raw, effective(line, state, raw))
    return finish(line, state, raw, state.get("Result", given)), state.get("Next")


def _choice(line: Line, state: dict, raw: object):
    seen = effective(line, state, raw)
    rule = choose(line, state, raw, seen)
    if rule is None and "Default" not in state:
        raise StateError("States.NoChoiceMatched", "No Choice Rule matched, and no Default was given.")
    chosen = state if rule is None else rule
    output = query(line, chosen["Output"], raw) if jsonata(line, state) and "Output" in chosen else seen
    assign(line, chosen, raw if jsonata(line, state) else seen)
    return passed_on(line, state, output), state["Default"] if rule is None else rule["Next"]


def _wait(line: Line, state: dict, raw: object):
    seen = effective(line, state, raw)
    if "Timestamp" in state or "TimestampPath" in state:
        line.sleep(max(0.0, _moment(setting(line, state, "Timestamp", seen)) - line.clock.now()))
    else:
        line.sleep(number(line, state, "Seconds", seen, 0) or 0)
    return _unchanged(line, state, raw, seen), state.get("Next")


def _moment(value: object) -> float:
    try:
        return datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise StateError(RUNTIME, f"The Timestamp must be an ISO-8601 date and time, but was: {value}") from None


def _succeed(line: Line, state: dict, raw: object):
    return _unchanged(line, state, raw, effective(line, state, raw)), None


def _unchanged(line: Line, state: dict, raw: object, seen: object) -> object:
    """The output of a state without a result."""
    output = query(line, state["Output"], raw) if jsonata(line, state) and "Output" in state else seen
    assign(line, state, seen)
    return passed_on(line, state, output)


def _fail(line: Line, state: dict, raw: object):
    raise StateError(_words(line, state, "Error", raw), _words(line, state, "Cause", raw))


def _words(line: Line, state: dict, name: str, raw: object) -> str:
    path = state.get(f"{name}Path")
    try:
        if path is None:
            value = setting(line, state, name, raw, "")
        else:
            value = evaluate(path, line.scope(raw), name) if path.startswith("States.") else read(path, line.scope(raw))
    except NotFound:
        raise StateError(RUNTIME, f"The JSONPath '{path}' of {name}Path could not be found in the input") from None
    if not isinstance(value, str):
        raise StateError(RUNTIME, f"{name} of a Fail state must be a text, but was: {value!r}")
    return value


def _task(line: Line, state: dict, raw: object):
    from cloudkata.engine.workflows.tasks import run_task

    return persist(line, state, raw, lambda: run_task(line, state, raw))


def _parallel(line: Line, state: dict, raw: object):
    from cloudkata.engine.workflows.groups import run_parallel

    return persist(line, state, raw, lambda: run_parallel(line, state, raw))


def _map(line: Line, state: dict, raw: object):
    from cloudkata.engine.workflows.groups import run_map

    return persist(line, state, raw, lambda: run_map(line, state, raw))


_CAN_BE_ABORTED = ("Task", "Wait", "Parallel", "Map")
_KINDS = {
    "Pass": _pass,
    "Choice": _choice,
    "Wait": _wait,
    "Succeed": _succeed,
    "Fail": _fail,
    "Task": _task,
    "Parallel": _parallel,
    "Map": _map,
}
