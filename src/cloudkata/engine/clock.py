"""AWS time: real time, made to run faster while an attempt waits, and moved forward on request.

Every timer of a service is in whole seconds, so with a factor of at most ten no scaled interval is under 100 ms.
"""

from __future__ import annotations

import heapq
import threading
import time
import types
from collections.abc import Callable

MAX_FACTOR = 10.0


class AwsClock:
    """Thread-safe. `now` is in seconds since the epoch; it never goes back."""

    def __init__(self, factor: float = 1.0) -> None:
        self._changed = threading.Condition()
        self._base_real = time.monotonic()
        self._base_aws = time.time()
        self._factor = 1.0
        self._sleepers: list[float] = []
        self._listeners: list[Callable[[], None]] = []
        self.set_factor(factor)

    @property
    def factor(self) -> float:
        return self._factor

    def _now(self) -> float:
        return self._base_aws + (time.monotonic() - self._base_real) * self._factor

    def now(self) -> float:
        with self._changed:
            return self._now()

    def set_factor(self, factor: float) -> None:
        """Run `factor` times as fast as real time. Raises ValueError outside 1 to 10."""
        if not 1.0 <= factor <= MAX_FACTOR:
            raise ValueError(f"the time factor must be from 1 to {MAX_FACTOR:g}, not {factor:g}")
        with self._changed:
            self._base_aws, self._base_real, self._factor = self._now(), time.monotonic(), factor
            self._changed.notify_all()
        self._tell()

    def advance(self, seconds: float) -> None:
        """Move on by `seconds` at once; every sleeper that is due by then wakes. Raises ValueError below zero."""
        if not 0 <= seconds < 10**9:
            raise ValueError("time can only be moved forward")
        with self._changed:
            self._base_aws += seconds
            self._changed.notify_all()
        self._tell()

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever time jumps or changes its speed, from any thread, until what is returned is called.

        Whoever waits by other means than sleep() and wait() has to look at the clock again.
        """
        with self._changed:
            self._listeners.append(listener)

        def forget() -> None:
            with self._changed:
                self._listeners.remove(listener)

        return forget

    def _tell(self) -> None:
        with self._changed:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def sleep(self, seconds: float) -> None:
        """Wait for an interval of AWS time."""
        with self._changed:
            until = self._now() + seconds
            heapq.heappush(self._sleepers, until)
            try:
                while (left := until - self._now()) > 0:
                    self._changed.wait(left / self._factor)
            finally:
                self._sleepers.remove(until)
                heapq.heapify(self._sleepers)

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        """Wait for `event` for at most an interval of AWS time; whether it was set."""
        if seconds is None:
            return event.wait()
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            if event.wait(min(left / self._factor, 0.05)):
                return True
        return event.is_set()

    def as_time_module(self) -> types.ModuleType:
        """A stand-in for the module `time` whose time() and sleep() are AWS time; all else is unchanged."""
        module = types.ModuleType("time", "time, on the AWS clock")
        module.__dict__.update({name: getattr(time, name) for name in dir(time) if not name.startswith("__")})
        module.time = self.now  # type: ignore[attr-defined]
        module.time_ns = lambda: int(self.now() * 1e9)  # type: ignore[attr-defined]
        module.sleep = self.sleep  # type: ignore[attr-defined]
        return module
