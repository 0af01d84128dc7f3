"""The failing sets that the matrix found, kept beside the checks with a digest of the lab they were found for."""

from __future__ import annotations

import hashlib
import json

from cloudkata.course import Course

FILE = "records.json"
_NO_PART = ("README.md", "design.md", "stack.py", "policy.json")  # an attempt is made without them
_MADE = ("__pycache__", "tests")


def recorded(course: Course, slug: str) -> dict[str, list[str]]:
    """The checks that each misconception makes fail, as last recorded; nothing where there is no record."""
    found = _read(course, slug).get("failing")
    return found if isinstance(found, dict) else {}


def record(course: Course, slug: str, sets: dict[str, list[str]]) -> None:
    found = {"lab": digest(course, slug), "failing": sets}
    text = json.dumps(found, indent=2, sort_keys=True) + "\n"
    (course.checks(slug) / FILE).write_text(text, encoding="utf-8")


def has_changed(course: Course, slug: str) -> bool:
    """Whether a lab is another one than its failing sets were recorded for."""
    return _read(course, slug).get("lab") != digest(course, slug)


def digest(course: Course, slug: str) -> str:
    """A digest of the starter, the solution and the checks of a lab; what an attempt is made without does not count."""
    found = hashlib.sha256()
    for root in (course.starter(slug), course.solution(slug), course.checks(slug)):
        for path in sorted(root.rglob("*")):
            name = path.relative_to(course.root)
            if path.is_file() and path.name not in (FILE, *_NO_PART) and not set(name.parts) & set(_MADE):
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                found.update(f"{name.as_posix()} {content}\n".encode())
    return found.hexdigest()[:16]


def _read(course: Course, slug: str) -> dict:
    try:
        found = json.loads((course.checks(slug) / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
