"""A mock exam: drawn by the weights of an exam's domains, kept answer by answer, and what it says of readiness."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cloudkata.course import CourseError
from cloudkata.course.study import Exam, Question
from cloudkata.study.store import Store

COVERED = 0.8  # share of the guide's skills below which no total is given
_Z = 1.645  # of a two-sided interval of 90%


@dataclass(frozen=True)
class Sitting:
    """One mock exam that was begun. `seconds` is its limit, or None; `answers` maps a question to what was chosen."""

    id: int
    exam: str
    began: float
    seed: int
    questions: tuple[str, ...]
    seconds: float | None
    answers: dict[str, tuple[int, ...]]
    ended: bool


@dataclass(frozen=True)
class Readiness:
    """How one part of a guide was answered: `low` to `high` is where the true share lies, with 90% confidence."""

    part: str
    right: int
    asked: int
    low: float
    high: float


def draw(exam: Exam, questions: dict[str, Question], count: int, seed: int) -> list[str]:
    """`count` questions, as many of each domain as its weight says, in an order of their own. Raises CourseError."""
    chance = random.Random(f"{exam.name}/{seed}")
    domains = {skill.id: skill.domain for skill in exam.skill}
    pools: dict[str, list[str]] = {domain.id: [] for domain in exam.domain}
    for question in questions.values():
        mine = [domains[skill] for skill in question.skills if skill in domains]
        if mine:
            pools[mine[0]].append(question.id)
    found: list[str] = []
    for domain, share in _shares(exam, count).items():
        if share > len(pools[domain]):
            raise CourseError(f"domain {domain} of {exam.name} has {len(pools[domain])} questions, {share} are needed")
        found += chance.sample(sorted(pools[domain]), share)
    chance.shuffle(found)
    return found


def _shares(exam: Exam, count: int) -> dict[str, int]:
    """`count` split by weight, the largest remainders first."""
    exact = {domain.id: count * domain.weight / 100 for domain in exam.domain}
    shares = {domain: int(value) for domain, value in exact.items()}
    for domain in sorted(exact, key=lambda domain: shares[domain] - exact[domain])[: count - sum(shares.values())]:
        shares[domain] += 1
    return shares


def options_in_order(question: Question, seed: int) -> list[int]:
    """The numbers of a question's options in the order in which this sitting shows them."""
    order = list(range(len(question.option)))
    random.Random(f"{question.id}/{seed}").shuffle(order)
    return order


def is_right(question: Question, chosen: Iterable[int]) -> bool:
    """Whether exactly the right options were chosen: there are no points for a part."""
    return set(chosen) == {number for number, option in enumerate(question.option) if option.right}


def share_with_interval(part: str, right: int, asked: int) -> Readiness:
    """Wilson's interval of a share, at 90%; from 0 to 1 where nothing was asked."""
    if not asked:
        return Readiness(part, 0, 0, 0.0, 1.0)
    share, z2 = right / asked, _Z * _Z
    middle = (share + z2 / (2 * asked)) / (1 + z2 / asked)
    half = _Z / (1 + z2 / asked) * math.sqrt(share * (1 - share) / asked + z2 / (4 * asked * asked))
    return Readiness(part, right, asked, max(0.0, middle - half), min(1.0, middle + half))


def readiness(exam: Exam, questions: dict[str, Question], answers: dict[str, tuple[int, ...]]) -> list[Readiness]:
    """Each skill of the guide that was asked, in the guide's order."""
    asked: dict[str, list[bool]] = {}
    for name, chosen in answers.items():
        if name in questions:
            for skill in questions[name].skills:
                asked.setdefault(skill, []).append(is_right(questions[name], chosen))
    return [share_with_interval(s.id, sum(asked[s.id]), len(asked[s.id])) for s in exam.skill if s.id in asked]


def covered(exam: Exam, questions: Iterable[Question], lab_skills: set[str]) -> tuple[int, int]:
    """(skills of the guide with a question or a lab, all of them)."""
    named = {skill for question in questions for skill in question.skills} | lab_skills
    return sum(skill.id in named for skill in exam.skill), len(exam.skill)


class Sittings:
    """The mock exams of one workspace. Every method raises StoreError when they cannot be read or kept."""

    def __init__(self, workspace: Path) -> None:
        self._store = Store(workspace)

    def begin(self, exam: str, questions: list[str], seed: int, now: float, seconds: float | None) -> Sitting:
        with self._store.writing() as connection:
            row = connection.execute(
                "INSERT INTO exam (name, began, seed, questions, seconds) VALUES (?, ?, ?, ?, ?)",
                (exam, now, seed, json.dumps(questions), seconds),
            ).lastrowid
        assert row is not None
        return Sitting(row, exam, now, seed, tuple(questions), seconds, {}, False)

    def answer(self, sitting: Sitting, question: str, chosen: Iterable[int], now: float) -> None:
        """Keep an answer; a later one to the same question counts instead."""
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO exam_answer (exam, question, chosen, at) VALUES (?, ?, ?, ?)",
                (sitting.id, question, json.dumps(sorted(chosen)), now),
            )

    def end(self, sitting: Sitting, now: float) -> None:
        with self._store.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO exam_end VALUES (?, ?)", (sitting.id, now))

    def all(self) -> list[Sitting]:
        """Every sitting, the oldest first."""
        with self._store.reading() as connection:
            if connection is None:
                return []
            rows = connection.execute(
                "SELECT id, name, began, seed, questions, seconds FROM exam ORDER BY id"
            ).fetchall()
            ended = {exam for (exam,) in connection.execute("SELECT exam FROM exam_end")}
            given = connection.execute("SELECT exam, question, chosen FROM exam_answer ORDER BY id").fetchall()
        answers: dict[int, dict[str, tuple[int, ...]]] = {}
        for exam, question, chosen in given:
            answers.setdefault(exam, {})[question] = tuple(json.loads(chosen))
        return [
            Sitting(
                number, name, began, seed, tuple(json.loads(drawn)), limit, answers.get(number, {}), number in ended
            )
            for number, name, began, seed, drawn, limit in sorted(rows)
        ]

    def open(self) -> Sitting | None:
        """The last sitting, if it was not ended."""
        found = self.all()
        return found[-1] if found and not found[-1].ended else None
