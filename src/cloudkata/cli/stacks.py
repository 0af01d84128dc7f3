"""`kata deploy` and `kata destroy`: the solution of a lab by CDK, left standing until it is taken down."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import typer
from rich.table import Table

from cloudkata.cli.common import JsonFile, LabArgument, console_for, progress_line, say, write_json
from cloudkata.cli.engine import NOT_UP
from cloudkata.cli.target import EndpointUrl, TargetName, chosen_url
from cloudkata.course import CourseError, choose, find_course
from cloudkata.targets.session import Session


def deploy(lab: LabArgument, target: TargetName = "", endpoint_url: EndpointUrl = "", json_file: JsonFile = "") -> None:
    """Deploy the solution of a lab by AWS CDK, and leave it there. Its outputs are what kata check --outputs takes.

    Examples: kata deploy 14, kata deploy 14 --json outputs.json && kata check 14 --outputs outputs.json,
    kata deploy 14 --endpoint-url http://127.0.0.1:4566
    """
    from cloudkata.cdk.deploy import deploy as deploy_stack
    from cloudkata.cdk.synth import synthesize, wanted

    course = find_course(Path.cwd())
    slug = choose(course, lab)
    number = slug.split("-", 1)[0]
    url = chosen_url(target, endpoint_url)
    console = console_for(json_file)
    with progress_line(console) as progress, tempfile.TemporaryDirectory(prefix="kata-cdk-") as scratch:
        wanted(course, slug, "")  # before an engine is started for nothing
        with _standing(number, url, start=True) as session:
            progress("Synthesizing with CDK")
            synthesize([wanted(course, slug, session.prefix, session.endpoint)], Path(scratch))
            outputs = deploy_stack(session, Path(scratch), progress)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in sorted(outputs.items()):
        table.add_row(name, value)
    console.print(f"Lab {number} is deployed by CDK, account {session.account}:")
    console.print(table)
    where = f" --endpoint-url {url}" if url else ""
    console.print(f"To take it down: kata destroy {number}{where}")
    if json_file:
        write_json(json_file, outputs)
    else:
        console.print("With --json FILE its outputs are written for kata check --outputs FILE.")


def destroy(lab: LabArgument, target: TargetName = "", endpoint_url: EndpointUrl = "") -> None:
    """Take down what kata deploy left for a lab: the stack, its archives, and the logs of its functions.

    Examples: kata destroy 14, kata destroy 14 --endpoint-url http://127.0.0.1:4566
    """
    from cloudkata.cdk.deploy import destroy as destroy_stack

    course = find_course(Path.cwd())
    number = choose(course, lab).split("-", 1)[0]
    url = chosen_url(target, endpoint_url)
    console = console_for()
    with progress_line(console) as progress, _standing(number, url) as session:
        there, left = destroy_stack(session, progress)
    for thing in left:
        say(f"not taken down: {thing}")
    if left:
        raise typer.Exit(3)
    console.print(f"Lab {number} is taken down; nothing of it is left." if there else f"Lab {number} was not deployed.")


@contextlib.contextmanager
def _standing(number: str, url: str, start: bool = False) -> Iterator[Session]:
    """The place of a lab's stack, which is the same for `deploy` as for `destroy`. Raises CourseError or EngineError.

    `start`: start the engine of `kata up` where there is none.
    """
    if url:
        from cloudkata.targets.endpoint import EndpointTarget

        with EndpointTarget(url) as target:
            yield target.lasting(number)
        return
    from cloudkata.targets import up as engines
    from cloudkata.targets.embedded import JoinedTarget

    up = engines.start()[0] if start else engines.find()
    if up is None:
        raise CourseError(f"{NOT_UP}, and what was deployed there ended with it")
    yield JoinedTarget(up.engine).session_in(up.account, up.keys, up.prefix(number))
