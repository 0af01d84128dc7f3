"""A mock exam in the terminal, and what it says."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, dataclass
from datetime import date

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cloudkata.cli.common import write_json
from cloudkata.cli.keys import keys
from cloudkata.course import Course, CourseError, read_outline
from cloudkata.course.study import Exam, Question, exam_on, load_exams, load_questions
from cloudkata.study.mock_exam import (
    COVERED,
    Readiness,
    Sitting,
    Sittings,
    covered,
    draw,
    is_right,
    options_in_order,
    readiness,
    share_with_interval,
)

_LETTERS = "abcdefgh"
_WEAKEST = 10


@dataclass(frozen=True)
class Wanted:
    """What the command line says: see `kata exam --help`."""

    name: str
    count: int
    timed: bool
    seed: int | None


def run(console: Console, course: Course, wanted: Wanted, *, result: bool, json_file: str) -> None:
    """Begin or go on with a mock exam, or show the last result. Raises CourseError and StoreError."""
    exams, questions = load_exams(course), load_questions(course)
    sittings = Sittings(course.root / "workspace")
    if result:
        ended = [sitting for sitting in sittings.all() if sitting.ended]
        if not ended:
            raise CourseError("no mock exam was finished yet: kata exam begins one")
        return _result(console, course, exams, questions, ended[-1], json_file)
    sitting = sittings.open()
    if sitting is None:
        sitting = _begin(console, sittings, exams, questions, wanted)
    else:
        left = sum(name not in sitting.answers for name in sitting.questions)
        console.print(f"You go on with the mock exam of {sitting.exam}: {left} questions are left.")
    if _sit(console, questions, sittings, sitting):
        ended_now = next(one for one in sittings.all() if one.id == sitting.id)
        return _result(console, course, exams, questions, ended_now, json_file)
    return console.print("It is kept. kata exam goes on with it.")


def ask_one(console: Console, question: Question, seed: int) -> None:
    """Ask one question that counts for nothing, and explain every option of it; q leaves it."""
    order = options_in_order(question, seed)
    with keys() as key:
        _show(console, question, order, "one exam question on it", "leaves it out")
        chosen = _choose(console, question, order, key)
    if chosen is None:
        return
    right = is_right(question, chosen)
    console.print(Text("Right." if right else "Not so.", style="green" if right else "red"))
    _explain(console, question, chosen, order)


def _begin(console: Console, sittings: Sittings, exams, questions, wanted: Wanted) -> Sitting:
    exam = _exam(exams, wanted.name)
    seed = secrets.randbelow(1 << 32) if wanted.seed is None else wanted.seed
    count = wanted.count or exam.questions
    drawn = draw(exam, questions, count, seed)
    seconds = exam.minutes * 60 * count / exam.questions if wanted.timed else None
    console.print(f"A mock exam of {exam.name}: {count} questions, seed {seed}.")
    return sittings.begin(exam.name, drawn, seed, time.time(), seconds)


def _exam(exams: dict[str, Exam], name: str) -> Exam:
    if not name:
        return exam_on(exams, date.today())
    found = exams.get(name.upper()) or exams.get(f"DVA-{name.upper()}")
    if found is None:
        raise CourseError(f'there is no exam "{name}"; there are {", ".join(exams)}')
    return found


def _sit(console: Console, questions: dict[str, Question], sittings: Sittings, sitting: Sitting) -> bool:
    """Ask what has no answer yet; whether the exam is over."""
    asked = [name for name in sitting.questions if name in questions and name not in sitting.answers]
    done = len(sitting.questions) - len(asked)
    with keys() as key:
        for number, name in enumerate(asked, done + 1):
            if sitting.seconds is not None and time.time() > sitting.began + sitting.seconds:
                console.print("The time is over.")
                break
            question = questions[name]
            order = options_in_order(question, sitting.seed)
            _show(console, question, order, f"{number} of {len(sitting.questions)}{_clock(sitting)}")
            chosen = _choose(console, question, order, key)
            if chosen is None:
                return False
            sittings.answer(sitting, name, chosen, time.time())
    sittings.end(sitting, time.time())
    return True


def _clock(sitting: Sitting) -> str:
    if sitting.seconds is None:
        return ""
    left = max(0.0, sitting.began + sitting.seconds - time.time())
    return f", {left / 60:.0f} minutes left"


def _show(
    console: Console, question: Question, order: list[int], where: str, leaving: str = "keeps the exam for later"
) -> None:
    console.rule(where, style="dim")
    console.print(Text(question.text, style="bold"))
    for letter, number in zip(_LETTERS, order, strict=False):
        console.print(Padding(Text(f"{letter}  {question.option[number].text}"), (0, 0, 0, 2)))
    many = f"{question.choose} letters, then Enter" if question.choose > 1 else "a letter, then Enter"
    console.print(Text(f"{many}; q {leaving}", style="dim"))


def _choose(console: Console, question: Question, order: list[int], key) -> list[int] | None:
    """The numbers of the options that were chosen, or None to leave."""
    chosen: list[int] = []
    while True:
        pressed = key().lower()
        if pressed in ("", "q"):
            return None
        if pressed == "\n":
            if len(chosen) == question.choose:
                return chosen
            console.print(Text(f"Choose {question.choose}.", style="yellow"))
        elif pressed in _LETTERS[: len(order)]:
            number = order[_LETTERS.index(pressed)]
            if number in chosen:
                chosen.remove(number)
            else:
                chosen = [*chosen, number][-question.choose :]
            letters = sorted(_LETTERS[order.index(each)] for each in chosen)
            console.print(Text(f"chosen: {' '.join(letters)}", style="dim"))


def _result(console: Console, course: Course, exams, questions, sitting: Sitting, json_file: str) -> None:
    exam = exams[sitting.exam]
    given = {name: sitting.answers.get(name, ()) for name in sitting.questions if name in questions}
    right = {name for name, chosen in given.items() if is_right(questions[name], chosen)}
    for name, chosen in given.items():
        if name not in right:
            _explain(console, questions[name], chosen, options_in_order(questions[name], sitting.seed))
    console.rule(style="dim")
    total = share_with_interval("all", len(right), len(given))
    domains = _domains(exam, questions, given, right)
    skills = readiness(exam, questions, given)
    lab_skills = {skill for slug in course.labs for task in read_outline(course, slug).tasks for skill in task.skills}
    known, all_ = covered(exam, questions.values(), lab_skills)
    console.print(f"{len(right)} of {len(given)} right, on {exam.name}.\n")
    console.print(_table("domain", domains))
    weakest = sorted(skills, key=lambda one: (one.right / one.asked, one.high))[:_WEAKEST]
    console.print(_table("skill, the weakest first", weakest))
    console.print(f"\n{known} of {all_} skills of the guide have a question or a lab here.")
    if known < COVERED * all_:
        console.print("That is too little of the guide to say how ready you are for the whole of it.")
    else:
        console.print(
            f"Questions like these you get right in {total.low:.0%} to {total.high:.0%}, with 90% confidence."
        )
    if json_file:
        found = {
            "schema": "cloudkata.exam/1",
            "exam": exam.name,
            "seed": sitting.seed,
            "right": len(right),
            "asked": len(given),
            "domains": [asdict(one) for one in domains],
            "skills": [asdict(one) for one in skills],
            "covered": {"skills": known, "of": all_},
            "questions": [{"id": name, "right": name in right} for name in given],
        }
        write_json(json_file, found)


def _domains(exam: Exam, questions, given, right) -> list[Readiness]:
    where = {skill.id: skill.domain for skill in exam.skill}
    found = []
    for domain in exam.domain:
        mine = [n for n in given if next((where[s] for s in questions[n].skills if s in where), "") == domain.id]
        found.append(share_with_interval(f"{domain.id} {domain.title}", sum(n in right for n in mine), len(mine)))
    return found


def _table(what: str, rows: list[Readiness]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(what, overflow="fold")
    table.add_column("right", justify="right")
    table.add_column("likely", justify="right")
    for row in rows:
        table.add_row(row.part, f"{row.right} of {row.asked}", f"{row.low:.0%} to {row.high:.0%}")
    return table


def _explain(console: Console, question: Question, chosen, order: list[int]) -> None:
    console.rule(style="dim")
    console.print(Text(question.text, style="bold"))
    for number in order:
        option = question.option[number]
        mark = "✓" if option.right else "✗" if number in chosen else " "
        style = "green" if option.right else "red" if number in chosen else "dim"
        console.print(Padding(Text(f"{mark} {option.text}", style=style), (0, 0, 0, 2)))
        console.print(Padding(Text(option.why, style="dim"), (0, 0, 0, 6)))
    console.print(Padding(Text(question.page, style="dim", overflow="fold"), (0, 0, 0, 2)))
