"""Commands of a learner."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cloudkata.course import Course, CourseError, choose, choose_task, choose_variant, find_course, load_lab
from cloudkata.course.variants import make_variant
from cloudkata.course.workspace import start_lab


def check(
    lab: Annotated[str, typer.Argument(help="The lab: its number, its name or a part of it.")] = "00",
    task: Annotated[str, typer.Option(help="Run only the checks of this task, and those they build on.")] = "",
    at: Annotated[Path | None, typer.Option(help="Grade this folder instead of your workspace.")] = None,
    solution: Annotated[bool, typer.Option("--solution", help="Grade the reference solution.")] = False,
    variant: Annotated[str, typer.Option(help="Grade the solution with this misconception or neighbour.")] = "",
    seed: Annotated[int | None, typer.Option(help="Draw the inputs from this seed of a report.", min=0)] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every check, not only the first that fails.")] = False,
    json_file: Annotated[str, typer.Option("--json", help="Write the report as JSON to FILE, - to show it.")] = "",
    junit_file: Annotated[str, typer.Option("--junit", help="Write the verdicts as JUnit XML to FILE.")] = "",
) -> None:
    """Deploy your code for a lab and prove what it does.

    Example: kata check 00
    """
    from cloudkata.grading.attempt import EXIT, attempt
    from cloudkata.reports.as_json import as_dict
    from cloudkata.reports.as_junit import as_junit
    from cloudkata.reports.terminal import show
    from cloudkata.targets.embedded import EmbeddedTarget

    course = find_course(Path.cwd())
    slug = choose(course, lab)
    found = load_lab(course, slug)
    if task:
        choose_task(found, task)
    console = Console(highlight=False, stderr=json_file == "-")
    with contextlib.ExitStack() as stack:
        if variant:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="kata-variant-"))
            folder = make_variant(course.solution(slug), choose_variant(course, slug, variant), Path(scratch) / slug)
        else:
            folder = course.solution(slug) if solution else at or _workspace(course, slug)
        if not (folder / "deploy.py").is_file():
            raise CourseError(f"there is no deploy.py in {folder}; name a folder that has one with --at")
        progress = stack.enter_context(progress_line(console))
        result = attempt(course, found, folder, EmbeddedTarget(), seed=seed, task=task, progress=progress)
    show(console, result, everything)
    if json_file:
        write_json(json_file, as_dict(result))
    if junit_file:
        write_text(junit_file, as_junit(result))
    raise typer.Exit(EXIT[result.status])


def write_json(file: str, data: dict) -> None:
    """Write `data` to `file`, or to standard output for "-". Raises CourseError when that fails."""
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    if file == "-":
        sys.stdout.write(text)
    else:
        write_text(file, text)


def write_text(file: str, text: str) -> None:
    """Write a result to `file`. Raises CourseError when that fails."""
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CourseError(f"{file} cannot be written: {error.strerror}") from error


def _workspace(course: Course, slug: str) -> Path:
    """The learner's own folder for a lab; on the first time a copy of the starter."""
    folder, new = start_lab(course, slug)
    if new:
        sys.stderr.write(f"The starter is now in {folder.relative_to(course.root)}: edit it there, then check again.\n")
    return folder


def start(lab: Annotated[str, typer.Argument(help="The lab: its number, its name or a part of it.")]) -> None:
    """Copy the starter of a lab to your workspace.

    Example: kata start 00
    """
    course = find_course(Path.cwd())
    slug = choose(course, lab)
    found = load_lab(course, slug)
    folder, new = start_lab(course, slug)
    shown = folder.relative_to(course.root)
    typer.echo(f"Lab {found.number}: {found.title}. {found.summary} About {found.minutes} minutes.")
    typer.echo(f"{'The starter is now in' if new else 'You have started it already, in'} {shown}.")
    typer.echo(f"Read {shown}/README.md, edit, and run: kata check {found.number}")


def list_labs() -> None:
    """Show all labs, in the order to take them.

    Example: kata list
    """
    course = find_course(Path.cwd())
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False)
    for title, options in (("lab", {}), ("title", {"overflow": "fold"}), ("minutes", {"justify": "right"}), ("", {})):
        table.add_column(title, **options)
    for slug in course.labs:
        lab = load_lab(course, slug)
        state = "started" if course.workspace(slug).exists() else ""
        table.add_row(lab.number, lab.title, str(lab.minutes), state)
    console.print(table)


def where_am_i() -> None:
    """Say which lab comes next, and the command for it."""
    course = find_course(Path.cwd())
    started = [slug for slug in course.labs if course.workspace(slug).exists()]
    if started:
        lab = load_lab(course, started[-1])
        typer.echo(f"You are in lab {lab.number}: {lab.title}, in workspace/{lab.slug}.")
        typer.echo(f"Next: edit it there, then run: kata check {lab.number}")
    else:
        lab = load_lab(course, course.labs[0])
        typer.echo(f"Welcome. The first lab is {lab.number}: {lab.title}. {lab.summary} About {lab.minutes} minutes.")
        typer.echo(f"Next: kata start {lab.number}")
    typer.echo("All commands: kata --help")


@contextlib.contextmanager
def progress_line(console: Console):
    """A line that says what is going on, where somebody watches; yields what sets it."""
    if not console.is_terminal:
        yield lambda text: None
        return
    with console.status("Starting") as status:
        yield status.update
