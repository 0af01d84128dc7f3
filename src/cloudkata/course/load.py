"""Finds a course and reads its labs."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path

from cloudkata.course.checks import read_checks
from cloudkata.course.model import Course, Lab, Task

MANIFEST = "course.toml"
_WANTED = {"title": str, "summary": str, "minutes": int, "outputs": dict, "tasks": list}
_WANTED_TASK = {"id": str, "title": str, "weight": int, "hints": list}


class CourseError(Exception):
    """A file of the course is missing or wrong, or nothing has the name asked for; the message says what to do."""


def find_course(start: Path) -> Course:
    """The course whose folder holds `start`. Raises CourseError."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / MANIFEST).is_file():
            labs = _read(folder / MANIFEST).get("labs")
            if not isinstance(labs, list) or not all(isinstance(slug, str) for slug in labs):
                raise CourseError(f"{MANIFEST}: `labs` must be a list of folder names")
            return Course(folder, tuple(labs))
    raise CourseError(f"there is no course here: no {MANIFEST} in {start} or above; change to the course's folder")


def choose(course: Course, word: str) -> str:
    """The slug of the lab that `word` (number, slug or a unique part of one) means. Raises CourseError."""
    exact = [slug for slug in course.labs if word in (slug, slug.split("-", 1)[0])]
    found = exact or [slug for slug in course.labs if word and word.lower() in slug]
    if len(found) == 1:
        return found[0]
    if found:
        raise CourseError(f'"{word}" could be {" or ".join(found)}; give the number')
    near = difflib.get_close_matches(word, [*course.labs, *(slug.split("-", 1)[1] for slug in course.labs)], 1, 0.4)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(course.labs)}"
    raise CourseError(f'there is no lab "{word}"{hint}')


def load_lab(course: Course, slug: str) -> Lab:
    """Read one lab with its checks. Raises CourseError that names the file and the key."""
    path = course.starter(slug) / "lab.toml"
    data = _read(path)
    _require(data, _WANTED, f"{slug}/lab.toml")
    tasks = []
    for entry in data["tasks"]:
        _require(entry, _WANTED_TASK, f"{slug}/lab.toml, [[tasks]]")
        tasks.append(Task(entry["id"], entry["title"], entry["weight"], tuple(entry["hints"])))
    try:
        checks = read_checks(course.checks(slug), slug.split("-", 1)[0])
    except (SyntaxError, ValueError, OSError) as error:
        raise CourseError(f"the checks of {slug} cannot be read: {error}") from error
    known = {task.id for task in tasks}
    for spec in checks:
        if spec.task not in known:
            raise CourseError(f"check {spec.id}: there is no task {spec.task} in {slug}/lab.toml")
    return Lab(
        slug, data["title"], data["summary"], data["minutes"], dict(data["outputs"]), tuple(tasks), tuple(checks)
    )


def _read(path: Path) -> dict:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(f"{path.parent.name}/{path.name} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(f"{path.parent.name}/{path.name} is not valid TOML: {error}") from error


def _require(data: dict, wanted: dict[str, type], where: str) -> None:
    for key, kind in wanted.items():
        if not isinstance(data.get(key), kind):
            raise CourseError(f"{where}: `{key}` must be given, as {_KINDS[kind]}")


_KINDS = {str: "text", int: "a whole number", dict: "a table", list: "a list"}
