"""Finds what is wrong with Retry and Catch.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html: States.ALL stands alone in its
ErrorEquals, in the last retrier or catcher.
"""

from __future__ import annotations

from collections.abc import Iterator

from cloudkata.engine.workflows import fields

_SCHEMA = "SCHEMA_VALIDATION_FAILED"
_MOST = 99_999_999
_LEAST = {"IntervalSeconds": 1, "MaxAttempts": 0, "MaxDelaySeconds": 1}
Found = tuple[str, str, str]


def judge_policies(state: dict, where: str) -> Iterator[Found]:
    """(code, message, location) of each thing that is wrong."""
    for name, known in (("Retry", fields.RETRIER), ("Catch", fields.CATCHER)):
        policies = state.get(name, [])
        if not isinstance(policies, list):
            yield _SCHEMA, f"{name} must be a list", f"{where}/{name}"
            continue
        for number, policy in enumerate(policies):
            place = f"{where}/{name}[{number}]"
            if not isinstance(policy, dict):
                yield _SCHEMA, "It must be an object with ErrorEquals", place
                continue
            for field in policy.keys() - known:
                yield _SCHEMA, f"The field '{field}' is not supported", f"{place}/{field}"
            yield from _errors(policy, number == len(policies) - 1, place)
            if name == "Retry":
                yield from _numbers(policy, place)
            elif "Next" not in policy:
                yield _SCHEMA, "A catcher needs the field Next", place


def _errors(policy: dict, last: bool, place: str) -> Iterator[Found]:
    wanted = policy.get("ErrorEquals")
    place = f"{place}/ErrorEquals"
    if not isinstance(wanted, list) or not wanted or not all(isinstance(error, str) for error in wanted):
        yield _SCHEMA, "ErrorEquals must be a list of error names, not empty", place
    elif "States.ALL" in wanted and len(wanted) > 1:
        yield _SCHEMA, "States.ALL must be the only error in its ErrorEquals", place
    elif "States.ALL" in wanted and not last:
        yield _SCHEMA, "States.ALL must be in the last retrier or catcher", place


def _numbers(policy: dict, place: str) -> Iterator[Found]:
    for name, least in _LEAST.items():
        value = policy.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
            yield _SCHEMA, f"{name} must be a whole number from {least} to {_MOST}", f"{place}/{name}"
    rate = policy.get("BackoffRate", 1)
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or rate < 1:
        yield _SCHEMA, "BackoffRate must be a number of at least 1.0", f"{place}/BackoffRate"
    if policy.get("JitterStrategy", "NONE") not in ("FULL", "NONE"):
        yield _SCHEMA, "JitterStrategy must be FULL or NONE", f"{place}/JitterStrategy"
