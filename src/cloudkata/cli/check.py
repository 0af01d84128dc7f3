"""`kata check`: grade a folder and say what comes next."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from cloudkata.cli.common import (
    AnyLab,
    chosen_lab,
    console_for,
    history_is_optional,
    item,
    progress_line,
    say,
    write_json,
    write_text,
)
from cloudkata.cli.elsewhere import OnAccount, OnEndpoint
from cloudkata.cli.target import EndpointUrl, ProfileName, TargetName, chosen_profile, chosen_url
from cloudkata.cli.way import next_step, read_way
from cloudkata.course import Course, CourseError, Lab, choose_task, find_course
from cloudkata.study.progress import Progress

if TYPE_CHECKING:
    from cloudkata.grading.attempt import Attempt, Run


def check(
    lab: AnyLab = "",
    task: Annotated[str, typer.Option(help="Run only the checks of this task, and those they build on.")] = "",
    target: TargetName = "",
    endpoint_url: EndpointUrl = "",
    profile: ProfileName = "",
    at: Annotated[Path | None, typer.Option(help="Grade this folder instead of your workspace.")] = None,
    solution: Annotated[bool, typer.Option("--solution", help="Grade the reference solution.")] = False,
    variant: Annotated[str, typer.Option(help="Grade the solution with this misconception or neighbour.")] = "",
    outputs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Grade what kata deploy, or another tool on kata up, has deployed, by the outputs in this file.",
        ),
    ] = None,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Leave what was deployed on the engine of kata up, the endpoint or the account."),
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Draw the inputs from this seed of a report.", min=0)] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every check, not only the first that fails.")] = False,
    json_file: Annotated[str, typer.Option("--json", help="Write the report as JSON to FILE, - to show it.")] = "",
    junit_file: Annotated[str, typer.Option("--junit", help="Write the verdicts as JUnit XML to FILE.")] = "",
) -> None:
    """Deploy your code for a lab and prove what it does.

    Examples: kata check 00, kata check 14 --task open, kata check 00 --at some/folder --json report.json
    """
    from cloudkata.course import load_lab
    from cloudkata.grading.attempt import EXIT, Run
    from cloudkata.reports.as_json import as_dict
    from cloudkata.reports.as_junit import as_junit
    from cloudkata.reports.terminal import show

    course = find_course(Path.cwd())
    slug = chosen_lab(course, lab)
    found = load_lab(course, slug)
    if task:
        choose_task(found, task)
    _one_of({"--at": at, "--solution": solution, "--variant": variant, "--outputs": outputs})
    _one_of({"--keep": keep, "--outputs": outputs})
    url = chosen_url(target, endpoint_url, account=True)
    named = chosen_profile(target, profile)
    console = console_for(json_file)
    place = None if outputs else _place(course, found, console, url, named, keep)
    with contextlib.ExitStack() as stack:
        if outputs:
            progress = stack.enter_context(progress_line(console))
            result = _by_outputs(course, found, outputs, url, named, Run(seed, task, progress))
        else:
            folder = _folder(course, slug, at, solution, variant, stack)
            progress = stack.enter_context(progress_line(console))
            grade = place.grade if place else _kept if keep else _alone
            result = grade(course, found, folder, Run(seed, task, progress))
    show(console, result, everything)
    if place:
        place.tell(console)
    elif keep:
        console.print(f'It is still deployed. To look at it: eval "$(kata env {found.number})". To end it: kata down')
    if json_file:
        write_json(json_file, as_dict(result))
    if junit_file:
        write_text(junit_file, as_junit(result))
    if not (variant or solution or at):
        record(console, course, result, task)
    raise typer.Exit(EXIT[result.status])


def _one_of(given: dict[str, object]) -> None:
    named = [name for name, value in given.items() if value]
    if len(named) > 1:
        raise CourseError(f"{' and '.join(named)} do not go together")


def _folder(
    course: Course, slug: str, at: Path | None, solution: bool, variant: str, stack: contextlib.ExitStack
) -> Path:
    """The folder to grade; a variant's lasts as long as `stack`."""
    from cloudkata.course import choose_variant
    from cloudkata.course.variants import make_variant

    if variant:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="kata-variant-"))
        return make_variant(course.solution(slug), choose_variant(course, slug, variant), Path(scratch) / slug)
    folder = course.solution(slug) if solution else at or own_folder(course, slug)
    if not (folder / "deploy.py").is_file():
        raise CourseError(f"there is no deploy.py in {folder}; name a folder that has one with --at")
    return folder


def _alone(course: Course, lab: Lab, folder: Path, run: Run) -> Attempt:
    """On an engine of its own, which ends with it."""
    from cloudkata.grading.attempt import attempt
    from cloudkata.targets.embedded import EmbeddedTarget

    return attempt(course, lab, folder, EmbeddedTarget(), seed=run.seed, task=run.task, progress=run.progress)


def _place(
    course: Course, lab: Lab, console: Console, url: str, profile: str, keep: bool
) -> OnEndpoint | OnAccount | None:
    """Where to deploy if it is not on the embedded engine; what a run on a real account means is said before."""
    if url:
        return OnEndpoint(url, keep)
    if not profile:
        return None
    place = OnAccount(course, lab, profile, keep)
    place.announce(console)
    return place


def _kept(course: Course, lab: Lab, folder: Path, run: Run) -> Attempt:
    """On the engine of `kata up`, which is started if need be, in an account that stays."""
    from cloudkata.grading.attempt import attempt_at
    from cloudkata.grading.place import Place
    from cloudkata.targets import up as engines
    from cloudkata.targets.embedded import JoinedTarget

    run.progress("Starting the engine")
    target = JoinedTarget(engines.start()[0].engine)
    session = target.session(lab.number)
    keys = session.learner
    engines.keep(lab.slug, engines.Kept(session.account, keys.access_key_id, keys.secret_access_key, session.prefix))
    return attempt_at(course, lab, Place(lab, folder, session), target, run)


def _by_outputs(course: Course, lab: Lab, file: Path, url: str, profile: str, run: Run) -> Attempt:
    """What `kata deploy` or another tool deployed where it stays: on the engine, in the account of `kata env`."""
    from cloudkata.cli.engine import read_outputs
    from cloudkata.cli.standing import standing
    from cloudkata.grading.attempt import attempt_deployed

    claimed = read_outputs(file)
    with standing(course, lab.slug, url, profile) as (target, session):
        return attempt_deployed(course, lab, claimed, session, target, run)


def own_folder(course: Course, slug: str) -> Path:
    """The learner's own folder for a lab; on the first time a copy of the starter."""
    from cloudkata.course.workspace import start_lab

    folder, new = start_lab(course, slug)
    if new:
        say(f"the starter is now in {folder.relative_to(course.root)}: edit it there, then check again")
    return folder


def record(console: Console, course: Course, result, task: str) -> None:
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
        if console.is_terminal and sys.stdin.isatty():
            ask_about(console, course, result.lab, result.seed)
    console.print(Text(next_step(read_way(course)), "bold"))


def what_was_proved(console: Console, lab: Lab, passed: set[str]) -> None:
    """The claims that held, each with its mark."""
    console.print(Text("What your code was seen to do:", "bold"))
    for spec in lab.checks:
        if spec.id in passed:
            item(console, "✓", spec.claim)
    console.print()


def ask_about(console: Console, course: Course, lab: Lab, seed: int) -> None:
    """Ask one of the exam questions on a lab's cards, where there are any."""
    from cloudkata.cli.sitting import ask_one
    from cloudkata.course.study import load_questions

    cards = {card for spec in lab.checks for card in spec.cards}
    questions = load_questions(course)
    fitting = sorted(name for name, question in questions.items() if cards & set(question.cards))
    if fitting:
        ask_one(console, questions[fitting[seed % len(fitting)]], seed)
        console.print()
