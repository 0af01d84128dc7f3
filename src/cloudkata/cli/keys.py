"""One key at a time from the terminal, or one line at a time from elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def keys() -> Iterator[Callable[[], str]]:
    """Yields what waits for the next key: its character, "\\n" for Enter, or "" at the end of the input."""
    if not sys.stdin.isatty():
        yield lambda: line[:1] if (line := sys.stdin.readline()) else ""
        return
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSADRAIN)  # what is typed already counts
        yield lambda: os.read(descriptor, 32).decode("utf-8", "replace")[:1].replace("\r", "\n")
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
