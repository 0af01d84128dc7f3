"""Commands that lead a learner through the course; none of them grades."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from cloudkata.cli.common import (
    AnyLab,
    JsonFile,
    LabArgument,
    chosen_lab,
    complete_labs,
    console_for,
    history_is_optional,
    item,
    say,
    tell,
    write_json,
)
from cloudkata.cli.way import next_step, read_way, state
from cloudkata.course import Course, CourseError, choose, choose_task, find_course, read_outline
from cloudkata.study.progress import Progress

Force = Annotated[
    bool, typer.Option("--force", help="Replace what you edited, after a copy of it to workspace/.backups.")
]


def _progress(course: Course) -> Progress:
    return Progress(course.root / "workspace")


def where_am_i() -> None:
    """Say which lab comes next, and the command for it."""
    course = find_course(Path.cwd())
    way = read_way(course)
    if way.at_the_start and way.next:
        lab = read_outline(course, way.next)
        tell(f"Welcome. The first lab is {lab.number}: {lab.title}. {lab.summary} About {lab.minutes} minutes.")
        tell(f"Next: kata start {lab.number}")
    else:
        if way.current:
            lab = read_outline(course, way.current)
            standing = way.standing(lab.slug)
            tell(f"You are in lab {lab.number}: {lab.title}, in workspace/{lab.slug}.")
            if standing.attempts:
                tries = f"{standing.attempts} attempt{'s' if standing.attempts > 1 else ''}"
                tell(f"{len(standing.tasks)} of {len(lab.tasks)} tasks are proved, after {tries}.")
        done = sum(way.passed(slug) for slug in course.labs)
        tell(f"Labs passed: {done} of {len(course.labs)}.")
        tell(next_step(way))
    tell("All commands: kata --help")


def list_labs(
    lab: Annotated[
        str, typer.Argument(help="A lab, to see its tasks and your attempts.", autocompletion=complete_labs)
    ] = "",
    json_file: JsonFile = "",
) -> None:
    """Show all labs in the order to take them, with your progress; or one lab with your attempts.

    Examples: kata list, kata list 14
    """
    course = find_course(Path.cwd())
    way = read_way(course)
    console = console_for(json_file)
    if lab:
        _one_lab(course, choose(course, lab), console, json_file)
        return
    table = Table(box=None, pad_edge=False)
    for title, options in (
        ("lab", {"no_wrap": True}),
        ("title", {"overflow": "fold"}),
        ("minutes", {"justify": "right", "no_wrap": True}),
        ("", {"overflow": "fold"}),
    ):
        table.add_column(title, **options)
    rows = []
    for slug in course.labs:
        outline, standing = read_outline(course, slug), way.standing(slug)
        shown = state(way, outline)
        table.add_row(
            outline.number, outline.title, str(outline.minutes), Text(shown, "green" if standing.passed else "")
        )
        rows.append(
            {
                "lab": slug,
                "title": outline.title,
                "minutes": outline.minutes,
                "started": way.started(slug),
                "passed": standing.passed,
                "solution_shown": standing.solution_shown,
                "tasks": len(outline.tasks),
                "tasks_passed": sorted(standing.tasks),
                "attempts": standing.attempts,
            }
        )
    console.print(table)
    if json_file:
        write_json(json_file, {"schema": "cloudkata.progress/1", "labs": rows})


def _one_lab(course: Course, slug: str, console, json_file: str) -> None:
    outline, way = read_outline(course, slug), read_way(course)
    attempts = []
    with history_is_optional():
        attempts = _progress(course).attempts(slug)
    console.print(Text(f"Lab {outline.number}: {outline.title}", "bold"))
    console.print(f"{outline.summary} About {outline.minutes} minutes.\n", markup=False)
    for task in outline.tasks:
        proved = task.id in way.standing(slug).tasks
        console.print(Text(f"{'✓' if proved else ' '} {task.id:10} {task.title}", "green" if proved else ""))
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for attempt in attempts:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(attempt.started))
        limited = f"task {attempt.task}" if attempt.task else ""
        graded = f"{attempt.passed} of {attempt.checks} checks" if attempt.checks else ""
        table.add_row(when, attempt.status, graded, limited)
    if attempts:
        console.print()
        console.print(table)
    if json_file:
        rows = [{name: value for name, value in vars(attempt).items() if name != "lab"} for attempt in attempts]
        write_json(json_file, {"schema": "cloudkata.history/1", "lab": slug, "attempts": rows})


def start(lab: LabArgument, force: Force = False) -> None:
    """Copy the starter of a lab to your workspace. What you edited stays as it is.

    Example: kata start 00
    """
    course = find_course(Path.cwd())
    _start(course, choose(course, lab), force)


def _start(course: Course, slug: str, force: bool = False) -> None:
    from cloudkata.course.workspace import start_lab

    outline = read_outline(course, slug)
    folder, new = start_lab(course, slug)
    shown = folder.relative_to(course.root)
    tell(f"Lab {outline.number}: {outline.title}. {outline.summary} About {outline.minutes} minutes.")
    if new:
        tell(f"The starter is now in {shown}.")
    else:
        tell(f"You have started it already, in {shown}.")
        if force:
            _replace(course, slug)
    tell(f"Read {shown}/README.md, edit, and run: kata check {outline.number}")


def next_lab() -> None:
    """Start the next lab, or go on with the one you are in.

    Example: kata next
    """
    course = find_course(Path.cwd())
    way = read_way(course)
    slug = way.current or way.next
    if slug:
        _start(course, slug)
    else:
        tell(next_step(way))


def reset(lab: LabArgument, force: Force = False) -> None:
    """Put the starter of a lab back. What you edited stays, unless you say --force.

    Examples: kata reset 00, kata reset 00 --force
    """
    from cloudkata.course.workspace import edited_files, restore_lab

    course = find_course(Path.cwd())
    slug = choose(course, lab)
    number = slug.split("-", 1)[0]
    if not course.workspace(slug).is_dir():
        raise CourseError(f"you have not started lab {number}; run: kata start {number}")
    for name in restore_lab(course, slug):
        tell(f"put back: {name}")
    edited = edited_files(course, slug)
    if not edited:
        tell(f"workspace/{slug} is as the starter.")
    elif force:
        _replace(course, slug)
    else:
        for name in edited:
            tell(f"kept, since you edited it: {name}")
        tell(f"To replace that too, after a copy of it: kata reset {number} --force")


def _replace(course: Course, slug: str) -> None:
    from cloudkata.course.workspace import edited_files, replace_lab

    if not edited_files(course, slug):
        tell(f"workspace/{slug} is as the starter.")
        return
    backup = replace_lab(course, slug)
    tell(f"workspace/{slug} is the starter again. What you had is in {backup.relative_to(course.root)}.")


def hint(
    lab: AnyLab = "",
    task: Annotated[str, typer.Argument(help="The task; without one, the first that is not proved.")] = "",
) -> None:
    """Show the next hint for a task: there are three, from a nudge to the name of the API.

    Examples: kata hint 14, kata hint 14 transfer
    """
    course = find_course(Path.cwd())
    slug = chosen_lab(course, lab)
    outline = read_outline(course, slug)
    proved = read_way(course).standing(slug).tasks
    open_tasks = [each for each in outline.tasks if each.id not in proved]
    chosen = choose_task(outline, task) if task else (open_tasks or outline.tasks)[0]
    level, before = 1, 0
    with history_is_optional():
        progress = _progress(course)
        before = progress.hints_taken(slug, chosen.id)
        level = progress.take_hint(slug, chosen.id, len(chosen.hints))
    console = console_for()
    console.print(Text(f"Lab {outline.number}, task {chosen.id}: {chosen.title}", "bold"))
    for number, text in enumerate(chosen.hints[:level], 1):
        style = "dim" if number <= before < level else ""
        item(console, f"{number} of {len(chosen.hints)}", text, style)
    if level == len(chosen.hints):
        tell(f"That was the last one. The way out: kata solution {outline.number} --task {chosen.id}")
    else:
        tell(f"Try it: kata check {outline.number} --task {chosen.id}. More: kata hint {outline.number} {chosen.id}")


def solution(
    lab: LabArgument,
    task: Annotated[str, typer.Option(help="Show only what belongs to this task.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, even if the lab is not passed yet.")] = False,
) -> None:
    """Show what the solution of a lab has where the starter has a gap. Before you pass, it asks once.

    Examples: kata solution 14, kata solution 14 --task open
    """
    from cloudkata.course.starter import solution_regions

    course = find_course(Path.cwd())
    slug = choose(course, lab)
    outline = read_outline(course, slug)
    titles = {each.id: each.title for each in outline.tasks}
    wanted = choose_task(outline, task).id if task else ""
    passed = shown = False
    with history_is_optional():
        passed, shown = _progress(course).standing(slug).passed, _progress(course).solution_was_shown(slug)
    if not (passed or shown or yes):
        if not sys.stdin.isatty():
            raise CourseError(f"you have not passed lab {outline.number}; say --yes to see its solution all the same")
        typer.confirm(
            f"You have not passed lab {outline.number} yet. Your progress will say that you saw the solution. Show it?",
            abort=True,
        )
    with history_is_optional():
        _progress(course).show_solution(slug)
    console = console_for()
    for region in solution_regions(course, slug):
        if wanted and region.task not in ("", wanted):
            continue
        title = f", task {region.task}: {titles.get(region.task, '')}" if region.task else ""
        console.print(Text(f"{region.file}{title}", "bold"))
        console.print(Text(region.text.rstrip("\n")), soft_wrap=True)
        console.print()
    say(f"all of it is in solutions/{slug}")
