"""What goes into a state and what comes out of it, in both query languages.

JSONPath: InputPath, Parameters, the work, ResultSelector, ResultPath, OutputPath
(https://docs.aws.amazon.com/step-functions/latest/dg/concepts-input-output-filtering.html). JSONata: Arguments, the
work, Output (https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html). Both assign variables
(https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html). JSONata is evaluated by MiniStack.
"""

from __future__ import annotations

from cloudkata.engine.workflows.control import Line
from cloudkata.engine.workflows.errors import DATA_LIMIT, RUNTIME, StateError
from cloudkata.engine.workflows.history import text
from cloudkata.engine.workflows.paths import evaluate, fill, place, select

MOST_BYTES = 262_144  # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_QUERY_ERROR = "States.QueryEvaluationError"


def jsonata(line: Line, state: dict) -> bool:
    return state.get("QueryLanguage", line.language) == "JSONata"


def query(line: Line, template: object, raw: object, result: object = None, error: object = None) -> object:
    """A value with every `{% %}` in it evaluated. Raises StateError, and writes an event of it."""
    from ministack.services import stepfunctions

    context = {**line.context, "variables": line.variables}
    try:
        return stepfunctions._apply_jsonata_template(template, raw, context, result, error)
    except stepfunctions._ExecutionError as failure:
        details = {"error": failure.error, "cause": failure.cause, "state": line.state[0]}
        line.event("EvaluationFailed", details, follow=False)
        raise StateError(failure.error, failure.cause) from None


def effective(line: Line, state: dict, raw: object) -> object:
    """A state's input after InputPath; JSONata has none."""
    path = state.get("InputPath", "$")
    if jsonata(line, state) or path == "$":
        return raw
    return {} if path is None else select(path, line.scope(raw), "InputPath")


def arguments(line: Line, state: dict, raw: object, seen: object) -> object:
    """What the work is given: Parameters over the effective input `seen`, or Arguments over the raw one."""
    if jsonata(line, state):
        return query(line, state["Arguments"], raw) if "Arguments" in state else raw
    return fill(state["Parameters"], line.scope(seen)) if "Parameters" in state else seen


def finish(line: Line, state: dict, raw: object, result: object) -> object:
    """A state's output from what its work came to; assigns its variables."""
    if jsonata(line, state):
        output = query(line, state["Output"], raw, result) if "Output" in state else result
        assign(line, state, raw, result)
        return output
    if "ResultSelector" in state:
        result = fill(state["ResultSelector"], line.scope(result))
    assign(line, state, result)
    return passed_on(line, state, place(state.get("ResultPath", "$"), raw, result))


def passed_on(line: Line, state: dict, value: object) -> object:
    """A value after OutputPath."""
    path = state.get("OutputPath", "$")
    if path == "$" or jsonata(line, state):
        return value
    return {} if path is None else select(path, line.scope(value), "OutputPath")


def assign(line: Line, state: dict, raw: object, result: object = None, error: object = None) -> None:
    """Set the variables of Assign: all are computed from what they were before."""
    if not (assigned := state.get("Assign")):
        return
    language = state.get("QueryLanguage", line.language)
    made = query(line, assigned, raw, result, error) if language == "JSONata" else fill(assigned, line.scope(raw))
    assert isinstance(made, dict)
    line.variables = {**line.variables, **made}


def setting(line: Line, state: dict, name: str, raw: object, default=None):
    """A field that may come as `name`, as an expression, or as `namePath`."""
    if f"{name}Path" in state:
        return evaluate(state[f"{name}Path"], line.scope(raw), f"{name}Path")
    value = state.get(name, default)
    return query(line, value, raw) if isinstance(value, str) and jsonata(line, state) else value


def number(line: Line, state: dict, name: str, raw: object, default: float | None = None) -> float | None:
    """A field that must come to a number of 0 or more. Raises StateError."""
    value = setting(line, state, name, raw, default)
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0):
        return value
    error = _QUERY_ERROR if jsonata(line, state) else RUNTIME
    raise StateError(error, f"The value of {name} must be a number of at least 0, but was: {text(value)}")


def within_limit(name: str, value: object) -> str:
    """A value as text. Raises StateError States.DataLimitExceeded where it is too large to be passed on."""
    written = text(value)
    if len(written.encode()) > MOST_BYTES:
        limit = "a size exceeding the maximum number of bytes service limit"
        raise StateError(DATA_LIMIT, f"The state/task '{name}' returned a result with {limit}.")
    return written
