"""Commands of an author."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cloudkata.cli.common import JsonFile, complete_labs, console_for, progress_line, write_json
from cloudkata.cli.target import EndpointUrl, TargetName, chosen_url
from cloudkata.course import Course, CourseError, choose, find_course

_MARK = {"passed": "✓", "failed": "✗", "blocked": "-", "skipped": "?", "error": "!"}
Labs = Annotated[list[str] | None, typer.Argument(help="The labs; none for all.", autocompletion=complete_labs)]


def _chosen(course: Course, labs: list[str] | None) -> list[str]:
    return [choose(course, word) for word in labs] if labs else list(course.labs)


def matrix(
    labs: Labs = None,
    record: Annotated[bool, typer.Option("--record", help="Write the failing sets beside the checks.")] = False,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only labs that changed since they were recorded.")
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes to run attempts in; 0 for one a core.")] = 0,
    json_file: JsonFile = "",
    target: TargetName = "",
    endpoint_url: EndpointUrl = "",
) -> None:
    """Run solution, starter, neighbours and misconceptions of labs against their checks.

    On an endpoint the checks that it cannot show are left out, and nothing is recorded.
    Examples: kata matrix 00, kata matrix 00 --endpoint-url http://127.0.0.1:4566
    """
    from cloudkata.grading import matrix as grading
    from cloudkata.grading import records
    from cloudkata.targets.endpoint import place_of

    url = chosen_url(target, endpoint_url)
    if url:
        place_of(url)
        if record:
            raise CourseError("--record and --target endpoint do not go together: records are of the embedded engine")
    course = find_course(Path.cwd())
    console = console_for(json_file)
    results = []
    chosen = [slug for slug in _chosen(course, labs) if not changed or records.has_changed(course, slug)]
    if not chosen:
        console.print("No lab has changed since its matrix was recorded.")
    for slug in chosen:
        began = time.monotonic()
        with progress_line(console) as progress:
            progress(f"{slug}: starting")
            found = grading.run_matrix(course, slug, workers or grading.workers_here(), progress, endpoint=url)
        problems = list(found.problems)
        if url:
            pass  # the failing sets that are recorded are those of the embedded engine
        elif record and not problems:
            records.record(course, slug, found.records)
        elif found.records != records.recorded(course, slug):
            problems.append("the failing sets are not as recorded: look at them, then run kata matrix --record")
        elif not problems and records.has_changed(course, slug):
            problems.append("it was recorded for an earlier state of the lab: run kata matrix --record")
        _show(console, found)
        for problem in problems:
            console.print(Text(f"✗ {problem}", style="red"))
        took = time.monotonic() - began
        says = "holds" if not problems else "does not hold"
        console.print(f"The matrix of {slug} {says}: {len(found.rows)} attempts in {took:.0f} s.\n")
        results.append(_as_dict(slug, found, problems, took))
    if json_file:
        write_json(json_file, {"schema": "cloudkata.matrix/1", "labs": results})
    raise typer.Exit(0 if all(result["holds"] for result in results) else 1)


def _as_dict(slug: str, found, problems: list[str], seconds: float) -> dict:
    """A lab's matrix for --json; `seconds` by the wall clock, of an attempt and of all of them side by side."""
    return {
        "lab": slug,
        "holds": not problems,
        "problems": problems,
        "seconds": round(seconds, 1),
        "checks": len(found.lab.checks),
        "attempts": [
            {
                "kind": row.kind,
                "id": row.id,
                "status": row.attempt.status,
                "seconds": row.attempt.seconds,
                "failing": row.failing,
            }
            for row in found.rows
        ],
    }


def _show(console: Console, found) -> None:
    table = Table(title=f"Lab {found.lab.number}: {found.lab.title}", title_justify="left", box=None, pad_edge=False)
    table.add_column("variant", overflow="fold")
    for number, _ in enumerate(found.lab.checks, 1):
        table.add_column(str(number), justify="center")
    table.add_column("came to")
    for row in found.rows:
        statuses = {verdict.id: verdict.status for verdict in row.attempt.verdicts}
        marks = [_MARK.get(statuses.get(spec.id, ""), " ") for spec in found.lab.checks]
        table.add_row(row.id, *marks, row.attempt.status)
    console.print(table)
    for number, spec in enumerate(found.lab.checks, 1):
        console.print(Text(f"{number:>3} {spec.id}", style="dim"))


def lint(labs: Labs = None) -> None:
    """Find what dangles, is stale or is missing in labs, cards, decks and notebooks.

    Example: kata lint
    """
    from cloudkata.course import load_lab
    from cloudkata.course.lint import lint_course, lint_lab
    from cloudkata.course.lint_study import lint_study
    from cloudkata.course.lint_teaching import lint_teaching
    from cloudkata.targets.probes import known_behaviours

    course = find_course(Path.cwd())
    problems = [] if labs else [*lint_course(course), *lint_study(course), *lint_teaching(course)]
    known = known_behaviours()
    for slug in _chosen(course, labs):
        found = lint_lab(course, slug)
        if not found:
            lab = load_lab(course, slug)
            needs = [(slug, lab.needs), *((spec.id, spec.needs) for spec in lab.checks)]
            found = [
                f"{who} needs {name}, which nothing probes" for who, of in needs for name in of if name not in known
            ]
        problems += found
    for problem in problems:
        typer.echo(problem)
    typer.echo(f"{len(problems)} problem(s) found" if problems else "Nothing to complain about.")
    raise typer.Exit(1 if problems else 0)


def sync(
    labs: Labs = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail when a starter is stale.")] = False,
) -> None:
    """Make the starters of labs from their solutions.

    Example: kata sync --check
    """
    from cloudkata.course.starter import stale_files, write_starter

    course = find_course(Path.cwd())
    stale = False
    for slug in _chosen(course, labs):
        changed = stale_files(course, slug) if check else write_starter(course, slug)
        for name in changed:
            typer.echo(f"{'stale' if check else 'written'}: labs/{slug}/{name}")
        stale = stale or bool(changed)
    raise typer.Exit(1 if check and stale else 0)
