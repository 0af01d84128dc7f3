"""What the engine still has to do: calls in progress, and work that will come due by itself."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager

# Work is handed from one thread to another in far less than this; two quiet looks this far apart are rest.
_QUIET_SECONDS = 0.06
_LOOKS = 3


class Activity:
    """Counts what runs, and asks every behaviour what it has pending. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._begun = 0
        self._probes: list[Callable[[], list[str]]] = []

    def begin(self, what: str) -> Callable[[], None]:
        """Count a piece of work until the returned function is called, from any thread."""
        with self._lock:
            self._running[what] += 1
            self._begun += 1

        def end() -> None:
            with self._lock:
                self._running[what] -= 1

        return end

    @contextmanager
    def busy(self, what: str):
        """Count a piece of work for as long as the context lasts."""
        end = self.begin(what)
        try:
            yield
        finally:
            end()

    def probe(self, ask: Callable[[], list[str]]) -> None:
        """`ask` answers with a line for each thing that is pending."""
        self._probes.append(ask)

    def pending(self) -> list[str]:
        """One line for each thing in progress or due later."""
        with self._lock:
            found = [f"{count} {what}" for what, count in self._running.items() if count]
        for ask in self._probes:
            found += ask()
        return found

    def settle(self, seconds: float) -> list[str]:
        """Wait until nothing is pending, in several looks in a row; what still is after `seconds`, or nothing."""
        deadline = time.monotonic() + seconds
        quiet, begun = 0, -1
        while True:
            found = self.pending()
            quiet = quiet + 1 if not found and begun == self._begun else 0
            begun = self._begun
            if quiet >= _LOOKS:
                return []
            if time.monotonic() > deadline:
                return found or ["work that keeps coming"]
            time.sleep(_QUIET_SECONDS / _LOOKS if not found else 0.02)
