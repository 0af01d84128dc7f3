"""What a learner sees of a lab before grading: its lab.toml alone, read without checks and without validation.

`load_lab` reads and validates all of a lab; it takes too long for a command that only names labs and hints.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from cloudkata.course.find import CourseError, read_toml
from cloudkata.course.model import Course, Lab, Task


@dataclass(frozen=True)
class Outline:
    """A lab's title, summary, minutes and tasks with their hints."""

    slug: str
    title: str
    summary: str
    minutes: int
    tasks: tuple[Task, ...]

    @property
    def number(self) -> str:
        return self.slug.split("-", 1)[0]


def read_outline(course: Course, slug: str) -> Outline:
    """The outline of one lab. Raises CourseError that names the file and the key."""
    data = read_toml(course.starter(slug) / "lab.toml")
    try:
        tasks = [
            Task(
                *(str(task["id"]), str(task["title"]), int(task["weight"])),
                hints=tuple(map(str, task["hints"])),
                skills=tuple(map(str, task.get("skills", ()))),
            )
            for task in data["tasks"]
        ]
        return Outline(slug, str(data["title"]), str(data["summary"]), int(data["minutes"]), tuple(tasks))
    except KeyError as error:
        raise CourseError(f"{slug}/lab.toml: {error.args[0]}: Field required") from error
    except (TypeError, ValueError) as error:
        raise CourseError(f"{slug}/lab.toml: {error}") from error


def choose_task(lab: Lab | Outline, word: str) -> Task:
    """The task with the id `word`. Raises CourseError with the nearest one."""
    known = {task.id: task for task in lab.tasks}
    if word in known:
        return known[word]
    near = difflib.get_close_matches(word, known, 1, 0.4)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    raise CourseError(f'lab {lab.number} has no task "{word}"; {hint}')
