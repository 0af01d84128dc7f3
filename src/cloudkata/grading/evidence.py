"""Proves single claims on a reference solution, with the calls that settled each, as the front door saw them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cloudkata.checking.plugin import with_groundwork
from cloudkata.checking.verdict import Verdict
from cloudkata.course import Course, load_lab
from cloudkata.grading.attempt import Attempt, Run, attempt_at
from cloudkata.grading.place import Place

WHO = {"checks": "the check", "learner": "the solution", "functions": "a function", "derived": "temporary credentials"}


@dataclass(frozen=True)
class Seen:
    """Calls in a row that were alike: who made them, what was asked and answered, and how often."""

    who: str
    call: str
    answer: str
    times: int


@dataclass(frozen=True)
class Evidence:
    """One check's verdict, and what went through the front door while it ran."""

    verdict: Verdict
    calls: tuple[Seen, ...]


def prove(
    course: Course, slug: str, checks: Collection[str], target, progress=lambda text: None
) -> tuple[Attempt, list[Evidence]]:
    """Run `checks` of a lab, and those they come after, against its solution on a started `target`.

    Returns the attempt and evidence for each of `checks` that ran. Raises CourseError.
    """
    lab = load_lab(course, slug)
    session = target.session(lab.number)
    found: list[Evidence] = []
    position = 0

    def seen(verdict: Verdict) -> None:
        nonlocal position
        entries = session.requests(position)
        position = entries[-1]["number"] if entries else position
        if verdict.id in checks:
            found.append(Evidence(verdict, tuple(_in_rows(entries))))

    def start(text: str) -> None:
        nonlocal position
        progress(text)
        if not found and (entries := session.requests(position)):
            position = entries[-1]["number"]  # deploying is no evidence

    only = with_groundwork(lab.checks, list(checks))
    run = Run(only=tuple(only), progress=start, seen=seen)
    result = attempt_at(course, lab, Place(lab, course.solution(slug), session), target, run)
    return result, found


def _in_rows(entries: list[dict]) -> list[Seen]:
    rows: list[Seen] = []
    for entry in entries:
        who = WHO.get(entry["key_set"], entry["key_set"] or "somebody without a key")
        call = f"{entry['service']} {entry['operation']}".strip()
        answer = f"{entry['status']} {entry['error']}".strip()
        if rows and (rows[-1].who, rows[-1].call, rows[-1].answer) == (who, call, answer):
            rows[-1] = Seen(who, call, answer, rows[-1].times + 1)
        else:
            rows.append(Seen(who, call, answer, 1))
    return rows
