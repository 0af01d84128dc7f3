"""Finds a course and reads its labs."""

from __future__ import annotations

import difflib
from pathlib import Path

from cloudkata.course.checks import read_checks
from cloudkata.course.manifest import (
    CourseError,
    EditEntry,
    LabManifest,
    MisconceptionFile,
    NeighbourFile,
    read_model,
    read_toml,
)
from cloudkata.course.model import Course, Edit, Lab, Task, Variant

MANIFEST = "course.toml"


def find_course(start: Path) -> Course:
    """The course whose folder holds `start`. Raises CourseError."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / MANIFEST).is_file():
            labs = read_toml(folder / MANIFEST).get("labs")
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


def choose_task(lab: Lab, word: str) -> Task:
    """The task with the id `word`. Raises CourseError with the nearest one."""
    known = {task.id: task for task in lab.tasks}
    if word in known:
        return known[word]
    near = difflib.get_close_matches(word, known, 1, 0.4)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    raise CourseError(f'lab {lab.number} has no task "{word}"; {hint}')


def load_lab(course: Course, slug: str) -> Lab:
    """Read one lab with its checks. Raises CourseError that names the file and the key."""
    manifest = read_model(course.starter(slug) / "lab.toml", LabManifest)
    tasks = [Task(entry.id, entry.title, entry.weight, tuple(entry.hints)) for entry in manifest.tasks]
    try:
        checks = read_checks(course.checks(slug), slug.split("-", 1)[0])
    except (SyntaxError, ValueError, OSError) as error:
        raise CourseError(f"the checks of {slug} cannot be read: {error}") from error
    known = {task.id for task in tasks}
    for spec in checks:
        if spec.task not in known:
            raise CourseError(f"check {spec.id}: there is no task {spec.task} in {slug}/lab.toml")
    return Lab(
        slug=slug,
        title=manifest.title,
        summary=manifest.summary,
        minutes=manifest.minutes,
        outputs=dict(manifest.outputs),
        tasks=tuple(tasks),
        checks=tuple(checks),
        calls=manifest.calls,
        racers=manifest.racers,
        prerequisites=tuple(manifest.prerequisites),
        not_enforced=tuple(manifest.not_enforced),
        real_account_only=tuple(manifest.real_account_only),
        cost=manifest.cost,
    )


def load_misconceptions(course: Course, slug: str) -> list[Variant]:
    """The known-wrong variants of a lab's solution. Raises CourseError."""
    file = read_model(course.checks(slug) / "misconceptions.toml", MisconceptionFile)
    return [
        Variant(entry.id, entry.belief, _edits(entry.edits), entry.source, entry.correction, tuple(entry.caught_by))
        for entry in file.misconception
    ]


def load_neighbours(course: Course, slug: str) -> list[Variant]:
    """The known-right variants of a lab's solution. Raises CourseError."""
    file = read_model(course.checks(slug) / "neighbours.toml", NeighbourFile)
    return [Variant(entry.id, entry.why, _edits(entry.edits)) for entry in file.neighbour]


def _edits(entries: list[EditEntry]) -> tuple[Edit, ...]:
    return tuple(Edit(entry.file, entry.find, entry.replace) for entry in entries)


def choose_variant(course: Course, slug: str, word: str) -> Variant:
    """The misconception or neighbour with the id `word`. Raises CourseError with the nearest one."""
    known = {variant.id: variant for variant in [*load_misconceptions(course, slug), *load_neighbours(course, slug)]}
    if word in known:
        return known[word]
    near = difflib.get_close_matches(word, known, 1, 0.4)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    raise CourseError(f'{slug} has no variant "{word}"; {hint}')
