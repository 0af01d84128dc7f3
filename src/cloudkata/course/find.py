"""Finds a course and its labs. Nothing heavy is imported: every command begins here."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path

from cloudkata.course.model import Course

MANIFEST = "course.toml"


class CourseError(Exception):
    """A file of the course is missing or wrong, or nothing has the name asked for; the message says what to do."""


def read_toml(path: Path) -> dict:
    """The contents of a TOML file. Raises CourseError that names the file and what is wrong."""
    shown = f"{path.parent.name}/{path.name}"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(f"{shown} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CourseError(f"{shown} is not UTF-8 text: byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"{shown} is not valid TOML: {error}") from error


def find_course(start: Path) -> Course:
    """The course whose folder holds `start`. Raises CourseError."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / MANIFEST).is_file():
            labs = read_toml(folder / MANIFEST).get("labs")
            if not isinstance(labs, list) or not all(isinstance(slug, str) for slug in labs):
                raise CourseError(f"{MANIFEST}: `labs` must be a list of folder names")
            return Course(folder, tuple(labs))
    raise CourseError(
        f"there is no course here: no {MANIFEST} in {start} or above; change to the course's folder, "
        "or make one with kata init"
    )


def choose(course: Course, word: str) -> str:
    """The slug of the lab that `word` (number, slug or a unique part of one) means. Raises CourseError."""
    exact = [slug for slug in course.labs if word == slug or (word and word.zfill(2) == slug.split("-", 1)[0])]
    found = exact or [slug for slug in course.labs if word and word.lower() in slug]
    if len(found) == 1:
        return found[0]
    if found:
        raise CourseError(f'"{word}" could be {" or ".join(found)}; give the number')
    near = difflib.get_close_matches(word, [*course.labs, *(slug.split("-", 1)[-1] for slug in course.labs)], 1, 0.4)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(course.labs)}"
    raise CourseError(f'there is no lab "{word}"{hint}')
