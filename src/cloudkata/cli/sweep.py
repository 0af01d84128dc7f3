"""`kata sandbox sweep`: find what attempts left in a real account, and take it down."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from cloudkata.cli.common import JsonFile, console_for, item, progress_line, write_json
from cloudkata.reports.text import safe

if TYPE_CHECKING:
    from cloudkata.targets.profile import Profile
    from cloudkata.targets.sweep import Item

_STYLE = {"gone": "green", "found": "", "scheduled": "yellow", "left": "red"}


def sweep(
    profile: Annotated[
        str, typer.Option("--profile", metavar="NAME", help="A profile of your AWS configuration; no other is read.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is there; delete nothing.")] = False,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Also what other machines deployed, even if it runs: all that is named kataNN-…."),
    ] = False,
    json_file: JsonFile = "",
) -> None:
    """Take down what attempts left in an account, by what was written down before each call. Safe to run again.

    Each thing ends as gone, as scheduled with a date, or as left with the reason.
    Examples: kata sandbox sweep --profile sandbox --dry-run, kata sandbox sweep --profile sandbox
    """
    from cloudkata.targets.ledger import read_ledgers
    from cloudkata.targets.permission import must_be_allowed
    from cloudkata.targets.profile import open_profile
    from cloudkata.targets.sandbox import sweep_account

    found = open_profile(profile)
    must_be_allowed(found)
    ledgers = list(read_ledgers(found.account))
    console = console_for(json_file)
    with progress_line(console) as progress:
        progress("Looking")
        items = sweep_account(
            found,
            ledgers,
            any_attempt=everything,
            only_look=dry_run,
            say=lambda text: progress(escape(safe(text))),
        )
    _show(console, found, items, len(ledgers))
    if json_file:
        told = {"schema": "cloudkata.sweep/1", "account": found.account, "dry_run": dry_run}
        write_json(json_file, {**told, "items": [asdict(one) for one in items]})
    raise typer.Exit(1 if any(one.state == "left" for one in items) else 0)


def _show(console: Console, profile: Profile, items: list[Item], ledgers: int) -> None:
    console.print(safe(f"Account {profile.place}, attempts with a ledger here: {ledgers}"), markup=False)
    for one in sorted(items, key=lambda one: ["found", "gone", "scheduled", "left"].index(one.state)):
        item(console, f"{one.state:<9}", safe(_words(one)), _STYLE[one.state])
        if one.state == "left" and one.where:
            item(console, " " * 9, safe(f"look: https://{profile.region}.console.aws.amazon.com{one.where}"))
    counts = Counter(one.state for one in items)
    if not items:
        console.print("Nothing of any attempt was found.")
    else:
        console.print(", ".join(f"{counts[state]} {state}" for state in _STYLE if counts[state]) + ".")
    if counts["scheduled"] or counts["left"]:
        console.print(f"Sweep again later: kata sandbox sweep --profile {profile.name}", markup=False)


def _words(one: Item) -> str:
    until = time.strftime(" until %Y-%m-%d %H:%M", time.localtime(one.until)) if one.until else ""
    reason = f": {one.reason}" if one.reason and one.state in ("scheduled", "left") else ""
    return f"{one.kind} {one.name}{until}{reason}"
