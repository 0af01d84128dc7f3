"""An attempt as data, schema cloudkata.report/1."""

from __future__ import annotations

from cloudkata.checking.verdict import PASSED
from cloudkata.grading.attempt import Attempt
from cloudkata.reports.text import safe

SCHEMA = "cloudkata.report/1"


def as_dict(attempt: Attempt) -> dict:
    """The report: text a learner may have written is made safe to show and cut."""
    return {
        "schema": SCHEMA,
        "lab": attempt.lab.slug,
        "target": attempt.target,
        "isolation": attempt.isolation,
        "seed": attempt.seed,
        "seconds": attempt.seconds,
        "status": attempt.status,
        "score": attempt.score,
        "problem": safe(attempt.problem),
        "tasks": [
            {
                "id": task.id,
                "title": task.title,
                "weight": task.weight,
                "passed": bool(mine := [v for v in attempt.verdicts if v.task == task.id])
                and all(verdict.status == PASSED for verdict in mine),
            }
            for task in attempt.lab.tasks
        ],
        "checks": [
            {
                "id": verdict.id,
                "task": verdict.task,
                "claim": verdict.claim,
                "status": verdict.status,
                "seconds": verdict.seconds,
                "expected": safe(verdict.expected),
                "actual": safe(verdict.actual),
                "why": safe(verdict.why),
            }
            for verdict in attempt.verdicts
        ],
    }
