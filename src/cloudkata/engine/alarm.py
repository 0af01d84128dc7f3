"""Waiting on the engine's event loop: for something to happen, or for a point in AWS time."""

from __future__ import annotations

import asyncio
import contextlib

from cloudkata.engine.clock import AwsClock


class Alarm:
    """Wakes the one who waits on it. Made and used on the event loop; `ring` may be called from any thread."""

    def __init__(self, clock: AwsClock) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()
        self.close = clock.on_change(self.ring)

    def ring(self) -> None:
        """End the wait that is under way, or the next one."""
        self._loop.call_soon_threadsafe(self._rung.set)

    def ring_here(self) -> None:
        """The same, on the event loop."""
        self._rung.set()

    async def wait(self, until: float | None = None) -> None:
        """Until it rings, the clock jumps, or AWS time is `until`; the caller looks what has become of its reason."""
        while not self._rung.is_set():
            real = None if until is None else (until - self._clock.now()) / self._clock.factor
            if real is not None and real <= 0:
                break
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), real)
        self._rung.clear()


async def sleep(clock: AwsClock, seconds: float) -> None:
    """Wait for an interval of AWS time without holding a thread."""
    until = clock.now() + seconds
    alarm = Alarm(clock)
    try:
        while clock.now() < until:
            await alarm.wait(until)
    finally:
        alarm.close()
