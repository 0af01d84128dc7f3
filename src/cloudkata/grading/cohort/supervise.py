"""Runs one attempt in a process of its own, and ends it with all it started when it takes more than it may.

The process is `python -m MODULE`. It reads a job, one line of JSON, from its standard input, and writes its report into
a file. Its owner keeps the other end of that input: when it closes, the process leaves, and its engine with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cloudkata.grading.attempt import FAULT
from cloudkata.grading.cohort.tray import MB
from cloudkata.sandbox import memory

_LOOK_SECONDS = 0.05
_COUNT_SECONDS = 0.4
_END_SECONDS = 10.0
_LAST = 19
_ANSWER_BYTES = 8 * MB
_MOST_FILES = 50_000


@dataclass(frozen=True)
class Bounds:
    """What one attempt may take. `memory` is of all its processes and of the files they keep in memory.

    `threads` are of all its processes; with more than `crowd` it goes on after everybody else, so that they keep
    their share of the cores. Solutions have at most some 70.
    """

    seconds: float = 300.0
    memory: int = 2048 * MB
    disk: int = 1024 * MB
    threads: int = 600
    crowd: int = 200


@dataclass(frozen=True)
class Job:
    """One attempt to make: at lab `slug` of the course in `course`, of the code in `folder`, with inputs of `seed`."""

    course: str
    slug: str
    folder: str
    seed: int
    trust: bool


@dataclass(frozen=True)
class Ended:
    """What came of it: a `report`, or why it was `stopped`, or what went `wrong` with the process itself."""

    report: dict | None = None
    stopped: str = ""
    wrong: str = ""
    peak: int = 0

    @property
    def ours(self) -> bool:
        """Whether it is a fault of ours, and no verdict."""
        return bool(self.wrong) or (self.report is not None and self.report["status"] == FAULT)


class Cancelled(Exception):
    """The run ends before the attempt is through."""


def supervise(
    job: Job,
    scratch: Path,
    bounds: Bounds,
    module: str,
    *,
    measured: Callable[[int], None] = lambda size: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Ended:
    """Make an attempt with all its files in the folder `scratch`; `measured` gets its memory as it goes.

    Raises Cancelled, after ending it.
    """
    answer, tmp = scratch / "report.json", scratch / "t"
    tmp.mkdir(mode=0o700)
    env = {**os.environ, "TMPDIR": str(tmp), "PYTHONDONTWRITEBYTECODE": "1"}
    with open(scratch / "said", "wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            env=env,
            cwd=scratch,
            start_new_session=True,
        )
    assert process.stdin is not None
    peak, stopped = 0, ""
    try:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps({**job.__dict__, "answer": str(answer)}).encode() + b"\n")
            process.stdin.flush()
        deadline, count = time.monotonic() + bounds.seconds, 0.0
        while process.poll() is None and not stopped:
            if cancelled():
                raise Cancelled
            now = time.monotonic()
            if now > deadline:
                stopped = f"it was not through after {bounds.seconds:.0f} seconds"
            elif now > count:
                count = now + _COUNT_SECONDS
                size, threads = taken(process.pid)
                peak = max(peak, size)
                measured(size)
                if size > bounds.memory:  # look again, and count what a fork shares with its parent once
                    size, _ = taken(process.pid, exact=True)
                if threads > bounds.crowd:
                    _put_last(process.pid)
                stopped = _too_much(size, threads, tmp, bounds)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_SECONDS)
    finally:
        end(process)
    if stopped:
        return Ended(stopped=stopped, peak=peak)
    report = _report(answer)
    wrong = "" if report else _last_line(scratch / "said") or f"the grader ended with {process.returncode}"
    return Ended(report, wrong=wrong, peak=peak)


def _too_much(size: int, threads: int, tmp: Path, bounds: Bounds) -> str:
    if threads > bounds.threads:
        return f"it started more than {bounds.threads} processes and threads"
    if size > bounds.memory:
        return f"it used more than {bounds.memory // MB} MB of memory"
    if not _fits(tmp, bounds.disk):
        return f"it wrote more than {bounds.disk // MB} MB to disk"
    return ""


def taken(pid: int, exact: bool = False) -> tuple[int, int]:
    """(bytes that `pid` and all below it have in memory, and in file systems that are in it; their threads)."""
    found = memory.descendants(pid)
    size, seen = (memory.shared_out_bytes(pid) if exact else 0) or memory.resident_bytes(pid), set()
    for process in found[1:]:
        with contextlib.suppress(OSError):
            space = os.stat(f"/proc/{process}/ns/mnt").st_ino
            if space not in seen:
                seen.add(space)
                size += _in_tmp(process)
    return size, sum(len(_threads(process)) for process in found)


def _threads(pid: int) -> list[int]:
    try:
        return [int(thread) for thread in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def _put_last(pid: int) -> None:
    """Give `pid` and all below it the least of the cores."""
    for process in memory.descendants(pid):
        for thread in _threads(process):
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, thread, _LAST)


def _in_tmp(pid: int) -> int:
    """What a sandbox has in its /tmp, which is in memory; nothing for a process that has the machine's own."""
    place = f"/proc/{pid}/root/tmp"
    if os.stat(place).st_dev == os.stat("/tmp").st_dev:  # noqa: S108
        return 0
    room = os.statvfs(place)
    return (room.f_blocks - room.f_bfree) * room.f_frsize


def _fits(folder: Path, most: int) -> bool:
    used = files = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                used += os.lstat(os.path.join(parent, name)).st_blocks * 512
            files += 1
            if used > most or files > _MOST_FILES:
                return False
    return True


def end(process: subprocess.Popen) -> None:
    """End a process, those below it and those in its session, and wait until they are gone. Safe to call twice."""
    with contextlib.suppress(OSError):
        process.stdin.close()  # type: ignore[union-attr]
    below = memory.descendants(process.pid) if process.poll() is None else [process.pid]
    for pid in reversed(below):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if pid != process.pid or process.poll() is None:
                os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + _END_SECONDS
    while time.monotonic() < deadline and any(_runs(pid) for pid in below):
        time.sleep(_LOOK_SECONDS)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (OSError, IndexError):
        return False


def _report(path: Path) -> dict | None:
    try:
        if path.stat().st_size > _ANSWER_BYTES:
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("schema") == "cloudkata.report/1" else None


def _last_line(path: Path) -> str:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - 4096))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""
    return ""
