"""Filter criteria of event source mappings: which records a function gets to see.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html : up to five patterns, a record is kept when
one of them matches. A pattern is a JSON object whose leaves are lists of allowed values or of comparisons:
"equals-ignore-case", "prefix", "suffix", "anything-but", "numeric", "exists" (leaves alone), and "$or" over fields.
Where a record's value is a list, one of its elements has to match. A pattern for text drops what is JSON, and the other
way round (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html).
"""

from __future__ import annotations

import json
from collections.abc import Iterable

MAX_FILTERS = 5
_ABSENT = object()
_COMPARISONS = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


class FilterError(Exception):
    """Criteria that CreateEventSourceMapping refuses; the message is for its caller."""


class EventFilter:
    """The criteria of one mapping. Without any, everything is kept. Raises FilterError for what is no pattern."""

    def __init__(self, criteria: dict | None) -> None:
        filters = (criteria or {}).get("Filters") or []
        if len(filters) > MAX_FILTERS:
            raise FilterError(f"Exceeded the limit of {MAX_FILTERS} filters for an event source mapping.")
        self._patterns = [_parse(entry.get("Pattern")) for entry in filters]

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def keeps(self, record: dict) -> bool:
        """Whether a record, its payload decoded with `decoded`, is for the function."""
        return not self._patterns or any(_matches(pattern, record) for pattern in self._patterns)


def decoded(text: str):
    """A payload as filters see it: the JSON object or list it holds, or else the text itself."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict | list) else text


def _parse(text) -> dict:
    try:
        pattern = json.loads(text)
    except (TypeError, ValueError):
        raise FilterError("Invalid filter pattern definition.") from None
    if not isinstance(pattern, dict):
        raise FilterError("Invalid filter pattern definition.")
    _check(pattern)
    return pattern


def _check(pattern: dict) -> None:
    for name, rules in pattern.items():
        if name == "$or":
            if not isinstance(rules, list) or len(rules) < 2 or not all(isinstance(rule, dict) for rule in rules):
                raise FilterError("Invalid filter pattern definition.")
            for rule in rules:
                _check(rule)
        elif isinstance(rules, dict):
            _check(rules)
        elif not isinstance(rules, list) or not rules or not all(_is_rule(rule) for rule in rules):
            raise FilterError("Invalid filter pattern definition.")


def _is_rule(rule) -> bool:
    if not isinstance(rule, dict):
        return not isinstance(rule, list)
    if len(rule) != 1:
        return False
    (name, operand), *_ = rule.items()
    if name in ("prefix", "suffix", "equals-ignore-case"):
        return isinstance(operand, str)
    if name == "exists":
        return isinstance(operand, bool)
    if name == "anything-but":
        return operand not in ([], {})
    if name != "numeric" or not isinstance(operand, list) or len(operand) not in (2, 4):
        return False
    return all(word in _COMPARISONS for word in operand[::2]) and all(_is_number(bound) for bound in operand[1::2])


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _matches(pattern: dict, record) -> bool:
    for name, rules in pattern.items():
        if name == "$or":
            if not any(_matches(rule, record) for rule in rules):
                return False
            continue
        value = record.get(name, _ABSENT) if isinstance(record, dict) else _ABSENT
        if isinstance(rules, dict):
            inner = value if isinstance(value, list) else [{} if value is _ABSENT else value]
            if not any(_matches(rules, part) for part in inner):
                return False
        elif not any(_holds(rule, value) for rule in rules):
            return False
    return True


def _holds(rule, value) -> bool:
    if isinstance(rule, dict) and "exists" in rule:
        return rule["exists"] == (value is not _ABSENT and not isinstance(value, dict))
    if value is _ABSENT:
        return False
    values = value if isinstance(value, list) else [value]
    return any(_holds_for(rule, part) for part in values)


def _holds_for(rule, value) -> bool:
    if not isinstance(rule, dict):
        return _equal(rule, value)
    ((name, operand),) = rule.items()
    if name == "anything-but":
        return _is_other(operand, value)
    if name == "numeric":
        bounds = zip(operand[::2], operand[1::2], strict=True)
        return _is_number(value) and all(_COMPARISONS[word](value, bound) for word, bound in bounds)
    if not isinstance(value, str):
        return False
    if name == "prefix":
        return value.startswith(operand)
    if name == "suffix":
        return value.endswith(operand)
    return value.casefold() == operand.casefold()


def _is_other(operand, value) -> bool:
    if isinstance(operand, dict):
        return not _holds_for(operand, value)
    banned: Iterable = operand if isinstance(operand, list) else [operand]
    return not any(_equal(entry, value) for entry in banned)


def _equal(one, other) -> bool:
    """Equal as JSON: true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)
