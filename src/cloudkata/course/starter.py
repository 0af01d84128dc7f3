"""Makes starters from solutions, so that the two never drift apart.

A region of a solution's file is replaced by what the learner starts from, which stands there as comments:

    # kata: task greet
    status = 200 if name else 400
    # kata: starter
    # status = 200
    # kata: end

A file that has no comments (JSON) has its starter beside it, as NAME.starter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cloudkata.course.find import CourseError
from cloudkata.course.model import Course

MAX_LINES = 25  # of a task's region, all files together
_MARK = re.compile(r"^\s*(#|//)\s*kata:\s*(task|starter|end)\b\s*(\S*)\s*$")
_COMMENT = re.compile(r"^(\s*)(?:#|//) ?(.*)$")
_LEFT_OUT = ("tests", "stack.py", "__pycache__")
_WRITTEN_BY_HAND = ("README.md", "lab.toml", "design.md")


def starter_text(text: str, name: str) -> tuple[str, dict[str, int]]:
    """(the starter of a file, lines of the solution by task). Raises CourseError for a region that is not closed."""
    kept: list[str] = []
    lines: dict[str, int] = {}
    task, in_starter = "", False
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        mark = _MARK.match(line)
        if mark is None:
            if not task:
                kept.append(line)
            elif in_starter:
                kept.append(_uncomment(line, f"{name}, line {number}"))
            else:
                lines[task] += 1
            continue
        word = mark.group(2)
        expected = "task" if not task else "end" if in_starter else "starter"
        if word != expected or (word == "task") != bool(mark.group(3)):
            raise CourseError(f"{name}, line {number}: expected `kata: {expected}` here")
        if word == "task":
            task = mark.group(3)
            lines.setdefault(task, 0)
        elif word == "starter":
            in_starter = True
        else:
            task, in_starter = "", False
    if task:
        raise CourseError(f"{name}: the region of task {task} is not closed with `kata: end`")
    return "".join(kept), lines


def _uncomment(line: str, where: str) -> str:
    found = _COMMENT.match(line.rstrip("\n"))
    if found is None:
        raise CourseError(f"{where}: a starter's line must be a comment")
    return (found.group(1) + found.group(2)).rstrip() + "\n"


def make_starter(course: Course, slug: str) -> tuple[dict[str, bytes], dict[str, int]]:
    """(the starter's files by relative path, lines of the solution by task). Raises CourseError."""
    root = course.solution(slug)
    files: dict[str, bytes] = {}
    lines: dict[str, int] = {}
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if not path.is_file() or set(relative.parts) & set(_LEFT_OUT) or path.suffix == ".starter":
            continue
        beside = path.with_name(path.name + ".starter")
        if beside.is_file():
            files[relative.as_posix()] = beside.read_bytes()
            continue
        try:
            text, found = starter_text(path.read_text(encoding="utf-8"), f"{slug}/{relative.as_posix()}")
        except UnicodeDecodeError:
            files[relative.as_posix()] = path.read_bytes()
            continue
        files[relative.as_posix()] = text.encode()
        for task, count in found.items():
            lines[task] = lines.get(task, 0) + count
    return files, lines


def stale_files(course: Course, slug: str) -> list[str]:
    """The files below labs/ that are not what their solution makes, relative to the lab's folder."""
    wanted, _ = make_starter(course, slug)
    root = course.starter(slug)
    there = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.relative_to(root).as_posix() not in _WRITTEN_BY_HAND
    }
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def write_starter(course: Course, slug: str) -> list[str]:
    """Bring labs/ in line with solutions/; the files that changed."""
    changed = stale_files(course, slug)
    wanted, _ = make_starter(course, slug)
    root = course.starter(slug)
    for name in changed:
        path = root / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wanted[name])
        else:
            path.unlink()
    return changed


@dataclass(frozen=True)
class Region:
    """A part of the solution that the learner writes; `task` is "" for a whole file."""

    file: str
    task: str
    text: str


def solution_regions(course: Course, slug: str) -> list[Region]:
    """What the solution has where the starter leaves a gap, in the order of files and lines. Raises CourseError."""
    root = course.solution(slug)
    found: list[Region] = []
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if not path.is_file() or set(relative.parts) & set(_LEFT_OUT) or path.suffix == ".starter":
            continue
        name = relative.as_posix()
        if path.with_name(path.name + ".starter").is_file():
            found.append(Region(name, "", path.read_text(encoding="utf-8")))
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        starter_text(text, f"{slug}/{name}")  # raises for a region that is not closed
        task, kept = "", []
        for line in text.splitlines(keepends=True):
            mark = _MARK.match(line)
            if mark and mark.group(2) == "task":
                task, kept = mark.group(3), []
            elif mark and mark.group(2) == "starter":
                found.append(Region(name, task, "".join(kept)))
            else:
                kept.append(line)
    return found
