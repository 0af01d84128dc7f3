"""`kata`: the commands, and what every one of them does with an error."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys

import typer
from rich.console import Console

from cloudkata.cli import (
    author,
    check,
    doctor,
    engine,
    instructor,
    learner,
    make,
    notebook,
    sandbox,
    stacks,
    study,
    watch,
)
from cloudkata.course import CourseError
from cloudkata.engine.remote import EngineError
from cloudkata.study.store import StoreError

USAGE, FAULT, STOPPED = 4, 3, 130
TRACEBACK_ENV = "CLOUDKATA_TRACEBACK"

app = typer.Typer(
    help="A hands-on AWS course whose autograder proves what your code does.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_LEARNING, _REVISING, _WORKING, _AUTHORING = "Learn", "Revise", "Use the engine", "Write labs"
_TEACHING = "Teach"
app.command("next", rich_help_panel=_LEARNING)(learner.next_lab)
app.command("start", rich_help_panel=_LEARNING)(learner.start)
app.command("check", rich_help_panel=_LEARNING)(check.check)
app.command("watch", rich_help_panel=_LEARNING)(watch.watch)
app.command("hint", rich_help_panel=_LEARNING)(learner.hint)
app.command("list", rich_help_panel=_LEARNING)(learner.list_labs)
app.command("reset", rich_help_panel=_LEARNING)(learner.reset)
app.command("solution", rich_help_panel=_LEARNING)(learner.solution)
app.command("notebook", rich_help_panel=_LEARNING)(notebook.notebook)
app.command("up", rich_help_panel=_WORKING)(engine.up)
app.command("down", rich_help_panel=_WORKING)(engine.down)
app.command("env", rich_help_panel=_WORKING)(engine.env)
app.command("cards", rich_help_panel=_REVISING)(study.cards)
app.command("prove", rich_help_panel=_REVISING)(study.prove)
app.command("exam", rich_help_panel=_REVISING)(study.exam)
app.command("coverage", rich_help_panel=_REVISING)(study.coverage)
app.command("init", rich_help_panel=_WORKING)(make.init)
app.command("doctor", rich_help_panel=_WORKING)(doctor.doctor)
app.command("grade", rich_help_panel=_TEACHING)(instructor.grade)
app.command("deploy", rich_help_panel=_TEACHING)(stacks.deploy)
app.command("destroy", rich_help_panel=_TEACHING)(stacks.destroy)
app.add_typer(sandbox.app, name="sandbox", rich_help_panel=_TEACHING)
app.command("new-lab", rich_help_panel=_AUTHORING)(make.new_lab)
app.command("lint", rich_help_panel=_AUTHORING)(author.lint)
app.command("matrix", rich_help_panel=_AUTHORING)(author.matrix)
app.command("sync", rich_help_panel=_AUTHORING)(author.sync)


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    """A hands-on AWS course whose autograder proves what your code does.

    Without a command: where you are, and the next step.
    """
    if context.invoked_subcommand is None:
        learner.where_am_i()


def _stop(number: int, frame: object) -> None:
    """Asked to end: unwind as after Ctrl-C, so that nothing stays behind."""
    raise KeyboardInterrupt


def main() -> None:
    """The console script."""
    for name in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(name) is signal.SIG_DFL:  # not where somebody has it ignored, as nohup does
            signal.signal(name, _stop)
    os._exit(run())  # daemon threads hold sandboxes: end them with this process


def run(words: list[str] | None = None) -> int:
    """Run one command, from `words` or the command line: a sentence for every error, and the exit status."""
    sentence = ""
    try:
        status = app(words, standalone_mode=False, prog_name="kata")
    except typer.Exit as error:
        status = error.exit_code
    except BaseException as error:
        sentence, status = _explain(error)
    if status == STOPPED:  # typer makes an exit status of Ctrl-C itself
        sentence = "stopped"
    if sentence:
        with contextlib.suppress(OSError):
            Console(stderr=True, highlight=False, soft_wrap=True).print(f"kata: {sentence}", markup=False)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        pass
    return status if isinstance(status, int) else 0


def _explain(error: BaseException) -> tuple[str, int]:
    """(a sentence for people, the exit status)."""
    if isinstance(error, typer._click.exceptions.ClickException):  # type: ignore[attr-defined]
        return error.format_message(), USAGE
    if isinstance(error, CourseError):
        return str(error), USAGE
    if isinstance(error, EngineError | StoreError):
        return str(error), FAULT
    if isinstance(error, SystemExit):
        return "", error.code if isinstance(error.code, int) else 1
    if isinstance(error, BrokenPipeError) and _nobody_reads():
        return "", 0  # whoever read the output has seen enough
    cause: BaseException | None = error
    while cause is not None:  # what goes wrong while the command is being stopped is no news
        if isinstance(cause, KeyboardInterrupt | typer.Abort):
            return "stopped", STOPPED
        cause = cause.__context__
    if os.environ.get(TRACEBACK_ENV):
        import traceback

        traceback.print_exception(error)
    kind = type(error).__name__
    return f"our fault, not yours: {kind}: {error}. With {TRACEBACK_ENV}=1 you see where, for a report.", FAULT


def _nobody_reads() -> bool:
    waiting = select.poll()
    waiting.register(sys.stdout, select.POLLERR)
    return bool(waiting.poll(0))


if __name__ == "__main__":
    main()
