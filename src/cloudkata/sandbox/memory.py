"""Resident memory of a process and all it started, read from /proc, and an end for those that take too much."""

from __future__ import annotations

import os
import threading

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def descendants(pid: int) -> list[int]:
    """`pid` and every process below it, oldest first; those that end meanwhile are left out."""
    found = [pid]
    for parent in found:
        try:
            tasks = os.listdir(f"/proc/{parent}/task")
        except OSError:
            continue
        for task in tasks:
            try:
                with open(f"/proc/{parent}/task/{task}/children", encoding="ascii") as file:
                    found += [int(child) for child in file.read().split()]
            except OSError:
                continue
    return found


def resident_bytes(pid: int) -> int:
    """Private resident memory of `pid` and its descendants, plus the shared pages of the largest of them."""
    private = shared = 0
    for process in descendants(pid):
        try:
            with open(f"/proc/{process}/statm", encoding="ascii") as file:
                _, resident, common, *_ = (int(word) for word in file.read().split())
        except (OSError, ValueError):
            continue
        private += resident - common
        shared = max(shared, common)
    return (private + shared) * _PAGE


def shared_out_bytes(pid: int) -> int:
    """The same, exactly: every page counted once, by its share; slower, and 0 where the kernel does not tell."""
    total = 0
    for process in descendants(pid):
        try:
            with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
                total += next((int(line.split()[1]) << 10 for line in file if line.startswith("Pss:")), 0)
        except OSError:
            continue
    return total


def _most_bytes(pid: int) -> int:
    """At most what `pid` and its descendants have: shared pages are counted in each of them."""
    total = 0
    for process in descendants(pid):
        try:
            with open(f"/proc/{process}/statm", encoding="ascii") as file:
                total += int(file.read().split()[1])
        except (OSError, ValueError, IndexError):
            continue
    return total * _PAGE


# --- the watch ------------------------------------------------------------------------------------------------------

_EVERY = 0.02  # seconds between two looks
_watched: dict[object, int] = {}
_lock = threading.Lock()
_some = threading.Event()
_thread: threading.Thread | None = None


def watch(sandboxed, limit: int) -> None:
    """End `sandboxed` when it has more than `limit` bytes, until forget() or its end. One thread watches all."""
    global _thread
    with _lock:
        _watched[sandboxed] = limit
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_look, name="kata-memory", daemon=True)
            _thread.start()
    _some.set()


def forget(sandboxed) -> None:
    with _lock:
        _watched.pop(sandboxed, None)


def wake() -> None:
    """Something watched has been frozen or thawed."""
    _some.set()


def _look() -> None:
    pause = threading.Event()
    while True:
        _some.wait()
        pause.wait(_EVERY)
        _some.clear()
        with _lock:
            awake = [entry for entry in _watched.items() if not entry[0].at_rest]
        for sandboxed, limit in awake:
            _some.set()
            if sandboxed.frozen:
                sandboxed.freeze_rest()
            pid = sandboxed.process.pid
            if _most_bytes(pid) <= limit:
                continue
            if (shared_out_bytes(pid) or resident_bytes(pid)) > limit:
                forget(sandboxed)
                sandboxed.end_for_memory()
