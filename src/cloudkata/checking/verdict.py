"""What a check came to."""

from __future__ import annotations

from dataclasses import dataclass

PASSED, FAILED, BLOCKED, SKIPPED, ERROR = "passed", "failed", "blocked", "skipped", "error"
STATUSES = (PASSED, FAILED, BLOCKED, SKIPPED, ERROR)


@dataclass(frozen=True)
class Verdict:
    """One check's outcome. `expected`, `actual` and `why` are for people; the first two may hold learner text."""

    id: str
    task: str
    claim: str
    status: str
    seconds: float
    expected: str = ""
    actual: str = ""
    why: str = ""
