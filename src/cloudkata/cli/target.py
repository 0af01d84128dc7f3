"""The options that say where an attempt is deployed."""

from __future__ import annotations

from typing import Annotated

import typer

from cloudkata.course import CourseError

EMBEDDED, ENDPOINT = "embedded", "endpoint"
TARGETS = (EMBEDDED, ENDPOINT)


def complete_targets(incomplete: str) -> list[str]:
    return [name for name in TARGETS if name.startswith(incomplete)]


TargetName = Annotated[
    str,
    typer.Option(
        "--target",
        metavar="TARGET",
        help="Where to deploy: embedded, the engine in this program; endpoint, an emulator that runs already.",
        autocompletion=complete_targets,
    ),
]
EndpointUrl = Annotated[
    str,
    typer.Option("--endpoint-url", metavar="URL", help="The emulator's address, such as http://127.0.0.1:4566."),
]


def chosen_url(target: str, url: str) -> str:
    """The endpoint's URL, or "" for the embedded engine. Raises CourseError for options that do not fit."""
    if target and target not in TARGETS:
        raise CourseError(f'there is no target "{target}"; there are {" and ".join(TARGETS)}')
    if target == ENDPOINT and not url:
        raise CourseError("--target endpoint needs --endpoint-url URL, such as http://127.0.0.1:4566")
    if target == EMBEDDED and url:
        raise CourseError("--endpoint-url goes with --target endpoint, not with embedded")
    return url
