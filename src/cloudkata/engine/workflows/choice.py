"""Choice: the first rule that holds.

https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html. A variable that is not there ends the
execution with States.Runtime, except for IsPresent.
"""

from __future__ import annotations

import datetime
import operator
import re

from cloudkata.engine.workflows.control import Line
from cloudkata.engine.workflows.data import jsonata, query
from cloudkata.engine.workflows.errors import RUNTIME, StateError
from cloudkata.engine.workflows.paths import NotFound, Scope, read, select

COMPARISON = re.compile(
    r"(String|Numeric|Boolean|Timestamp)(Equals|LessThan|GreaterThan|LessThanEquals|GreaterThanEquals|Matches)(Path)?"
)
_ORDERS = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}


def choose(line: Line, state: dict, raw: object, seen: object) -> dict | None:
    """The first rule that holds, or None."""
    for rule in state["Choices"]:
        if jsonata(line, state):
            found = query(line, rule["Condition"], raw)
            if not isinstance(found, bool):
                cause = f"The Condition of a Choice must be true or false, but was: {found!r}"
                raise StateError("States.QueryEvaluationError", cause)
            if found:
                return rule
        elif holds(rule, line.scope(seen)):
            return rule
    return None


def holds(rule: dict, scope: Scope) -> bool:
    """Whether a JSONPath rule holds. Raises StateError."""
    if "And" in rule:
        return all(holds(part, scope) for part in rule["And"])
    if "Or" in rule:
        return any(holds(part, scope) for part in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], scope)
    path = rule["Variable"]
    try:
        value = read(path, scope)
    except NotFound:
        if "IsPresent" in rule:
            return rule["IsPresent"] is False
        cause = f"Invalid path '{path}': The choice state's condition path references an invalid value."
        raise StateError(RUNTIME, cause) from None
    name = next(key for key in rule if key in _TYPES or COMPARISON.fullmatch(key))
    if name in _TYPES:
        return _TYPES[name](value) == rule[name]
    kind, order, by_path = COMPARISON.fullmatch(name).groups()  # type: ignore[union-attr]
    other = select(rule[name], scope, name) if by_path else rule[name]
    return _compare(kind, order, value, other)


def _compare(kind: str, order: str, value: object, other: object) -> bool:
    """Values of another type than the comparison's are never equal, greater or less."""
    if not (_OF_KIND[kind](value) and _OF_KIND[kind](other)):
        return False
    if order == "Matches":
        return bool(_pattern(str(other)).fullmatch(str(value)))
    if kind == "Timestamp":
        value, other = _moment(value), _moment(other)
    return _ORDERS[order](value, other)


def _pattern(text: str) -> re.Pattern:
    """`*` is any text, `\\*` a star."""
    made = re.sub(r"\\(.)|(\*)|([^\\*]+)", lambda part: ".*" if part[2] else re.escape(part[1] or part[3]), text)
    return re.compile(made, re.DOTALL)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_moment(value: object) -> bool:
    return isinstance(value, str) and "T" in value and _moment(value) is not None


def _moment(value: object):
    try:
        return datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None


_OF_KIND = {"String": _is_text, "Numeric": _is_number, "Boolean": _is_boolean, "Timestamp": _is_moment}
_TYPES = {
    "IsPresent": lambda value: True,
    "IsNull": lambda value: value is None,
    "IsNumeric": _is_number,
    "IsString": _is_text,
    "IsBoolean": _is_boolean,
    "IsTimestamp": _is_moment,
}
TYPE_TESTS = frozenset(_TYPES)
