"""An attempt as data, schema cloudkata.report/1."""

from __future__ import annotations

import datetime

from cloudkata.checking.verdict import FAILED, PASSED, Verdict
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
        "started": datetime.datetime.fromtimestamp(attempt.started, datetime.UTC).isoformat(timespec="seconds"),
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
        "checks": [_check(attempt, verdict) for verdict in attempt.verdicts],
        "beliefs": {
            "certain": attempt.diagnosis.certain,
            "misconceptions": [
                {"id": variant.id, "belief": variant.belief, "correction": variant.correction}
                for variant in attempt.diagnosis.misconceptions
            ],
        },
    }


def _check(attempt: Attempt, verdict: Verdict) -> dict:
    spec = next(spec for spec in attempt.lab.checks if spec.id == verdict.id)
    failed = verdict.status == FAILED
    hint = next((task.hints[0] for task in attempt.lab.tasks if task.id == verdict.task), "") if failed else ""
    found = attempt.diagnosis
    return {
        "id": verdict.id,
        "task": verdict.task,
        "claim": verdict.claim,
        "status": verdict.status,
        "seconds": verdict.seconds,
        "expected": safe(verdict.expected),
        "actual": safe(verdict.actual),
        "why": safe(verdict.why),
        "hint": hint,
        "misconception": found.misconceptions[0].id if failed and found.certain else None,
        "cards": list(spec.cards),
        "needs": list(spec.needs),
    }
