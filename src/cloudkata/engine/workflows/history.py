"""The history of one execution.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html: ids from 1, and the event that
came before in the same line of control, 0 for the first. The details stand under a name that belongs to the type.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

from cloudkata.engine.workflows.errors import RUNTIME, StateError, Stopped

MOST_EVENTS = 25_000  # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
WHOLE = {"truncated": False}
_GROUPS = {
    "StateEntered": "stateEnteredEventDetails",
    "StateExited": "stateExitedEventDetails",
    "MapStateStarted": "mapStateStartedEventDetails",
}


def details_name(kind: str) -> str:
    """The member in which an event of this type has its details."""
    for ending in ("StateEntered", "StateExited"):
        if kind.endswith(ending):
            return _GROUPS[ending]
    return kind[0].lower() + kind[1:] + "EventDetails"


class History:
    """Thread-safe. `events` is the list that GetExecutionHistory reads; `now` tells the time as text."""

    def __init__(self, events: list[dict], now: Callable[[], str], listener: Callable[[dict], None]) -> None:
        self._events = events
        self._now = now
        self._listener = listener
        self._lock = threading.RLock()
        self._closed = False

    def add(self, kind: str, previous: int, details: dict | None = None, last: Callable[[], None] | None = None) -> int:
        """Append an event; its id. With `last` it is the last one, and `last` is called before anyone can see it.

        Raises Stopped when the execution has ended, StateError when the history is full.
        """
        with self._lock:
            if self._closed:
                raise Stopped
            if len(self._events) >= MOST_EVENTS - 1 and last is None:
                cause = f"The execution reached the maximum number of history events ({MOST_EVENTS})."
                raise StateError(RUNTIME, cause)
            event = {"timestamp": self._now(), "type": kind, "id": len(self._events) + 1, "previousEventId": previous}
            if details is not None:
                event[details_name(kind)] = details
            if last is not None:
                last()
                self._closed = True
            self._events.append(event)
            self._listener(event)
            return event["id"]


def with_input(value: object) -> dict:
    return {"input": text(value), "inputDetails": WHOLE}


def text(value: object) -> str:
    """A value as Step Functions writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
