"""Reads the labs of a course."""

from __future__ import annotations

import difflib

from cloudkata.course.checks import read_checks
from cloudkata.course.find import CourseError
from cloudkata.course.manifest import EditEntry, LabManifest, MisconceptionFile, NeighbourFile, read_model
from cloudkata.course.model import Course, Edit, Lab, Task, Variant


def load_lab(course: Course, slug: str) -> Lab:
    """Read one lab with its checks. Raises CourseError that names the file and the key."""
    manifest = read_model(course.starter(slug) / "lab.toml", LabManifest)
    tasks = [
        Task(entry.id, entry.title, entry.weight, tuple(entry.hints), tuple(entry.skills)) for entry in manifest.tasks
    ]
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
        needs=tuple(manifest.needs),
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
