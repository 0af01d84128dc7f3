"""`kata deploy` and `kata destroy`: the solution of a lab by CDK, left standing until it is taken down."""

from __future__ import annotations

import tempfile
from pathlib import Path

import typer
from rich.table import Table

from cloudkata.cli.common import JsonFile, LabArgument, console_for, progress_line, say, write_json
from cloudkata.cli.standing import standing
from cloudkata.cli.target import EndpointUrl, ProfileName, TargetName, chosen_profile, chosen_url
from cloudkata.course import choose, find_course, load_lab


def deploy(
    lab: LabArgument,
    target: TargetName = "",
    endpoint_url: EndpointUrl = "",
    profile: ProfileName = "",
    json_file: JsonFile = "",
) -> None:
    """Deploy the solution of a lab by AWS CDK, and leave it there. Its outputs are what kata check --outputs takes.

    Examples: kata deploy 14, kata deploy 14 --json outputs.json && kata check 14 --outputs outputs.json,
    kata deploy 14 --endpoint-url http://127.0.0.1:4566
    """
    from cloudkata.cdk.deploy import deploy as deploy_stack
    from cloudkata.cdk.synth import needs_cdk, synthesize, wanted

    course = find_course(Path.cwd())
    slug = choose(course, lab)
    number = slug.split("-", 1)[0]
    url, named = chosen_url(target, endpoint_url, account=True), chosen_profile(target, profile)
    console = console_for(json_file)
    with progress_line(console) as progress, tempfile.TemporaryDirectory(prefix="kata-cdk-") as scratch:
        wanted(course, slug, "")
        needs_cdk()  # before an engine is started for nothing
        progress("Looking for the target")
        with standing(course, slug, url, named, start=True) as (_, session):
            if named:
                cost = load_lab(course, slug).cost
                where = f"account {session.account}, Region {session.region}"
                say(f"lab {number} goes to {where}, with the keys of {named}, and stays there. Rough cost: {cost}")
            progress("Synthesizing with CDK")
            synthesize([wanted(course, slug, session.prefix, session.endpoint)], Path(scratch))
            outputs = deploy_stack(session, Path(scratch), progress)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in sorted(outputs.items()):
        table.add_row(name, value)
    console.print(f"Lab {number} is deployed by CDK, account {session.account}:")
    console.print(table)
    where = f" --endpoint-url {url}" if url else f" --target account --profile {named}" if named else ""
    console.print(f"To take it down: kata destroy {number}{where}")
    if json_file:
        write_json(json_file, outputs)
    else:
        console.print("With --json FILE its outputs are written for kata check --outputs FILE.")


def destroy(
    lab: LabArgument, target: TargetName = "", endpoint_url: EndpointUrl = "", profile: ProfileName = ""
) -> None:
    """Take down what kata deploy left for a lab: the stack, its archives, and the logs of its functions.

    Examples: kata destroy 14, kata destroy 14 --endpoint-url http://127.0.0.1:4566
    """
    from cloudkata.cdk.deploy import destroy as destroy_stack

    course = find_course(Path.cwd())
    slug = choose(course, lab)
    number = slug.split("-", 1)[0]
    url, named = chosen_url(target, endpoint_url, account=True), chosen_profile(target, profile)
    console = console_for()
    with progress_line(console) as progress, standing(course, slug, url, named) as (_, session):
        there, left = destroy_stack(session, progress)
    for thing in left:
        say(f"not taken down: {thing}")
    if left:
        raise typer.Exit(3)
    console.print(f"Lab {number} is taken down; nothing of it is left." if there else f"Lab {number} was not deployed.")
