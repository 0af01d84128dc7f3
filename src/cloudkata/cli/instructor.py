"""Commands of an instructor."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from cloudkata.cli.common import JsonFile, complete_labs, console_for, say, write_json
from cloudkata.course import CourseError, choose, find_course
from cloudkata.engine.remote import EngineError

if TYPE_CHECKING:
    from cloudkata.grading.cohort.results import Result, Store
    from cloudkata.grading.cohort.run import Plan

_ATTEMPT = "cloudkata.cli.grader"
_STYLE = {"passed": "green", "failed": "red", "not deployed": "red", "refused": "yellow", "stopped": "yellow"}


def grade(
    place: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A folder with a folder or .zip a learner, or a .csv of git remotes."),
    ],
    lab: Annotated[str, typer.Option(help="The lab they are about.", autocompletion=complete_labs)],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where results, gradebook and feedback go.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    trust: Annotated[
        bool, typer.Option("--trust", help="Grade where submissions cannot be isolated, with your own rights.")
    ] = False,
    scheduler: Annotated[str, typer.Option(metavar="URL", help="Run attempts on this Dask cluster.")] = "",
    canvas: Annotated[bool, typer.Option("--canvas", help="Also write canvas.csv, for Canvas to import.")] = False,
    workers: Annotated[int, typer.Option(help="Attempts at once; 0 for one a core.", min=0)] = 0,
    seconds: Annotated[float, typer.Option(help="How long one attempt may take.", min=1)] = 300.0,
    secret: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The secret that inputs are drawn from; made when missing.")
    ] = None,
    json_file: JsonFile = "",
) -> None:
    """Grade a cohort: every submission apart from the others, with a gradebook and feedback.

    Examples: kata grade submissions --lab 05 --out graded, kata grade remotes.csv --lab 14 --out graded --resume
    """
    from cloudkata.grading.cohort.admission import cores
    from cloudkata.grading.cohort.intake import find_submissions
    from cloudkata.grading.cohort.results import Store
    from cloudkata.grading.cohort.run import Plan, open_submissions
    from cloudkata.grading.cohort.secret import read_secret
    from cloudkata.grading.cohort.supervise import Bounds
    from cloudkata.reports.cohort import write_outputs

    began = time.monotonic()
    course = find_course(Path.cwd())
    slug = choose(course, lab)
    _apart(place, out)
    submissions = find_submissions(place)
    key = secret or _secret_file()
    _outside(key, place)
    if not scheduler:
        _isolated(trust)
    plan = Plan(course, slug, read_secret(key), _ATTEMPT, trust, workers or cores(), Bounds(seconds=seconds))
    console = console_for(json_file)
    with Store(out, slug).opened(resume) as store:
        todo = open_submissions(store, submissions)
        try:
            with _progress(console, len(submissions), len(submissions) - len(todo)) as seen:
                _grader(scheduler)(plan, store, todo, seen)
        except (KeyboardInterrupt, EngineError):
            left = len(open_submissions(store, submissions))
            say(f"{len(submissions) - left} of {len(submissions)} are graded; --resume goes on from here")
            raise
        done = store.all()
        results = [done[one.key] for one in submissions]
        write_outputs(out, course, slug, results, canvas=canvas)
    _say_what_came(console, results, out, time.monotonic() - began)
    if json_file:
        from cloudkata.reports.cohort import as_dict

        write_json(json_file, as_dict(slug, results))
    raise typer.Exit(3 if any(result.status == "error" for result in results) else 0)


def _grader(scheduler: str) -> Callable[[Plan, Store, list, Callable[[Result], None]], None]:
    if not scheduler:
        from cloudkata.grading.cohort.run import grade_here

        return grade_here

    def grade_there(plan: Plan, store: Store, todo: list, seen: Callable[[Result], None]) -> None:
        from cloudkata.grading.cohort import cluster

        cluster.grade_there(plan, store, todo, seen, scheduler)

    return grade_there


def _apart(place: Path, out: Path) -> None:
    """Results among the submissions would be taken for submissions the next time."""
    ours, theirs = out.resolve(), place.resolve()
    if place.is_dir() and (ours == theirs or theirs in ours.parents or ours in theirs.parents):
        raise CourseError(f"{out} and {place} lie in one another; name a folder outside for the results")


def _outside(secret: Path, place: Path) -> None:
    if place.is_dir() and place.resolve() in secret.resolve().parents:
        raise CourseError(f"the cohort's secret {secret} lies among the submissions; keep it elsewhere")


def _secret_file() -> Path:
    import platformdirs

    return platformdirs.user_config_path("cloudkata") / "cohort.secret"


def _isolated(trust: bool) -> None:
    from cloudkata.sandbox.isolation import isolation

    found = isolation()
    if found.full:
        return
    if not trust:
        raise CourseError(
            f"submissions cannot be isolated here ({found.reason}), so they could read and change what you can; "
            "mend that, or grade them all the same with --trust"
        )
    say(f"not isolated ({found.reason}): submissions run with your own rights")


@contextlib.contextmanager
def _progress(console: Console, total: int, before: int) -> Iterator[Callable[[Result], None]]:
    """Shows each result as it comes, on standard error; at a terminal with what is left to do below."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from cloudkata.reports.text import safe

    talk = Console(stderr=True, highlight=False, soft_wrap=True)
    if before:
        talk.print(f"{before} of {total} are graded already.")
    columns = (TextColumn("Grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    done = before
    with Progress(*columns, console=talk, disable=not talk.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=total, completed=before)

        def seen(result: Result) -> None:
            nonlocal done
            done += 1
            bar.update(task, completed=done)
            line = Text(f"{done:>{len(str(total))}} of {total}  ")
            line.append(f"{result.status:<12}", _STYLE.get(result.status, "magenta"))
            line.append(f"  {safe(result.learner)}")
            if result.reason:
                line.append(f": {safe(result.reason)}", "dim")
            bar.console.print(line)

        yield seen


def _say_what_came(console: Console, results: list[Result], out: Path, seconds: float) -> None:
    counts = Counter(result.status for result in results)
    parts = ", ".join(f"{number} {status}" for status, number in counts.most_common())
    console.print(f"{len(results)} submissions in {seconds:.0f} s: {parts}.", markup=False)
    console.print(f"The gradebook is {out / 'gradebook.csv'}; feedback, class page and the rest lie beside it.")
    if counts["error"]:
        console.print(f"{counts['error']} got no verdict, through no fault of theirs: try again with --resume.")
