"""Resident memory of a process and all it started, read from /proc."""

from __future__ import annotations

import os

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
