"""What a learner has tried, passed and looked at, in the order it happened."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cloudkata.study.store import Store

if TYPE_CHECKING:
    from cloudkata.grading.attempt import Attempt

PASSED, SKIPPED = "passed", "skipped"


@dataclass(frozen=True)
class PastAttempt:
    """One recorded attempt. `started` is in seconds since the epoch; `task` is "" when all of the lab was checked."""

    lab: str
    started: float
    seconds: float
    status: str
    score: float
    task: str
    passed: int
    checks: int


@dataclass(frozen=True)
class Standing:
    """Where a learner stands in a lab: tasks whose checks all passed when they last ran, and the first whole pass."""

    attempts: int = 0
    tasks: frozenset[str] = frozenset()
    passed_at: float = 0.0
    solution_shown: bool = False  # before the first pass

    @property
    def passed(self) -> bool:
        return self.passed_at > 0


class Progress:
    """The learner's history in one workspace. Every method raises StoreError when it cannot be read or kept."""

    def __init__(self, workspace: Path) -> None:
        self._store = Store(workspace)

    def record(self, attempt: Attempt, task: str = "") -> None:
        """Keep an attempt; `task` names the one task it was limited to."""
        ran = {verdict.id: verdict for verdict in attempt.verdicts}
        with self._store.writing() as connection:
            row = connection.execute(
                "INSERT INTO attempt (lab, started, seconds, status, score, target, isolation, seed, task) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(attempt.lab.slug, attempt.started, attempt.seconds, attempt.status, attempt.score),
                    *(attempt.target, attempt.isolation, attempt.seed, task),
                ),
            ).lastrowid
            connection.executemany(
                "INSERT INTO verdict VALUES (?, ?, ?, ?, ?)",
                [(row, verdict.id, verdict.task, verdict.status, verdict.seconds) for verdict in ran.values()],
            )
            for each in attempt.lab.tasks:
                checks = [spec.id for spec in attempt.lab.checks if spec.task == each.id]
                # what was skipped says nothing of a task, neither way
                if checks and all(check in ran and ran[check].status != SKIPPED for check in checks):
                    passed = all(ran[check].status == PASSED for check in checks)
                    connection.execute("INSERT INTO task_result VALUES (?, ?, ?)", (row, each.id, passed))

    def attempts(self, lab: str) -> list[PastAttempt]:
        """All attempts at a lab, the oldest first."""
        with self._store.reading() as connection:
            if connection is None:
                return []
            rows = connection.execute(
                "SELECT lab, started, seconds, status, score, task, "
                "(SELECT count(*) FROM verdict WHERE attempt = attempt.id AND status = 'passed'), "
                "(SELECT count(*) FROM verdict WHERE attempt = attempt.id) "
                "FROM attempt WHERE lab = ? ORDER BY id",
                (lab,),
            )
            return [PastAttempt(*row) for row in rows]

    def last_failed(self, lab: str) -> list[str]:
        """The checks that did not pass in the last attempt at a lab that was graded."""
        with self._store.reading() as connection:
            if connection is None:
                return []
            rows = connection.execute(
                "SELECT check_id FROM verdict WHERE status <> 'passed' AND attempt = "
                "(SELECT max(attempt.id) FROM attempt JOIN verdict ON attempt = attempt.id WHERE lab = ?)",
                (lab,),
            )
            return [check for (check,) in rows]

    def standings(self) -> dict[str, Standing]:
        """Where the learner stands in every lab that was ever tried or looked into."""
        with self._store.reading() as connection:
            if connection is None:
                return {}
            counts = dict(connection.execute("SELECT lab, count(*) FROM attempt GROUP BY lab"))
            passes = dict(
                connection.execute(
                    "SELECT lab, min(started) FROM attempt WHERE status = 'passed' AND task = '' "
                    "AND (target = 'embedded' OR score > 0.999) GROUP BY lab"  # elsewhere much may be skipped
                )
            )
            looked = dict(connection.execute("SELECT lab, after_pass FROM solution"))
            tasks: dict[str, set[str]] = {}
            for lab, task, passed in connection.execute(
                "SELECT lab, task_result.task, passed FROM task_result JOIN attempt ON attempt = attempt.id ORDER BY id"
            ):
                mine = tasks.setdefault(lab, set())
                mine.add(task) if passed else mine.discard(task)
        return {
            lab: Standing(
                counts.get(lab, 0), frozenset(tasks.get(lab, ())), passes.get(lab, 0.0), looked.get(lab, 1) == 0
            )
            for lab in counts.keys() | looked.keys()
        }

    def standing(self, lab: str) -> Standing:
        return self.standings().get(lab, Standing())

    def last_lab(self) -> str:
        """The lab of the last attempt, or ""."""
        with self._store.reading() as connection:
            row = connection and connection.execute("SELECT lab FROM attempt ORDER BY id DESC LIMIT 1").fetchone()
            return row[0] if row else ""

    def take_hint(self, lab: str, task: str, levels: int) -> int:
        """How many of a task's `levels` hints may be shown now: one more than the last time."""
        with self._store.writing() as connection:
            (level,) = connection.execute(
                "SELECT ifnull(max(level), 0) FROM hint WHERE lab = ? AND task = ?", (lab, task)
            ).fetchone()
            if level < levels:
                level += 1
                connection.execute("INSERT INTO hint VALUES (?, ?, ?, ?)", (lab, task, level, time.time()))
            return level

    def hints_taken(self, lab: str, task: str) -> int:
        """How many of a task's hints were shown."""
        with self._store.reading() as connection:
            query = "SELECT count(*) FROM hint WHERE lab = ? AND task = ?"
            return connection.execute(query, (lab, task)).fetchone()[0] if connection else 0

    def solution_was_shown(self, lab: str) -> bool:
        with self._store.reading() as connection:
            found = connection and connection.execute("SELECT 1 FROM solution WHERE lab = ?", (lab,)).fetchone()
            return bool(found)

    def show_solution(self, lab: str) -> None:
        """Keep that the solution was shown, and whether the lab had been passed by then; the first time counts."""
        passed = self.standing(lab).passed
        with self._store.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO solution VALUES (?, ?, ?)", (lab, time.time(), passed))
