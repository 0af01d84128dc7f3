"""`kata`: the commands, and what every one of them does with an error."""

from __future__ import annotations

import os
import sys

import typer
from rich.console import Console

from cloudkata.cli import author, doctor, learner
from cloudkata.course import CourseError
from cloudkata.engine.process import EngineError

USAGE, FAULT = 4, 3

app = typer.Typer(
    help="A hands-on AWS course whose autograder proves what your code does.",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("check")(learner.check)
app.command("start")(learner.start)
app.command("list")(learner.list_labs)
app.command("doctor")(doctor.doctor)
app.command("lint")(author.lint)
app.command("matrix")(author.matrix)
app.command("sync")(author.sync)


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    """A hands-on AWS course whose autograder proves what your code does."""
    if context.invoked_subcommand is None:
        learner.where_am_i()


def main() -> None:
    """The console script: a sentence and an exit status for every error we know of."""
    complain = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        status = app(standalone_mode=False)
    except typer._click.exceptions.ClickException as error:  # type: ignore[attr-defined]
        complain.print(f"kata: {error.format_message()}", markup=False)
        status = USAGE
    except typer.Exit as error:
        status = error.exit_code
    except CourseError as error:
        complain.print(f"kata: {error}", markup=False)
        status = USAGE
    except EngineError as error:
        complain.print(f"kata: {error}", markup=False)
        status = FAULT
    except (KeyboardInterrupt, typer.Abort):
        complain.print("kata: stopped", markup=False)
        status = 130
    sys.stdout.flush()
    os._exit(status if isinstance(status, int) else 0)  # daemon threads hold sandboxes: end them with this process


if __name__ == "__main__":
    main()
