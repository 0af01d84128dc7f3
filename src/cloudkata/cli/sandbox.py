"""`kata sandbox`: a real account that labs may be deployed in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cloudkata.cli.common import tell
from cloudkata.cli.sweep import sweep
from cloudkata.course import CourseError, find_course

app = typer.Typer(
    help="A real AWS account as a sandbox: allow it, and find what is left in it.\n\n"
    "Examples: kata sandbox allow --profile sandbox, then: kata check 14 --target account --profile sandbox",
    no_args_is_help=True,
)
ProfileName = Annotated[
    str, typer.Option("--profile", metavar="NAME", help="A profile of your AWS configuration; no other is read.")
]


@app.command("allow")
def allow(profile: ProfileName) -> None:
    """Allow an account, once and by hand: it must hold nothing that may not be lost.

    Shows what it is and what will be made in it, and asks for its number. Never the root user.
    Example: kata sandbox allow --profile sandbox
    """
    from cloudkata.targets import lab_roles
    from cloudkata.targets.permission import remember
    from cloudkata.targets.profile import open_profile

    course = find_course(Path.cwd())

    found = open_profile(profile)
    tell(f"Profile   {found.name}: {found.arn}")
    tell(f"Account   {found.place}")
    tell(f"Region    {found.region}" + (f", played by {found.endpoint}" if found.endpoint else ""))
    policies = lab_roles.lab_policies(course)
    tell(f"To make   the policy {lab_roles.BOUNDARY}: the most that anything made for a lab may do there")
    for policy in policies:
        tell(f"          the role {policy.role}: what code for it may call of {', '.join(policy.services)}")
    tell("Nothing of this costs anything. Labs are deployed there only when you say --target account.")
    _ask_for_number(found.account)
    lab_roles.make(found, policies, tell)
    tell(f"Account {found.place} is allowed, as {remember(found)} says; remove the file to take that back.")


app.command("sweep")(sweep)


def _ask_for_number(account: str) -> None:
    """Raises CourseError when the person does not type the account's number."""
    if sys.stdin.isatty():
        sys.stdout.write("Type the number of the account to allow it: ")
        sys.stdout.flush()
    if sys.stdin.readline().strip() != account:
        raise CourseError("that is not the number of the account: nothing was allowed or made")
