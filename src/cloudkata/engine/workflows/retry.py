"""Retry and Catch of Task, Parallel and Map.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html: the first retrier that covers the
error decides, with a count of its own for each entry of the state; when it has used its MaxAttempts, catchers are
looked at in order. A retry leaves no event of its own.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from cloudkata.engine.workflows.control import Line
from cloudkata.engine.workflows.data import assign, finish, jsonata, query
from cloudkata.engine.workflows.errors import StateError, matches
from cloudkata.engine.workflows.paths import place


def persist(line: Line, state: dict, raw: object, attempt: Callable[[], object]) -> tuple[object, str | None]:
    """(output, next state) of what `attempt` comes to in the end. Raises its StateError where nothing catches it."""
    tried: Counter[int] = Counter()
    while True:
        line.context["State"] = {**line.context["State"], "RetryCount": tried.total()}
        try:
            return finish(line, state, raw, attempt()), state.get("Next")
        except StateError as error:
            pause = _pause(state.get("Retry", ()), error.error, tried)
            if pause is None:
                return _caught(line, state, raw, error)
        line.sleep(pause)


def _pause(retriers, error: str, tried: Counter[int]) -> float | None:
    """Seconds until the next attempt, or None where there is none."""
    for index, retrier in enumerate(retriers):
        if not matches(retrier["ErrorEquals"], error):
            continue
        if tried[index] >= retrier.get("MaxAttempts", 3):
            return None
        pause = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** tried[index]
        pause = min(pause, retrier.get("MaxDelaySeconds", pause))
        tried[index] += 1
        return random.uniform(0, pause) if retrier.get("JitterStrategy") == "FULL" else pause
    return None


def _caught(line: Line, state: dict, raw: object, error: StateError) -> tuple[object, str]:
    for catcher in state.get("Catch", ()):
        if not matches(catcher["ErrorEquals"], error.error):
            continue
        output = {"Error": error.error, "Cause": error.cause}
        if jsonata(line, state):
            assign(line, {"QueryLanguage": "JSONata", **catcher}, raw, error=output)
            return query(line, catcher.get("Output", output), raw, error=output), catcher["Next"]
        assign(line, catcher, output)
        return place(catcher.get("ResultPath", "$"), raw, output), catcher["Next"]
    raise error
