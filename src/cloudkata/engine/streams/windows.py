"""Tumbling windows: the state that invocations of one shard hand on to each other.

AWS documents (https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html): windows follow each other
without overlap, by the time at which records were inserted; the event has the window, the state so far, and whether
this is the window's last invocation; the response must hold the state. A state over 1 MB ends the window early, as does
the end of the shard.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass

STATE_BYTES = 1 << 20


@dataclass
class Window:
    """One window of a shard; times in seconds since the epoch."""

    start: float
    length: int
    state: object = None
    early: bool = False

    @classmethod
    def of(cls, arrived: float, length: int) -> Window:
        return cls(arrived // length * length, length, {})

    @property
    def end(self) -> float:
        return self.start + self.length

    def holds(self, arrived: float) -> bool:
        return self.start <= arrived < self.end

    def fields(self, shard: str, arn: str, *, final: bool) -> dict:
        """What an event has besides its records."""
        return {
            "window": {"start": _time(self.start), "end": _time(self.end)},
            "state": self.state,
            "shardId": shard,
            "eventSourceARN": arn,
            "isFinalInvokeForWindow": final,
            "isWindowTerminatedEarly": final and self.early,
        }

    def take(self, payload: bytes) -> bool:
        """Keep the state of a response; False where it has none, which fails the invocation."""
        try:
            answer = json.loads(payload or b"null")
        except ValueError:
            return False
        if not isinstance(answer, dict) or "state" not in answer:
            return False
        self.state = answer["state"]
        self.early = len(json.dumps(self.state)) > STATE_BYTES
        return True


def _time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
