"""Makes the folder of a variant: the solution with a few edits."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

from cloudkata.course.find import CourseError
from cloudkata.course.model import Variant

MAX_LINES = 15


def edit_problems(solution: Path, variant: Variant) -> list[str]:
    """What is wrong with a variant's edits, a sentence each."""
    found = []
    for edit in variant.edits:
        path = solution / edit.file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if (times := text.count(edit.find)) != 1:
            found.append(f"{variant.id}: its text to find stands {times} times in {edit.file}, not once")
        elif path.suffix == ".py":
            found += _syntax(variant, edit.file, text.replace(edit.find, edit.replace))
    lines = sum(max(len(edit.find.splitlines()), len(edit.replace.splitlines())) for edit in variant.edits)
    if lines > MAX_LINES:
        found.append(f"{variant.id}: its edits have {lines} lines, {MAX_LINES} are allowed")
    return found


def _syntax(variant: Variant, file: str, text: str) -> list[str]:
    """A variant must be wrong in what it does, not in its grammar."""
    try:
        ast.parse(text, file)
    except SyntaxError as error:
        return [f"{variant.id}: {file} is no Python after its edits: line {error.lineno}, {error.msg}"]
    return []


def make_variant(solution: Path, variant: Variant, target: Path) -> Path:
    """Copy `solution` to `target` and apply the edits. Returns `target`. Raises CourseError for a wrong edit."""
    problems = edit_problems(solution, variant)
    if problems:
        raise CourseError("; ".join(problems))
    shutil.copytree(solution, target, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    for edit in variant.edits:
        path = target / edit.file
        path.write_text(path.read_text(encoding="utf-8").replace(edit.find, edit.replace), encoding="utf-8")
    return target
