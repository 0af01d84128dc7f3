"""`kata doctor`: what works here."""

from __future__ import annotations

import platform
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cloudkata.cli.target import EndpointUrl, TargetName, chosen_url

SCHEMA = "cloudkata.doctor/1"


def doctor(
    json_file: Annotated[
        str, typer.Option("--json", help="Write the findings as JSON to FILE; - is standard output.")
    ] = "",
    target_name: TargetName = "",
    endpoint_url: EndpointUrl = "",
) -> None:
    """Show what this machine's sandbox and the target do, by doing it.

    Takes a few seconds, on an endpoint a minute or two.
    Examples: kata doctor --json doctor.json, kata doctor --endpoint-url http://127.0.0.1:4566
    """
    from importlib.metadata import version

    from cloudkata.cli.common import progress_line, write_json
    from cloudkata.sandbox.inspection import inspect_sandbox
    from cloudkata.sandbox.isolation import isolation
    from cloudkata.targets.embedded import EmbeddedTarget
    from cloudkata.targets.endpoint import PROBING, EndpointTarget
    from cloudkata.targets.probes import examine

    url = chosen_url(target_name, endpoint_url)
    console = Console(highlight=False, stderr=json_file == "-")
    with progress_line(console) as progress:
        progress("Looking at the sandbox")
        holdings = inspect_sandbox()
        with EndpointTarget(url) if url else EmbeddedTarget() as target:
            findings = examine(target.session(PROBING), progress)
    found = isolation()
    console.print(
        Text(f"cloudkata {version('cloudkata')}, Python {platform.python_version()} on {platform.system()}", "bold")
    )
    console.print(Text(f"isolation: {found.level}" + (f" ({found.reason})" if found.reason else "")))
    _table(console, "In the sandbox, a program", [(holding.holds, holding.claim, "") for holding in holdings])
    rows = [(finding.shown, finding.claim, f"{finding.behaviour}: {finding.seen}") for finding in findings]
    _table(console, f"On the {target.name} target", rows)
    report = {
        "schema": SCHEMA,
        "cloudkata": version("cloudkata"),
        "python": platform.python_version(),
        "system": platform.system(),
        "isolation": found.level,
        "reason": found.reason,
        "target": target.name,
        "sandbox": [asdict(holding) for holding in holdings],
        "behaviours": [asdict(finding) for finding in findings],
    }
    if json_file:
        write_json(json_file, report)
    sys.stdout.flush()
    # an endpoint need not show everything: what it lacks is skipped there
    well = (bool(url) or all(finding.shown for finding in findings)) and all(holding.holds for holding in holdings)
    raise typer.Exit(0 if well or not found.full else 1)


def _table(console: Console, title: str, rows: list[tuple[bool, str, str]]) -> None:
    table = Table(title=title, title_justify="left", box=None, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for good, claim, seen in rows:
        text = Text(claim)
        if seen and not good:
            text.append(f"\n{seen}", "dim")
        table.add_row(Text("yes" if good else "no ", "green" if good else "red"), text)
    console.print()
    console.print(table)
