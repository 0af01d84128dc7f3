"""The gradebook as CSV. No cell is a formula to a spreadsheet, and nothing in it depends on when it was made."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from cloudkata.course.model import Lab
from cloudkata.grading.cohort.results import Result
from cloudkata.reports.text import safe

COLUMNS = ("learner", "lab", "status", "score", "reason")
POINTS = 100
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")  # noqa: RUF001 (full width counts too)
# Canvas names what it hands out NAME[_LATE]_USER_SUBMISSION_FILE.
_DOWNLOADED = re.compile(r"^(?P<name>[^_]+)(?:_LATE)?_(?P<id>\d+)_\d+_", re.IGNORECASE)


def cell(text: str) -> str:
    """`text` for a cell of a spreadsheet: on one line, and never a formula."""
    plain = " ".join(safe(text).split(" ")).replace("\n", " ").replace("\t", " ")
    return f"'{plain}" if text.lstrip(" ").startswith(_FORMULA) else plain


def score(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") or "0"


def gradebook_csv(results: Iterable[Result]) -> str:
    """A line for each learner, in the order given."""
    return _table(
        COLUMNS,
        ([cell(one.learner), one.lab, one.status, score(one.score), cell(one.reason)] for one in results),
    )


def canvas_csv(lab: Lab, results: Iterable[Result]) -> str:
    """The columns that Canvas imports; learners are told apart by the id in the name of what Canvas handed out.

    Those without a verdict have an empty score, which Canvas leaves as it is.
    """
    title = f"Lab {lab.number}: {lab.title}"
    rows = [["    Points Possible", "", "", "", "", str(POINTS)]]
    for one in results:
        found = _DOWNLOADED.match(one.learner)
        name, number = (found["name"], found["id"]) if found else (one.learner, "")
        login = "" if found else cell(one.learner)
        rows.append([cell(name), number, "", login, "", "" if one.status == "error" else score(one.score * POINTS)])
    return _table(("Student", "ID", "SIS User ID", "SIS Login ID", "Section", cell(title)), rows)


def _table(columns: Iterable[str], rows: Iterable[list[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
