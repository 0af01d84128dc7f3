"""A result as Gradescope's autograder platform takes it, /autograder/results/results.json.

Source: https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from __future__ import annotations

from cloudkata.course.model import Lab
from cloudkata.grading.cohort.results import Result
from cloudkata.reports.cohort.feedback import feedback
from cloudkata.reports.text import safe

POINTS = 100


def gradescope(lab: Lab, result: Result) -> dict:
    """The whole feedback as Markdown, and a test for each check; points are those of the tasks, of 100."""
    checks = result.report["checks"] if result.report else []
    made = {
        "score": round(result.score * POINTS, 2),
        "execution_time": round(result.seconds),
        "output": feedback(lab, result),
        "output_format": "md",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "name": entry["claim"],
                "number": str(number),
                "status": "passed" if entry["status"] == "passed" else "failed",
                "output": _said(entry),
                "output_format": "text",
                "visibility": "visible",
            }
            for number, entry in enumerate(checks, 1)
        ],
    }
    if result.status == "error":  # Gradescope shows this as a failure of the autograder, and keeps no score
        del made["score"], made["tests"]
    return made


def _said(entry: dict) -> str:
    if entry["status"] == "passed":
        return ""
    parts = [entry["status"]]
    parts += [f"{name}: {entry[name]}" for name in ("expected", "actual", "why") if entry[name]]
    return safe("\n".join(parts))
