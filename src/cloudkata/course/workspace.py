"""The learner's own copies of starters."""

from __future__ import annotations

import shutil
from pathlib import Path

from cloudkata.course.manifest import CourseError
from cloudkata.course.model import Course

_NOT_COPIED = shutil.ignore_patterns("lab.toml", "__pycache__", "design.md")


def start_lab(course: Course, slug: str) -> tuple[Path, bool]:
    """(the learner's folder for a lab, whether it was made now). What is there already is left alone."""
    folder = course.workspace(slug)
    if folder.exists():
        return folder, False
    try:
        shutil.copytree(course.starter(slug), folder, ignore=_NOT_COPIED)
    except OSError as error:
        raise CourseError(f"the starter cannot be copied to {folder}: {error.strerror or error}") from error
    return folder, True
