"""What the commands share: how they take a lab, say what goes on, and write results."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cloudkata.course import Course, CourseError, choose, find_course


def complete_labs(incomplete: str) -> list[str]:
    """The labs that a word on the command line may become; nothing outside a course."""
    try:
        labs = find_course(Path.cwd()).labs
    except CourseError:
        return []
    numbers = [slug.split("-", 1)[0] for slug in labs]
    return [word for word in (*numbers, *labs) if word.startswith(incomplete)]


_LAB_HELP = "The lab: its number, its name or a part of it."
LabArgument = Annotated[str, typer.Argument(help=_LAB_HELP, autocompletion=complete_labs)]
AnyLab = Annotated[
    str, typer.Argument(help=f"{_LAB_HELP} Without one, the lab you are in.", autocompletion=complete_labs)
]
JsonFile = Annotated[
    str, typer.Option("--json", metavar="FILE", help="Write the result as JSON to FILE, - to show it.")
]


def console_for(json_file: str = "") -> Console:
    """Where a command talks to people: standard output, unless that is for the JSON."""
    return Console(highlight=False, stderr=json_file == "-")


def tell(text: str) -> None:
    """A sentence of the result: wrapped at words at a terminal, whole where a program reads it."""
    console = console_for()
    console.print(text, markup=False, soft_wrap=not console.is_terminal)


def item(console: Console, mark: str, text: str, style: str = "") -> None:
    """A line of a list whose further lines stand under the first word."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(f"  {mark}", style), Text(text, style))
    console.print(grid)


def say(text: str) -> None:
    """A sentence beside the result, on standard error."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"kata: {text}", markup=False)


@contextlib.contextmanager
def progress_line(console: Console):
    """A line that says what is going on, where somebody watches; yields what sets it."""
    if not console.is_terminal:
        yield lambda text: None
        return
    with console.status("Starting") as status:
        yield status.update


@contextlib.contextmanager
def history_is_optional() -> Iterator[None]:
    """A history that cannot be read or kept is a sentence, and the command goes on without it."""
    from cloudkata.study.store import StoreError

    try:
        yield
    except StoreError as error:
        say(f"your progress is not kept: {error}")


def chosen_lab(course: Course, word: str) -> str:
    """The slug of the lab that `word` means, or without one of the lab the learner is in."""
    if word:
        return choose(course, word)
    from cloudkata.cli.way import current_lab

    return current_lab(course)


def write_json(file: str, data: object) -> None:
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
