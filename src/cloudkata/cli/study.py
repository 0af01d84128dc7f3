"""Commands for revising: flashcards, their proofs, mock exams, and what covers what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cloudkata.cli.common import JsonFile, complete_labs, console_for
from cloudkata.course import find_course

NEW_A_DAY, REVIEWS_A_DAY = 10, 100


def cards(
    lab: Annotated[str, typer.Argument(help="Only cards of this lab.", autocompletion=complete_labs)] = "",
    domain: Annotated[str, typer.Option(help="Only cards with skills of this domain of the exam, such as 2.")] = "",
    weak: Annotated[bool, typer.Option("--weak", help="Only cards you know badly, without limits.")] = False,
    new: Annotated[int, typer.Option(min=0, help="New cards a day.")] = NEW_A_DAY,
    most: Annotated[int, typer.Option(min=0, help="Reviews a day, besides new cards.")] = REVIEWS_A_DAY,
    stats: Annotated[bool, typer.Option("--stats", help="Show what you have done and what is to come.")] = False,
    resume: Annotated[str, typer.Option(metavar="CARD", help="Ask a suspended card again.")] = "",
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the cards to FILE.apkg (Anki) or FILE.csv.")
    ] = None,
) -> None:
    """Drill the flashcards: what is due, and some new ones each day.

    Space shows the answer; 1 again, 2 hard, 3 good, 4 easy; u takes the last one back, s suspends, q ends.

    Examples: kata cards, kata cards 14, kata cards --weak, kata cards --export cards.apkg
    """
    from cloudkata.cli import drill
    from cloudkata.study.deck import Limits

    course = find_course(Path.cwd())
    asked = drill.Asked(lab, domain, weak, Limits(new, most))
    drill.run(console_for(), course, asked, stats=stats, resume=resume, export=export)


def exam(
    name: Annotated[str, typer.Argument(metavar="[EXAM]", help="C02 or C03; without it, the one given today.")] = "",
    count: Annotated[int, typer.Option("--questions", min=0, help="How many; 0 for as many as the real one.")] = 0,
    timed: Annotated[bool, typer.Option("--timed", help="End after the time that the real exam gives.")] = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Draw the questions from this seed.")] = None,
    result: Annotated[bool, typer.Option("--result", help="Show the result of the last one again.")] = False,
    json_file: JsonFile = "",
) -> None:
    """Sit a mock exam, drawn by the weights of the guide. Leave with q at any time: it goes on where you left.

    Examples: kata exam, kata exam --questions 20, kata exam C03 --timed
    """
    from cloudkata.cli import sitting

    wanted = sitting.Wanted(name, count, timed, seed)
    sitting.run(console_for(json_file), find_course(Path.cwd()), wanted, result=result, json_file=json_file)


def coverage(
    everything: Annotated[bool, typer.Option("--all", help="Show every card, with what proves it.")] = False,
    json_file: JsonFile = "",
    page: Annotated[str, typer.Option("--html", metavar="FILE", help="Write a page to FILE.")] = "",
) -> None:
    """Show what covers what: cards, labs, checks, questions, slides, notebooks and the skills of the exams.

    Example: kata coverage --html coverage.html
    """
    from cloudkata.cli import graph

    course = find_course(Path.cwd())
    graph.run(console_for(json_file), course, everything=everything, json_file=json_file, page=page)


def prove(
    names: Annotated[list[str] | None, typer.Argument(metavar="[CARD]...", help="The cards; none for all.")] = None,
    json_file: JsonFile = "",
) -> None:
    """Prove what a card says: run the checks behind it on the reference solution, and show the calls that settle it.

    Example: kata prove ddb-transactions
    """
    from cloudkata.cli import proof

    held = proof.run(console_for(json_file), find_course(Path.cwd()), names or [], json_file)
    raise typer.Exit(0 if held else 1)
