"""Flashcards, drilled with the keyboard."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from cloudkata.cli.common import write_text
from cloudkata.cli.keys import keys
from cloudkata.course import Course, CourseError, choose
from cloudkata.course.study import Card, exam_on, load_cards, load_exams
from cloudkata.study.deck import Deck, Limits
from cloudkata.study.reviews import Reviews

_RATED = {"1": "again", "2": "hard", "3": "good", "4": "easy"}
_KEYS = "space answer, 1 again, 2 hard, 3 good, 4 easy, u undo, s suspend, q end"
_WEAK = 0.8  # how likely a card is known, below which it counts as weak
_DAYS, _DAY, _BAR = 14, 86_400.0, 40


@dataclass(frozen=True)
class Asked:
    """What the command line says: see `kata cards --help`."""

    lab: str
    domain: str
    weak: bool
    limits: Limits


def run(console: Console, course: Course, asked: Asked, *, stats: bool, resume: str, export: Path | None) -> None:
    """Drill, or show, or export. Raises CourseError and StoreError."""
    chosen = _chosen(course, asked.lab, asked.domain)
    if export:
        return _export(console, chosen, export)
    reviews = Reviews(course.root / "workspace")
    if resume:
        if resume not in load_cards(course):
            raise CourseError(f'there is no card "{resume}"')
        reviews.suspend(resume, False, time.time())
        return console.print(f"{resume} is asked again.", markup=False)
    if stats:
        return _stats(console, chosen, reviews)
    limits = Limits(len(chosen), len(chosen)) if asked.weak else asked.limits
    return _drill(console, course, chosen, reviews, limits, asked.weak)


def _chosen(course: Course, lab: str, domain: str) -> dict[str, Card]:
    """The cards that were asked for. Raises CourseError when there are none."""
    found = load_cards(course)
    if not found:
        raise CourseError("this course has no cards")
    if lab:
        slug = choose(course, lab)
        found = {name: card for name, card in found.items() if card.lab == slug}
    if domain:
        exam = exam_on(load_exams(course), date.today())
        known = {entry.id for entry in exam.domain}
        if domain not in known:
            raise CourseError(f'{exam.name} has no domain "{domain}"; there are {", ".join(sorted(known))}')
        skills = {skill.id for skill in exam.skill if skill.domain == domain}
        found = {name: card for name, card in found.items() if skills & set(card.skills)}
    if not found:
        raise CourseError("no card fits that")
    return found


def _deck(course: Course, chosen: dict[str, Card], reviews: Reviews, limits: Limits, weak: bool) -> Deck:
    remembered, held, now = reviews.remembered(), reviews.suspended(), time.time()
    asked = {name: card for name, card in chosen.items() if name not in held}
    if weak:
        known = reviews.retrievability(remembered.values(), now)
        asked = {
            name: card
            for name, card in asked.items()
            if name in remembered and (known[name] < _WEAK or remembered[name].rating == 1)
        }
    return Deck(asked, remembered, _failed(course, reviews), limits, reviews.done_since(_midnight()))


def _failed(course: Course, reviews: Reviews) -> dict[str, float]:
    """Cards whose check failed, with when it last did."""
    failed = reviews.failed_checks()
    if not failed:
        return {}
    from cloudkata.course.checks import read_checks

    found: dict[str, float] = {}
    for slug in course.labs:
        for spec in read_checks(course.checks(slug), slug.split("-", 1)[0]):
            for card in spec.cards if spec.id in failed else ():
                found[card] = max(found.get(card, 0.0), failed[spec.id])
    return found


def _drill(console: Console, course: Course, chosen, reviews: Reviews, limits: Limits, weak: bool) -> None:
    deck = _deck(course, chosen, reviews, limits, weak)
    due, fresh = deck.counts(time.time())
    console.print(
        f"{due} due, {fresh} new. Space: answer · 1-4: again, hard, good, easy · u: undo · s: suspend · q: end"
    )
    asked = 0
    with keys() as key:
        while (card := deck.next(time.time())) is not None:
            console.rule(style="dim")
            console.print(Text(card.situation, style="bold"))
            pressed = _pressed(key, " \nusq")
            if pressed in (" ", "\n"):
                _answer(console, card)
                pressed = _pressed(key, "1234usq")
            if pressed in _RATED:
                deck.rated(reviews.rate(card.id, _RATED[pressed], deck.remembered.get(card.id), time.time()))
                asked += 1
            elif pressed == "u":
                back = reviews.undo(time.time())
                console.print(f"Taken back: {back}." if back else "There is nothing to take back.", style="dim")
                deck = _deck(course, chosen, reviews, limits, weak)
            elif pressed == "s":
                reviews.suspend(card.id, True, time.time())
                deck.drop(card.id)
                console.print(f"Suspended. kata cards --resume {card.id} brings it back.", style="dim")
            else:
                break
        else:
            console.print("Nothing is left for today.")
    console.print(f"{asked} reviewed.")


def _pressed(key, wanted: str) -> str:
    """The next key that means something here; "q" at the end of the input."""
    while True:
        found = key()
        if not found:
            return "q"
        if found in wanted:
            return found


def _answer(console: Console, card: Card) -> None:
    console.print(Text(card.answer, style="green"))
    console.print(Padding(Text(card.why), (0, 0, 0, 2)))
    if card.unknown:
        console.print(Padding(Text(f"Not known: {card.unknown}", style="yellow"), (0, 0, 0, 2)))
    console.print(Padding(Text(f"Often believed, and wrong: {card.belief}", style="dim"), (0, 0, 0, 2)))
    proof = f" · kata prove {card.id}" if card.lab and not card.unproved else ""
    console.print(Padding(Text(f"{card.page}{proof}", style="dim", overflow="fold"), (0, 0, 0, 2)))


def _midnight() -> float:
    """When today began, by the local clock."""
    return datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def _stats(console: Console, chosen: dict[str, Card], reviews: Reviews) -> None:
    remembered = {name: one for name, one in reviews.remembered().items() if name in chosen}
    now = time.time()
    known = reviews.retrievability(remembered.values(), now)
    console.print(f"{len(chosen)} cards: {len(remembered)} seen, {len(chosen) - len(remembered)} new.")
    if known:
        average = sum(known.values()) / len(known)
        weak = sum(value < _WEAK for value in known.values())
        console.print(f"Of those you have seen you know about {average:.0%} now; {weak} are weak (kata cards --weak).")
    since = _midnight() - (_DAYS - 1) * _DAY
    past = reviews.days(since)
    coming = [0] * _DAYS
    for one in remembered.values():
        coming[min(max(0, int((one.due - _midnight()) // _DAY)), _DAYS - 1)] += 1
    largest = max([1, *(all_ for all_, _ in past.values()), *coming])
    console.print("\nReviews of the last days (░ not known)")
    for day in range(_DAYS):
        all_, missed = past.get(day, (0, 0))
        _bar(console, since + day * _DAY, all_, missed, largest)
    console.print("\nDue in the next days, on the last one all later ones")
    for day, count in enumerate(coming):
        _bar(console, _midnight() + day * _DAY, count, 0, largest)


def _bar(console: Console, day: float, count: int, missed: int, largest: int) -> None:
    length = round(_BAR * count / largest)
    light = round(_BAR * missed / largest)
    label = datetime.fromtimestamp(day, UTC).astimezone().strftime("%a %d %b")
    console.print(Text(f"{label}  {'█' * (length - light)}{'░' * light} {count or ''}"))


def _export(console: Console, chosen: dict[str, Card], file: Path) -> None:
    from cloudkata.study.exports import as_csv, write_anki

    if file.suffix == ".csv":
        write_text(str(file), as_csv(chosen.values()))
    elif file.suffix == ".apkg":
        try:
            write_anki(chosen.values(), file)
        except OSError as error:
            raise CourseError(f"{file} cannot be written: {error.strerror}") from error
    else:
        raise CourseError(f"{file}: the name must end in .apkg (Anki) or .csv")
    console.print(f"{len(chosen)} cards written to {file}.", markup=False)
