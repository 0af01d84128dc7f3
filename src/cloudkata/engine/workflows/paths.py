"""JSONPath in the States Language: reading values, writing results, filling payload templates.

https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html: `$` is the state's input, `$$`
the context object, `$name` a variable. A path that finds nothing is an error; one that may find several gives a list.
Simple paths are read here, all others by jsonpath-ng. Intrinsic functions are MiniStack's.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, field

from cloudkata.engine.workflows.errors import RUNTIME, StateError

_SIMPLE = re.compile(r"\$(?:\.[\w-]+|\[\d+\]|\['[^'\]]*'\])*")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]|\['([^'\]]*)'\]")
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)(.*)", re.DOTALL)
_MOST_IN_RANGE = 1000
INTRINSIC = re.compile(r"States\.\w+\(.*\)", re.DOTALL)


class NotFound(Exception):
    """A path finds nothing."""


@dataclass(frozen=True)
class Scope:
    """What paths can read: `data` by `$`, `context` by `$$`, `variables` by `$name`."""

    data: object
    context: dict = field(default_factory=dict)
    variables: dict = field(default_factory=dict)

    def over(self, data: object) -> Scope:
        return Scope(data, self.context, self.variables)


@functools.lru_cache(maxsize=512)
def parsed(path: str):
    """A path for jsonpath-ng. Raises ValueError for what is none."""
    from jsonpath_ng.exceptions import JSONPathError
    from jsonpath_ng.ext import parse

    try:
        return parse(path)
    except (JSONPathError, AttributeError, TypeError) as error:
        raise ValueError(f"not a JSONPath: {path}") from error


def read(path: str, scope: Scope) -> object:
    """The value at `path`. Raises NotFound."""
    if path.startswith("$$"):
        return _find(path[1:], scope.context)
    if (named := _VARIABLE.fullmatch(path)) is not None:
        if named[1] not in scope.variables:
            raise NotFound(path)
        return _find("$" + named[2], scope.variables[named[1]])
    return _find(path, scope.data)


def _find(path: str, data: object) -> object:
    if _SIMPLE.fullmatch(path) is None:
        return _search(path, data)
    for name, index, quoted in _STEP.findall(path):
        if index:
            if not isinstance(data, list) or int(index) >= len(data):
                raise NotFound(path)
            data = data[int(index)]
        else:
            key = name or quoted
            if not isinstance(data, dict) or key not in data:
                raise NotFound(path)
            data = data[key]
    return data


def _search(path: str, data: object) -> list:
    try:
        return [found.value for found in parsed(path).find(data)]
    except ValueError as error:
        raise NotFound(path) from error


def select(path: str, scope: Scope, name: str) -> object:
    """The value that the field `name` of a state points to. Raises StateError States.Runtime."""
    try:
        return read(path, scope)
    except NotFound:
        raise StateError(RUNTIME, missing(path, name, scope.data)) from None


def missing(path: str, name: str, data: object) -> str:
    shown = f"specified for the field '{name}' could not be found in the input '{json.dumps(data)}'"
    return f"The JSONPath '{path}' {shown}"


def fill(template: object, scope: Scope) -> object:
    """A payload template with every `name.$` read or computed. Raises StateError."""
    if isinstance(template, list):
        return [fill(part, scope) for part in template]
    if not isinstance(template, dict):
        return template
    made = {}
    for key, value in template.items():
        if key.endswith(".$") and isinstance(value, str):
            made[key[:-2]] = evaluate(value, scope, key)
        else:
            made[key] = fill(value, scope)
    return made


def evaluate(expression: str, scope: Scope, name: str) -> object:
    """A path or an intrinsic function. Raises StateError: States.Runtime, or States.IntrinsicFailure."""
    if not expression.startswith("States."):
        return select(expression, scope, name)
    from ministack.services import stepfunctions

    try:
        node, _ = stepfunctions._parse_intrinsic_call(expression, 0)
        return _computed(node, scope, name)
    except StateError:
        raise
    except Exception as error:  # the function was given what it cannot work on
        cause = f"The intrinsic '{expression}' specified for the field '{name}' failed: {error}"
        raise StateError("States.IntrinsicFailure", cause) from error


def _computed(node: tuple, scope: Scope, name: str) -> object:
    """The value of a parsed argument or call."""
    from ministack.services import stepfunctions

    if node[0] == "path":
        return select(node[1], scope, name)
    if node[0] != "call":
        return stepfunctions._eval_intrinsic_arg(node, scope.data, scope.context)
    _, function, arguments = node
    values = [_computed(argument, scope, name) for argument in arguments]
    if function == "States.Format":
        values = values[:1] + [_as_text(value) for value in values[1:]]
    if function == "States.ArrayRange":
        _check_range(*values)
    return stepfunctions._exec_intrinsic(("call", function, [("null", value) for value in values]), None, None)


def _as_text(value: object) -> str:
    """A value as States.Format shows it: JSON, where it is no text."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _check_range(first: int, last: int, step: int) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html: at most 1000 items."""
    if len(range(int(first), int(last) + 1, int(step))) > _MOST_IN_RANGE:
        raise ValueError(f"an array may have at most {_MOST_IN_RANGE} items")


def place(path: str | None, original: object, result: object) -> object:
    """The input with a result put where ResultPath says. Raises StateError States.ResultPathMatchFailure."""
    if path is None:
        return original
    steps = _STEP.findall(path)
    if not steps:
        return result
    return _placed(steps, original, result, path)


def _placed(steps: list, original: object, result: object, path: str) -> object:
    if not steps:
        return result
    name, index, quoted = steps[0]
    if index:
        if not isinstance(original, list) or int(index) >= len(original):
            raise _no_place(path, original)
        copied = list(original)
        copied[int(index)] = _placed(steps[1:], original[int(index)], result, path)
        return copied
    if not isinstance(original, dict):
        raise _no_place(path, original)
    key = name or quoted
    return {**original, key: _placed(steps[1:], original.get(key, {}), result, path)}


def _no_place(path: str, original: object) -> StateError:
    cause = f"Unable to apply ReferencePath {path} to input {json.dumps(original)}"
    return StateError("States.ResultPathMatchFailure", cause)
