"""Finds what dangles between cards, facts, exam guides, questions, tasks and checks."""

from __future__ import annotations

from collections.abc import Iterator

from cloudkata.course.find import CourseError
from cloudkata.course.load import load_lab
from cloudkata.course.model import Course, Lab
from cloudkata.course.study import Card, Exam, load_cards, load_exams, load_facts, load_questions


def lint_study(course: Course) -> list[str]:
    """A sentence for each thing that is wrong; nothing where a course has no cards and no exams."""
    try:
        cards, facts, exams, questions = (load(course) for load in (load_cards, load_facts, load_exams, load_questions))
        labs = [load_lab(course, slug) for slug in course.labs]
    except CourseError as error:
        return [str(error)]
    skills = {skill.id for exam in exams.values() for skill in exam.skill}
    return [
        *_guides(exams),
        *_cards(cards, exams, skills),
        *(f"fact {fact.id}: there is no card {fact.card}" for fact in facts.values() if fact.card not in cards),
        *_questions(questions, cards, skills),
        *(problem for lab in labs for problem in _lab(lab, cards, skills)),
    ]


def _guides(exams: dict[str, Exam]) -> Iterator[str]:
    known = {skill.id for exam in exams.values() for skill in exam.skill}
    for exam in exams.values():
        if sum(domain.weight for domain in exam.domain) != 100:
            yield f"{exam.name}: the weights of its domains do not add up to 100"
        domains, tasks = {domain.id for domain in exam.domain}, {task.id for task in exam.task}
        yield from (f"{exam.name}: task {t.id} is of no domain" for t in exam.task if t.domain not in domains)
        seen: set[str] = set()
        for skill in exam.skill:
            if skill.task not in tasks:
                yield f"{skill.id}: there is no task {skill.task} in {exam.name}"
            if skill.id in seen:
                yield f"two skills have the id {skill.id}"
            seen.add(skill.id)
            yield from (f"{skill.id} continues {old}, which is no skill" for old in skill.continues if old not in known)


def _cards(cards: dict[str, Card], exams: dict[str, Exam], skills: set[str]) -> Iterator[str]:
    for card in cards.values():
        yield from (f"card {card.id}: there is no skill {skill}" for skill in card.skills if skill not in skills)
        mapped = {skill.split("-", 1)[0] for skill in card.skills}
        missing = [name for name in exams if name.removeprefix("DVA-") not in mapped]
        if card.outside and card.skills:
            yield f"card {card.id} is outside of the exams, and names skills of them"
        elif missing and not card.outside:
            yield f"card {card.id} names no skill of {' and '.join(missing)}, and does not say that it is outside"


def _questions(questions, cards: dict[str, Card], skills: set[str]) -> Iterator[str]:
    for question in questions.values():
        yield from (f"question {question.id}: there is no skill {s}" for s in question.skills if s not in skills)
        yield from (f"question {question.id}: there is no card {c}" for c in question.cards if c not in cards)
        texts = [option.text for option in question.option]
        if len(set(texts)) != len(texts):
            yield f"question {question.id} has the same option twice"


def _lab(lab: Lab, cards: dict[str, Card], skills: set[str]) -> Iterator[str]:
    proved = {card for spec in lab.checks for card in spec.cards}
    yield from (
        f"{spec.id}: there is no card {card}" for spec in lab.checks for card in spec.cards if card not in cards
    )
    for task in lab.tasks:
        yield from (f"{lab.slug}, task {task.id}: there is no skill {s}" for s in task.skills if s not in skills)
    mine = [card for card in cards.values() if card.lab == lab.slug]
    for card in mine:
        if card.id not in proved and not card.unproved:
            yield f"card {card.id}: no check of {lab.slug} names it, and it does not say why not (`unproved`)"
        if card.id in proved and card.unproved:
            yield f"card {card.id} says that it is unproved, and a check names it"
    if mine:
        for task in lab.tasks:
            if not task.skills:
                yield f"{lab.slug}, task {task.id} names no skills"
