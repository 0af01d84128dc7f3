"""`kata init` and `kata new-lab`: what makes a course folder, and a lab in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cloudkata.cli.common import tell
from cloudkata.course import find_course


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or an empty one.")],
    force: Annotated[
        bool, typer.Option("--force", help="Bring a course folder to this version; your workspace stays as it is.")
    ] = False,
) -> None:
    """Make a course folder from what is installed; no network is needed.

    Example: kata init aws-course, then: cd aws-course; kata
    """
    from cloudkata.course.make import init_course

    backup = init_course(folder, force)
    if backup is not None:
        tell(f"What was replaced is in {backup}.")
    tell(f"The course is in {folder}. Next: cd {folder}, then: kata")


def new_lab(
    slug: Annotated[str, typer.Argument(metavar="NN-NAME", help="Two digits and words, such as 42-my-lab.")],
    title: Annotated[str, typer.Option(help="The lab's title; without one, made from its name.")] = "",
) -> None:
    """Make a small lab that works, to be changed into yours: a brief, a solution, a check, variants.

    Example: kata new-lab 42-my-lab
    """
    from cloudkata.course import make

    course = find_course(Path.cwd())
    made = make.new_lab(course, slug, title or slug.split("-", 1)[-1].replace("-", " ").capitalize())
    for path in made:
        tell(f"made: {path}")
    number = slug.split("-", 1)[0]
    tell(f"Its starter fails its one check: kata check {number}. CONTRIBUTING.md says how to go on.")
