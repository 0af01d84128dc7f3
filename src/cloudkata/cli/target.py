"""The options that say where an attempt is deployed."""

from __future__ import annotations

from typing import Annotated

import typer

from cloudkata.course import CourseError

EMBEDDED, ENDPOINT, ACCOUNT = "embedded", "endpoint", "account"
TARGETS = (EMBEDDED, ENDPOINT, ACCOUNT)


def complete_targets(incomplete: str) -> list[str]:
    return [name for name in TARGETS if name.startswith(incomplete)]


TargetName = Annotated[
    str,
    typer.Option(
        "--target",
        metavar="TARGET",
        help="Where to deploy: embedded, the engine in this program; endpoint, an emulator that runs already; "
        "account, a real account.",
        autocompletion=complete_targets,
    ),
]
EndpointUrl = Annotated[
    str,
    typer.Option("--endpoint-url", metavar="URL", help="The emulator's address, such as http://127.0.0.1:4566."),
]


ProfileName = Annotated[
    str,
    typer.Option("--profile", metavar="NAME", help="With --target account: a profile of your AWS configuration."),
]


def chosen_profile(target: str, profile: str) -> str:
    """The profile for a real account, or "". Raises CourseError for options that do not fit."""
    if target == ACCOUNT and not profile:
        raise CourseError("--target account needs --profile NAME, a profile of your AWS configuration")
    if profile and target != ACCOUNT:
        raise CourseError("--profile goes with --target account only: other targets never see your keys")
    return profile


def chosen_url(target: str, url: str, account: bool = False) -> str:
    """The endpoint's URL, or "" for the embedded engine. Raises CourseError for options that do not fit.

    `account`: whether the command can work on a real account.
    """
    if target and target not in TARGETS:
        raise CourseError(f'there is no target "{target}"; there are {", ".join(TARGETS)}')
    if target == ACCOUNT and not account:
        raise CourseError("this command does not work on a real account; kata check, deploy and sandbox do")
    if target == ENDPOINT and not url:
        raise CourseError("--target endpoint needs --endpoint-url URL, such as http://127.0.0.1:4566")
    if target in (EMBEDDED, ACCOUNT) and url:
        raise CourseError(f"--endpoint-url goes with --target endpoint, not with {target}")
    return url
