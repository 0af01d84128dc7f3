"""Finds what dangles or is missing in a course, without running any of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from cloudkata.course.find import CourseError
from cloudkata.course.load import load_lab, load_misconceptions, load_neighbours
from cloudkata.course.model import Course, Lab
from cloudkata.course.starter import MAX_LINES, make_starter, stale_files
from cloudkata.course.variants import edit_problems

BRIEF_SECTIONS = (
    "The situation",
    "What you will build",
    "Tasks",
    "How it is proved",
    "Compare",
    "What the exam asks",
    "Clean up",
)
_MIN_NEIGHBOURS = 3
_NAMING = re.compile(r"^([A-Z][A-Za-z]*Name|Bucket|name)$")
_NAMING_TYPES = ("AttributeName", "IndexName", "PolicyName", "StatementName", "AliasName", "HeaderName")
_EMPTY: tuple = (None, [], {}, (), "", 0, False)


def lint_course(course: Course) -> list[str]:
    """A sentence for each thing that is wrong with the course as a whole."""
    there = {path.parent.name for path in (course.root / "labs").glob("*/lab.toml")}
    found = [f"course.toml names {slug}, but there is no labs/{slug}" for slug in course.labs if slug not in there]
    return found + [f"labs/{slug} is not in course.toml" for slug in sorted(there - set(course.labs))]


def lint_lab(course: Course, slug: str) -> list[str]:
    """A sentence for each thing that is wrong with one lab."""
    try:
        lab = load_lab(course, slug)
        return [f"{slug}: {problem}" for rule in _RULES for problem in rule(course, lab)]
    except CourseError as error:
        return [str(error)]


def _starters(course: Course, lab: Lab) -> Iterator[str]:
    for name in stale_files(course, lab.slug):
        yield f"labs/{lab.slug}/{name} is stale: run kata sync {lab.number}"
    _, lines = make_starter(course, lab.slug)
    tasks = {task.id for task in lab.tasks}
    for task, count in lines.items():
        if task not in tasks:
            yield f"a region of the solution names the task {task}, which lab.toml does not have"
        if count > MAX_LINES:
            yield f"task {task} asks for {count} lines, {MAX_LINES} are allowed"


def _checks(course: Course, lab: Lab) -> Iterator[str]:
    seen: set[str] = set()
    for check in lab.real_account_only:
        if check not in {spec.id for spec in lab.checks}:
            yield f"lab.toml: real_account_only names {check}, which is no check"
    for spec in lab.checks:
        if spec.id in seen:
            yield f"two checks have the id {spec.id}"
        for earlier in spec.after:
            if earlier not in seen:
                yield f"{spec.id} comes after {earlier}, which is not a check that stands before it"
        seen.add(spec.id)
    for task in lab.tasks:
        if not any(spec.task == task.id for spec in lab.checks):
            yield f"task {task.id} has no check"


def _assertions(course: Course, lab: Lab) -> Iterator[str]:
    """A check whose only assertions are absences proves nothing when the lab does nothing at all."""
    for path in sorted(course.checks(lab.slug).glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        for spec in lab.checks:
            if spec.file != path.name:
                continue
            found = _expectations(functions[spec.function], functions, set())
            if not found:
                yield f"{spec.id} expects nothing"
            elif not any(found):
                yield f"{spec.id} expects only that something is absent: also prove what is there"


def _expectations(node: ast.FunctionDef, functions: dict, seen: set[str]) -> list[bool]:
    """For each `expect(...).x(...)` that a function reaches within its file, whether it is positive."""
    seen.add(node.name)
    found: list[bool] = []
    for part in ast.walk(node):
        if not isinstance(part, ast.Call):
            continue
        called = part.func
        if isinstance(called, ast.Attribute) and _is_expect(called.value):
            found.append(not _is_absence(called.attr, part))
        elif isinstance(called, ast.Name) and called.id in functions and called.id not in seen:
            found += _expectations(functions[called.id], functions, seen)
    return found


def _is_expect(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "expect"


def _is_absence(method: str, call: ast.Call) -> bool:
    if method != "equals" or not call.args:
        return False
    try:
        value = ast.literal_eval(call.args[0])
    except ValueError:
        return False
    return any(type(value) is type(empty) and value == empty for empty in _EMPTY)


def _variants(course: Course, lab: Lab) -> Iterator[str]:
    misconceptions, neighbours = load_misconceptions(course, lab.slug), load_neighbours(course, lab.slug)
    known = {spec.id for spec in lab.checks}
    seen: set[str] = set()
    for variant in [*misconceptions, *neighbours]:
        if variant.id in seen:
            yield f"two variants have the id {variant.id}"
        seen.add(variant.id)
        yield from edit_problems(course.solution(lab.slug), variant)
        for check in variant.caught_by:
            if check not in known:
                yield f"{variant.id} is to be caught by {check}, which is no check of this lab"
    caught = {check for variant in misconceptions for check in variant.caught_by}
    for check in sorted(known - caught):
        yield f"{check} is named by no misconception"
    if len(neighbours) < _MIN_NEIGHBOURS:
        yield f"there are {len(neighbours)} neighbours, {_MIN_NEIGHBOURS} at least are needed"


def _names(course: Course, lab: Lab) -> Iterator[str]:
    """Names must come from lab.name(), so that attempts never meet."""
    for path in sorted(course.solution(lab.slug).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            for word in node.keywords:
                literal = isinstance(word.value, ast.Constant) and isinstance(word.value.value, str)
                if literal and word.arg and _NAMING.match(word.arg) and word.arg not in _NAMING_TYPES:
                    yield f"{path.name}, line {word.value.lineno}: {word.arg} is a literal; use lab.name(...)"


def _brief(course: Course, lab: Lab) -> Iterator[str]:
    path = course.starter(lab.slug) / "README.md"
    if not path.is_file():
        yield "there is no README.md"
        return
    found = re.findall(r"^## (.+?)\s*$", path.read_text(encoding="utf-8"), re.MULTILINE)
    if [title for title in found if title in BRIEF_SECTIONS] != list(BRIEF_SECTIONS):
        yield f"the sections of README.md must be, in this order: {', '.join(BRIEF_SECTIONS)}"


def _calls(course: Course, lab: Lab) -> Iterator[str]:
    for function, file in lab.calls.items():
        path: Path = course.solution(lab.slug) / file
        if not path.is_file():
            yield f"lab.toml: calls.{function} names {file}, which the solution does not have"
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if function not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            yield f"lab.toml: {file} has no function {function}"


_RULES = (_starters, _checks, _assertions, _variants, _names, _brief, _calls)
