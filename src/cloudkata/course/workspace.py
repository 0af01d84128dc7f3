"""The learner's own copies of starters. What a learner wrote is never lost: it is kept, or copied away first."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from cloudkata.course.find import CourseError
from cloudkata.course.model import Course

BACKUPS = ".backups"
_NOT_COPIED = ("lab.toml", "__pycache__", "design.md")


def start_lab(course: Course, slug: str) -> tuple[Path, bool]:
    """(the learner's folder for a lab, whether it was made now). What is there already is left alone."""
    folder = course.workspace(slug)
    if folder.exists():
        return folder, False
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # made beside it and renamed, so that no half of a starter is ever taken for a whole one
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder.parent) as scratch:
            made = Path(scratch) / slug
            for name in starter_files(course, slug):
                _copy(course.starter(slug) / name, made / name)
            made.rename(folder)
    except OSError as error:
        if folder.is_dir():
            return folder, False  # another process was quicker
        raise CourseError(f"the starter cannot be copied to {folder}: {error.strerror or error}") from error
    return folder, True


def starter_files(course: Course, slug: str) -> list[Path]:
    """What a learner starts from, relative to the lab's folder. Raises CourseError when there is none."""
    root = course.starter(slug)
    found = [path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file()]
    kept = [path for path in found if not set(path.parts) & set(_NOT_COPIED)]
    if not kept:
        raise CourseError(f"there is no starter in labs/{slug}")
    return kept


def edited_files(course: Course, slug: str) -> list[Path]:
    """Files of the learner that are not, or no longer, what the starter has; relative to the folder."""
    folder, starter = course.workspace(slug), course.starter(slug)
    wanted = set(starter_files(course, slug))
    return [
        name
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
        for name in [path.relative_to(folder)]
        if name not in wanted or path.read_bytes() != (starter / name).read_bytes()
    ]


def restore_lab(course: Course, slug: str) -> list[Path]:
    """Put back the files of the starter that are missing from the learner's folder; which those were."""
    folder = course.workspace(slug)
    missing = [name for name in starter_files(course, slug) if not (folder / name).exists()]
    try:
        for name in missing:
            _copy(course.starter(slug) / name, folder / name)
    except OSError as error:
        raise CourseError(f"the starter cannot be copied to {folder}: {error.strerror or error}") from error
    return missing


def replace_lab(course: Course, slug: str) -> Path:
    """Make the learner's folder the starter again, after a copy of it as it was; where that copy is.

    The folder itself stays: an editor, a shell or `kata watch` may be in it.
    """
    folder = course.workspace(slug)
    wanted = starter_files(course, slug)
    try:
        backup = _back_up(folder)
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(folder) not in wanted:
                path.unlink()
        for name in wanted:
            _copy(course.starter(slug) / name, folder / name)
    except OSError as error:
        raise CourseError(f"{folder} cannot be made the starter again: {error.strerror or error}") from error
    return backup


def _back_up(folder: Path) -> Path:
    """A whole copy of `folder` in the workspace's backups, named by the time."""
    root = folder.parent / BACKUPS
    root.mkdir(exist_ok=True)
    name = f"{folder.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    with tempfile.TemporaryDirectory(prefix=".new-", dir=root) as scratch:
        made = Path(scratch) / name
        shutil.copytree(folder, made, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        target, number = root / name, 1
        while target.exists():
            number += 1
            target = root / f"{name}-{number}"
        made.rename(target)
    return target


def _copy(source: Path, target: Path) -> None:
    """Copy one file, complete or not at all, and writable whatever the source is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, beside)
    beside.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
    beside.replace(target)
