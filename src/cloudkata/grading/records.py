"""The failing sets that the matrix found, kept beside the checks."""

from __future__ import annotations

import json

from cloudkata.course import Course

FILE = "records.json"


def recorded(course: Course, slug: str) -> dict[str, list[str]]:
    """The checks that each misconception makes fail, as last recorded; nothing where there is no record."""
    try:
        found = json.loads((course.checks(slug) / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def record(course: Course, slug: str, sets: dict[str, list[str]]) -> None:
    text = json.dumps(sets, indent=2, sort_keys=True) + "\n"
    (course.checks(slug) / FILE).write_text(text, encoding="utf-8")
