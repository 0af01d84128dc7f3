"""Finds what dangles or is missing in decks and notebooks."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from cloudkata.course.find import CourseError, choose
from cloudkata.course.load import choose_variant, load_lab
from cloudkata.course.model import Course, Lab
from cloudkata.course.study import load_cards, load_exams
from cloudkata.course.teaching import DECK, NOTEBOOK, Material, load_material, materials, notes


def lint_teaching(course: Course) -> list[str]:
    """A sentence for each thing that is wrong. A course with decks, or with notebooks, has one for every lab."""
    try:
        cards = set(load_cards(course))
        skills = {skill.id for exam in load_exams(course).values() for skill in exam.skill}
        labs = {slug: load_lab(course, slug) for slug in course.labs}
    except CourseError as error:
        return [str(error)]
    found: list[str] = []
    for kind in (DECK, NOTEBOOK):
        paths = list(materials(course, kind))
        there = {path.stem for path in paths}
        found += [f"there is no {kind}/{slug}.md" for slug in labs if paths and slug not in there]
        for path in paths:
            try:
                material = load_material(path)
            except CourseError as error:
                found.append(str(error))
                continue
            found += [f"{material.name}: {problem}" for problem in _lint(course, labs, cards, skills, material)]
    return found


def _lint(course: Course, labs: dict[str, Lab], cards: set[str], skills: set[str], one: Material) -> Iterator[str]:
    lab = labs.get(one.slug)
    if lab is None:
        yield f"there is no lab {one.slug}"
        return
    tasks = {task.id for task in lab.tasks}
    checks = {spec.id for each in labs.values() for spec in each.checks}
    yield from (f"there is no task {task} in {lab.slug}" for task in one.covers.tasks if task not in tasks)
    yield from (f"there is no card {card}" for card in one.covers.cards if card not in cards)
    yield from (f"there is no skill {skill}" for skill in one.covers.skills if skill not in skills)
    yield from (f"there is no check {check}" for check in one.checks if check not in checks)
    if not one.covers.tasks:
        yield "it covers no task"
    yield from _deck(course, one) if one.kind == DECK else _notebook(one)


def _deck(course: Course, deck: Material) -> Iterator[str]:
    for number, slide in enumerate(deck.slides, 1):
        if not notes(slide):
            yield f"slide {number} has no speaker notes"
    for picture in deck.pictures:
        if not (course.root / DECK / picture).is_file():
            yield f"there is no picture {picture}"
        elif picture.endswith(".svg") and not (course.root / DECK / picture).with_suffix(".dot").is_file():
            yield f"{picture} has no text that it is drawn from, beside it with .dot at the end"
    if not deck.pictures:
        yield "it has no diagram"
    if not deck.demos:
        yield "it has no demo: a block of code marked `sh demo`"
    for demo in deck.demos:
        if not demo.seen:
            yield "a demo does not say what is seen: a block of code marked `text seen` after it"
        for command, _ in demo.commands:
            yield from _command(course, command)


def _command(course: Course, command: str) -> Iterator[str]:
    """That a demo names a lab and a variant that are there; whether it does what it says, a test finds out."""
    program, *words = shlex.split(command)
    if program != "kata" or not words:
        yield f"a demo runs something else than kata: {command}"
    elif words[0] in ("check", "hint", "start", "solution") and len(words) > 1:
        try:
            slug = choose(course, words[1])
            if "--variant" in words:
                choose_variant(course, slug, words[words.index("--variant") + 1])
        except CourseError as error:
            yield f"{command}: {error}"


def _notebook(notebook: Material) -> Iterator[str]:
    if not notebook.code:
        yield "it has no cell of code"
    if not any(seen for _, seen in notebook.code):
        yield "it does not say what is seen: a block of code marked `text seen` after a cell"
    if "## What the exam asks" not in notebook.body:
        yield 'it has no section "What the exam asks"'
    if "## Change one thing" not in notebook.body:
        yield 'it has no section "Change one thing"'
