"""What covers what, in the terminal."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.table import Table

from cloudkata.cli.common import write_json, write_text
from cloudkata.course import Course
from cloudkata.study.coverage import BEHAVIOUR, CONFIGURATION, NOTHING, Coverage, as_page, coverage


def run(console: Console, course: Course, *, everything: bool, json_file: str, page: str) -> None:
    """Show the graph; write it as JSON or as a page where that is asked for. Raises CourseError."""
    found = coverage(course)
    _labs(console, found)
    _skills(console, found)
    proofs = Counter(row.proof for row in found.cards)
    console.print(
        f"\n{len(found.cards)} cards: {proofs[BEHAVIOUR]} proved by behaviour, {proofs[CONFIGURATION]} by a service "
        f"model alone, {proofs[NOTHING]} by nothing yet."
    )
    if everything:
        _cards(console, found)
    if json_file:
        write_json(json_file, found.as_dict())
    if page:
        write_text(page, as_page(found))
        console.print(f"The page is in {page}.", markup=False)


def _labs(console: Console, found: Coverage) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("lab", "tasks", "checks", "cards", "slides", "notebook"):
        table.add_column(name, overflow="fold", justify="left" if name == "lab" else "right")
    for row in found.labs:
        marks = ("yes" if row.slides else "-", "yes" if row.notebook else "-")
        table.add_row(row.slug, *map(str, (row.tasks, row.checks, row.cards)), *marks)
    console.print(table)


def _skills(console: Console, found: Coverage) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("\nexam", "\ndomain", "\nskills", "with a\nlab", "with a\nquestion", "with\nneither"):
        table.add_column(name, justify="left" if name == "\nexam" else "right")
    groups: dict[tuple[str, str], list] = {}
    for row in found.skills:
        groups.setdefault((row.exam, row.domain), []).append(row)
    for (exam, domain), rows in groups.items():
        counts = (
            len(rows),
            sum(bool(row.tasks) for row in rows),
            sum(bool(row.questions) for row in rows),
            sum(not row.covered for row in rows),
        )
        table.add_row(exam, domain, *map(str, counts))
    console.print(table)


def _cards(console: Console, found: Coverage) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("card", "proved by", "checks, or why none"):
        table.add_column(name, overflow="fold")
    for row in found.cards:
        table.add_row(row.id, row.proof, ", ".join(row.checks) or row.reason)
    console.print(table)
