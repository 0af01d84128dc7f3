"""How many attempts at once: as many as there are cores, and only as long as memory for one more is there.

How much one takes is measured: what most attempts before had at their peak. One attempt may always run.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from cloudkata.grading.cohort.tray import MB

_FIRST_GUESS = 700 * MB  # until the first attempt has ended
_LEAST = 200 * MB
_RESERVE = 0.05  # of all memory, which stays for everybody else
_PART = 0.75  # of the attempts that ended took no more than what is set aside for one
_SPARE = 1.2
_LOOK_SECONDS = 0.5
_CGROUP = Path("/sys/fs/cgroup")


def cores() -> int:
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def memory_here() -> tuple[int, int]:
    """(bytes of memory in all, bytes available), of the machine or of the container this runs in; 0 if unknown."""
    total = available = 0
    with contextlib.suppress(OSError, ValueError), open("/proc/meminfo", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file)
        total, available = (int(lines[name].split()[0]) << 10 for name in ("MemTotal", "MemAvailable"))
    with contextlib.suppress(OSError, ValueError):
        most, used = (int((_CGROUP / name).read_text()) for name in ("memory.max", "memory.current"))
        statistics = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
        left = most - used + int(statistics.get("inactive_file", "0"))
        total, available = min(total or most, most), min(available or left, left)
    return total, available


class Slot:
    """One attempt's place. `measured` is told what it has in memory now."""

    def __init__(self) -> None:
        self.now = self.peak = 0

    def measured(self, size: int) -> None:
        self.now, self.peak = size, max(self.peak, size)


class Admission:
    """Lets attempts in, `most` at once at the most."""

    def __init__(self, most: int, available: Callable[[], tuple[int, int]] = memory_here) -> None:
        self.most = most
        self._available = available
        self._changed = threading.Condition()
        self._running: set[Slot] = set()
        self._peaks: list[int] = []

    @property
    def need(self) -> int:
        """Bytes to set aside for an attempt."""
        if not self._peaks:
            return _FIRST_GUESS
        ordered = sorted(self._peaks)
        return max(_LEAST, int(ordered[int(_PART * (len(ordered) - 1))] * _SPARE))

    @contextlib.contextmanager
    def admitted(self, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Slot | None]:
        """Wait for a place and have it; None when `cancelled` said so while it waited."""
        slot = Slot()
        with self._changed:
            while not self._room():
                if cancelled():
                    yield None
                    return
                self._changed.wait(_LOOK_SECONDS)
            self._running.add(slot)
        try:
            yield slot
        finally:
            with self._changed:
                self._running.discard(slot)
                if slot.peak:
                    self._peaks.append(slot.peak)
                self._changed.notify_all()

    def _room(self) -> bool:
        if not self._running:
            return True
        if len(self._running) >= self.most:
            return False
        total, available = self._available()
        if not total:
            return True
        still_to_come = sum(max(0, self.need - slot.now) for slot in self._running)
        return available - still_to_come - self.need >= total * _RESERVE

    def share(self, bound: int) -> int:
        """What one attempt may have at the most, so that as many as run at once fit: `bound`, or less."""
        total, _ = self._available()
        return min(bound, max(_FIRST_GUESS, int(total * 0.8) // self.most)) if total else bound
