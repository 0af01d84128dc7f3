"""Cards proved on the spot: the checks behind them, run on the reference solution."""

from __future__ import annotations

import difflib

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from cloudkata.checking.verdict import PASSED
from cloudkata.cli.common import progress_line, write_json
from cloudkata.course import Course, CourseError
from cloudkata.course.study import Card, load_cards
from cloudkata.grading.evidence import Evidence, prove
from cloudkata.reports.text import safe
from cloudkata.study.coverage import CardRow, coverage
from cloudkata.targets.embedded import EmbeddedTarget

SCHEMA = "cloudkata.proof/1"
PROVED, REFUTED, UNPROVED = "proved", "not proved", "no proof"
_CALLS = 12  # lines of calls that are shown for a check


def run(console: Console, course: Course, names: list[str], json_file: str) -> bool:
    """Prove each card, or all that can be; whether no proof failed. Raises CourseError and EngineError."""
    cards = load_cards(course)
    rows = {row.id: row for row in coverage(course).cards}
    chosen = [_card(cards, name) for name in names] or [card for card in cards.values() if rows[card.id].checks]
    found: dict[str, list[Evidence]] = {card.id: [] for card in chosen}
    by_lab: dict[str, set[str]] = {}
    for card in chosen:
        for check in rows[card.id].checks:
            by_lab.setdefault(check.split(".", 1)[0], set()).add(check)
    slugs = {slug.split("-", 1)[0]: slug for slug in course.labs}
    problems = {}
    with progress_line(console) as progress:
        for number, checks in by_lab.items():
            progress(f"Starting the engine for lab {number}")
            with EmbeddedTarget() as target:
                result, evidence = prove(course, slugs[number], checks, target, progress)
            problems[number] = result.problem
            for card in chosen:
                found[card.id] += [one for one in evidence if one.verdict.id in rows[card.id].checks]
    results = {card.id: _outcome(rows[card.id], found[card.id]) for card in chosen}
    for card in chosen:
        _show(console, card, rows[card.id], found[card.id], results[card.id], problems)
    counts = [sum(result == kind for result in results.values()) for kind in (PROVED, REFUTED, UNPROVED)]
    console.print(f"{counts[0]} proved, {counts[1]} not proved, {counts[2]} without a proof, on the embedded engine.")
    if json_file:
        entries = [_entry(card, rows[card.id], found[card.id], results[card.id]) for card in chosen]
        write_json(json_file, {"schema": SCHEMA, "target": "embedded", "cards": entries})
    return not counts[1]


def _card(cards: dict[str, Card], name: str) -> Card:
    if name in cards:
        return cards[name]
    near = difflib.get_close_matches(name, cards, 1, 0.4)
    hint = f"; did you mean {near[0]}?" if near else "; kata coverage --all lists them"
    raise CourseError(f'there is no card "{name}"{hint}')


def _outcome(row: CardRow, evidence: list[Evidence]) -> str:
    if not row.checks:
        return UNPROVED
    whole = {one.verdict.id for one in evidence if one.verdict.status == PASSED} == set(row.checks)
    return PROVED if whole else REFUTED


def _why_not(row: CardRow) -> str:
    if row.facts:
        return f"{row.reason}; the service model settles {', '.join(row.facts)}"
    return row.reason


def _show(console: Console, card: Card, row: CardRow, evidence: list[Evidence], result: str, problems) -> None:
    console.print(Text(f"{'✓' if result == PROVED else '✗' if result == REFUTED else '?'} {card.id}", style="bold"))
    console.print(Padding(Text(card.answer), (0, 0, 0, 2)))
    if result == UNPROVED:
        console.print(Padding(Text(f"No proof: {_why_not(row).rstrip('.')}."), (0, 0, 1, 2)))
        return
    problem = problems.get(row.checks[0].split(".", 1)[0])
    if problem:
        console.print(Padding(Text(f"The solution was not graded: {problem}", style="red"), (0, 0, 0, 2)))
    for one in evidence:
        mark = "✓" if one.verdict.status == PASSED else f"✗ {one.verdict.status}:"
        console.print(Padding(Text(f"{mark} {one.verdict.claim}"), (0, 0, 0, 2)))
        if one.verdict.status != PASSED:
            said = safe(f"expected {one.verdict.expected}, saw {one.verdict.actual} {one.verdict.why}")
            console.print(Padding(Text(said, style="red"), (0, 0, 0, 6)))
        for call in one.calls[:_CALLS]:
            times = f"  ({call.times} times)" if call.times > 1 else ""
            console.print(
                Padding(Text(safe(f"{call.who}: {call.call} → {call.answer}{times}"), style="dim"), (0, 0, 0, 6))
            )
        if len(one.calls) > _CALLS:
            console.print(
                Padding(Text(f"and {len(one.calls) - _CALLS} more; --json has them all", style="dim"), (0, 0, 0, 6))
            )
    console.print()


def _entry(card: Card, row: CardRow, evidence: list[Evidence], result: str) -> dict:
    return {
        "card": card.id,
        "result": result,
        "reason": _why_not(row) if result == UNPROVED else "",
        "checks": [
            {
                "id": one.verdict.id,
                "claim": one.verdict.claim,
                "status": one.verdict.status,
                "expected": safe(one.verdict.expected),
                "actual": safe(one.verdict.actual),
                "calls": [
                    {"who": c.who, "call": safe(c.call), "answer": safe(c.answer), "times": c.times} for c in one.calls
                ],
            }
            for one in evidence
        ],
    }
