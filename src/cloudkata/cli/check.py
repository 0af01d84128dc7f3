"""`kata check`: grade a folder and say what comes next."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from cloudkata.cli.common import (
    AnyLab,
    chosen_lab,
    console_for,
    history_is_optional,
    progress_line,
    say,
    write_json,
    write_text,
)
from cloudkata.cli.way import next_step, read_way
from cloudkata.course import Course, CourseError, Lab, choose_task, find_course
from cloudkata.study.progress import Progress


def check(
    lab: AnyLab = "",
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

    Examples: kata check 00, kata check 14 --task open, kata check 00 --at some/folder --json report.json
    """
    from cloudkata.course import choose_variant, load_lab
    from cloudkata.course.variants import make_variant
    from cloudkata.grading.attempt import EXIT, attempt
    from cloudkata.reports.as_json import as_dict
    from cloudkata.reports.as_junit import as_junit
    from cloudkata.reports.terminal import show
    from cloudkata.targets.embedded import EmbeddedTarget

    course = find_course(Path.cwd())
    slug = chosen_lab(course, lab)
    found = load_lab(course, slug)
    if task:
        choose_task(found, task)
    console = console_for(json_file)
    own = not (variant or solution or at)
    with contextlib.ExitStack() as stack:
        if variant:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="kata-variant-"))
            folder = make_variant(course.solution(slug), choose_variant(course, slug, variant), Path(scratch) / slug)
        else:
            folder = course.solution(slug) if solution else at or own_folder(course, slug)
        if not (folder / "deploy.py").is_file():
            raise CourseError(f"there is no deploy.py in {folder}; name a folder that has one with --at")
        progress = stack.enter_context(progress_line(console))
        result = attempt(course, found, folder, EmbeddedTarget(), seed=seed, task=task, progress=progress)
    show(console, result, everything)
    if own:
        keep(console, course, result, task)
    if json_file:
        write_json(json_file, as_dict(result))
    if junit_file:
        write_text(junit_file, as_junit(result))
    raise typer.Exit(EXIT[result.status])


def own_folder(course: Course, slug: str) -> Path:
    """The learner's own folder for a lab; on the first time a copy of the starter."""
    from cloudkata.course.workspace import start_lab

    folder, new = start_lab(course, slug)
    if new:
        say(f"the starter is now in {folder.relative_to(course.root)}: edit it there, then check again")
    return folder


def keep(console: Console, course: Course, result, task: str) -> None:
    """Record an attempt of the learner's own; after a pass, say what was proved the first time, and what is next."""
    first = False
    with history_is_optional():
        progress = Progress(course.root / "workspace")
        first = not progress.standing(result.lab.slug).passed
        progress.record(result, task)
    if result.status != "passed":
        return
    console.print()
    if first and not task:
        what_was_proved(console, result.lab, {verdict.id for verdict in result.verdicts if verdict.status == "passed"})
    console.print(Text(next_step(read_way(course)), "bold"))


def what_was_proved(console: Console, lab: Lab, passed: set[str]) -> None:
    """The claims that held, each with its mark."""
    console.print(Text("What your code was seen to do:", "bold"))
    for spec in lab.checks:
        if spec.id in passed:
            console.print(Padding(Text(f"✓ {spec.claim}"), (0, 0, 0, 2)))
    console.print()
