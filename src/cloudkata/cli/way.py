"""Where a learner is in the course, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from cloudkata.cli.common import history_is_optional
from cloudkata.course import Course, CourseError, Outline, read_outline
from cloudkata.study.progress import Progress, Standing


@dataclass(frozen=True)
class Way:
    """A course with where its learner stands."""

    course: Course
    standings: dict[str, Standing]
    last: str  # the lab of the last attempt, or ""

    def standing(self, slug: str) -> Standing:
        return self.standings.get(slug, Standing())

    def started(self, slug: str) -> bool:
        return self.course.workspace(slug).is_dir()

    def passed(self, slug: str) -> bool:
        return self.standing(slug).passed

    @property
    def current(self) -> str:
        """The lab the learner is in: tried last or started last, and not passed. "" between two labs."""
        if self.last in self.course.labs and self.started(self.last) and not self.passed(self.last):
            return self.last
        going_on = [slug for slug in self.course.labs if self.started(slug) and not self.passed(slug)]
        return going_on[-1] if going_on else ""

    @property
    def next(self) -> str:
        """The first lab that is not passed, in the course's order; "" when all are."""
        return next((slug for slug in self.course.labs if not self.passed(slug)), "")

    @property
    def at_the_start(self) -> bool:
        return not self.standings and not any(self.started(slug) for slug in self.course.labs)


def read_way(course: Course) -> Way:
    """Where the learner of `course` stands; without a readable history, by the folders alone."""
    standings, last = {}, ""
    with history_is_optional():
        progress = Progress(course.root / "workspace")
        standings, last = progress.standings(), progress.last_lab()
    return Way(course, standings, last)


def current_lab(course: Course) -> str:
    """The lab that a command means which names none. Raises CourseError for a course without labs."""
    way = read_way(course)
    found = way.current or way.next or (course.labs[-1] if course.labs else "")
    if not found:
        raise CourseError("course.toml names no lab; make one with kata new-lab")
    return found


def state(way: Way, lab: Outline) -> str:
    """A lab's state in a few words."""
    standing = way.standing(lab.slug)
    if standing.passed:
        return "passed, after the solution" if standing.solution_shown else "passed"
    if standing.tasks:
        return f"{len(standing.tasks)} of {len(lab.tasks)} tasks"
    return "started" if way.started(lab.slug) else ""


def next_step(way: Way) -> str:
    """A sentence and the command that goes on from here."""
    if way.current:
        lab = read_outline(way.course, way.current)
        return f"Next: edit workspace/{lab.slug}, then run: kata check {lab.number}"
    if way.next:
        lab = read_outline(way.course, way.next)
        return f"Next: kata next (lab {lab.number}: {lab.title}, about {lab.minutes} minutes)"
    return "You have passed every lab. kata list shows them all."
