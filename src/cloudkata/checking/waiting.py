"""Waiting for an effect, never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable

from cloudkata.checking.expectation import NotAsExpected

_FIRST, _LONGEST = 0.02, 0.2


def eventually(assertion: Callable[[], object], seconds: float) -> object:
    """Call `assertion` until it no longer raises NotAsExpected, for at most `seconds`; then raise its last one."""
    deadline = time.monotonic() + seconds
    pause = _FIRST
    while True:
        try:
            return assertion()
        except NotAsExpected:
            if time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)
