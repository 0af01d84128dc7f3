"""Reads cards, the facts behind them, exam guides and questions into frozen models."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from cloudkata.course.find import CourseError
from cloudkata.course.manifest import Id, Strict, Text, read_model
from cloudkata.course.model import Course

SkillId = Annotated[str, Field(pattern=r"^C0[23]-[a-z0-9.-]+$")]
Page = Annotated[str, Field(pattern=r"^https://[^\s]+$")]
MIN_OPTIONS = 4


class Card(Strict):
    """A flashcard: what to know in a situation.

    `unknown` says what nobody documents, `outside` why no exam asks for it, `unproved` why no check of its lab proves
    it.
    """

    id: Id
    lab: Annotated[str, Field(pattern=r"^([0-9]{2}-[a-z0-9-]+)?$")] = ""
    situation: Text
    answer: Text
    why: Text
    belief: Text
    page: Page
    skills: tuple[SkillId, ...]
    unknown: str = ""
    outside: str = ""
    unproved: str = ""


class Fact(Strict):
    """A row that botocore's service model settles: `path` leads through it, `kind` says how it is compared."""

    id: Id
    card: Id
    service: Text
    path: Text
    kind: Literal["equals", "has", "says", "absent"]
    expected: Any = None


class Domain(Strict):
    """`weight` is in per cent of the scored questions."""

    id: Text
    title: Text
    weight: Annotated[int, Field(ge=1, le=100)]


class GuideTask(Strict):
    id: Text
    title: Text

    @property
    def domain(self) -> str:
        return self.id.split(".", 1)[0]


class Skill(Strict):
    """A line of an exam guide. `continues` names those of the exam before that went into it."""

    id: SkillId
    task: Text
    text: Text
    certainty: Literal["guide", "comparison", "announcement", "cross-checked", "transcribed"]
    change: Literal["kept", "moved", "merged", "added"] = "kept"
    continues: tuple[SkillId, ...] = ()

    @property
    def domain(self) -> str:
        return self.task.split(".", 1)[0]


class Exam(Strict):
    """An exam guide, as far as it is known."""

    name: Text
    title: Text
    questions: Annotated[int, Field(ge=1)]
    scored: Annotated[int, Field(ge=1)]
    minutes: Annotated[int, Field(ge=1)]
    passing: Annotated[int, Field(ge=100, le=1000)]
    source: Page
    first_day: date | None = None
    last_day: date | None = None
    domain: tuple[Domain, ...]
    task: tuple[GuideTask, ...]
    skill: tuple[Skill, ...]


class Option(Strict):
    text: Text
    why: Text
    right: bool = False


class Question(Strict):
    """A scenario of the mock exam with its options; as many are to be chosen as are right."""

    id: Id
    text: Text
    skills: Annotated[tuple[SkillId, ...], Field(min_length=1)]
    cards: tuple[Id, ...] = ()
    page: Page
    option: Annotated[tuple[Option, ...], Field(min_length=MIN_OPTIONS)]

    @property
    def choose(self) -> int:
        return sum(option.right for option in self.option)

    @field_validator("option")
    @classmethod
    def _some_right(cls, options: tuple[Option, ...]) -> tuple[Option, ...]:
        right = sum(option.right for option in options)
        if not 0 < right < len(options):
            raise ValueError("some options must be right and some wrong")
        return options


class _CardFile(Strict):
    card: tuple[Card, ...]


class _FactFile(Strict):
    fact: tuple[Fact, ...]


class _QuestionFile(Strict):
    question: tuple[Question, ...]


def load_cards(course: Course) -> dict[str, Card]:
    """All cards by id, in the order of the files. Raises CourseError for a malformed one, or an id used twice."""
    files = sorted((course.root / "cards").glob("*.toml"))
    return _by_id("card", (card for path in files for card in read_model(path, _CardFile).card))


def load_facts(course: Course) -> dict[str, Fact]:
    """All facts by id. Raises CourseError."""
    files = sorted((course.root / "cards" / "facts").glob("*.toml"))
    return _by_id("fact", (fact for path in files for fact in read_model(path, _FactFile).fact))


def load_questions(course: Course) -> dict[str, Question]:
    """All questions by id. Raises CourseError."""
    files = sorted((course.root / "exams" / "questions").glob("*.toml"))
    return _by_id("question", (found for path in files for found in read_model(path, _QuestionFile).question))


def load_exams(course: Course) -> dict[str, Exam]:
    """The exam guides by name, the newest first. Raises CourseError."""
    exams = [read_model(path, Exam) for path in _guides(course)]
    return {exam.name: exam for exam in sorted(exams, key=lambda exam: exam.name, reverse=True)}


def exam_on(exams: dict[str, Exam], day: date) -> Exam:
    """The exam that can be taken on a day, or else the next one. Raises CourseError when there is no guide at all."""
    for exam in exams.values():
        if (exam.first_day is None or exam.first_day <= day) and (exam.last_day is None or day <= exam.last_day):
            return exam
    for exam in exams.values():
        return exam
    raise CourseError("there is no exam guide in exams/")


def _guides(course: Course) -> list[Path]:
    return sorted((course.root / "exams").glob("*.toml"))


def _by_id(what: str, entries: Iterable) -> dict:
    found: dict = {}
    for entry in entries:
        if entry.id in found:
            raise CourseError(f"two {what}s have the id {entry.id}")
        found[entry.id] = entry
    return found
