"""Synthesizes stacks in a process of its own: CDK is JavaScript behind Python, slow to start and large."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from cloudkata.course import Course, CourseError

_SECONDS = 300.0
_SHOWN = 2000


@dataclass(frozen=True)
class Wanted:
    """A stack to synthesize: the solution's folder, the start of its names, and an emulator's address or ""."""

    folder: str
    prefix: str
    endpoint: str = ""


def wanted(course: Course, slug: str, prefix: str, endpoint: str = "") -> Wanted:
    """The stack of a lab's solution. Raises CourseError where it has none."""
    folder = course.solution(slug)
    if not (folder / "stack.py").is_file():
        raise CourseError(f"the solution of {slug} has no stack.py, so it cannot be deployed by CDK")
    return Wanted(str(folder), prefix, endpoint)


def needs_cdk() -> None:
    """Raises CourseError where CDK cannot run."""
    if importlib.util.find_spec("aws_cdk") is None:
        raise CourseError('that needs AWS CDK, which is not installed: pip install "cloudkata[cdk]"')
    if shutil.which("node") is None:
        raise CourseError("AWS CDK needs Node.js 20 or newer, and there is no node on the path")


def synthesize(stacks: list[Wanted], out: Path, *, nag: bool = False) -> None:
    """Write the cloud assembly of `stacks` to `out`. Raises CourseError with what is missing or wrong."""
    needs_cdk()
    settings = {"out": str(out), "nag": nag, "labs": [asdict(stack) for stack in stacks]}
    command = [sys.executable, "-m", "cloudkata.cdk.app", json.dumps(settings)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise CourseError(f"AWS CDK did not finish within {_SECONDS:g} seconds") from None
    if run.returncode:
        raise CourseError(f"the stacks cannot be synthesized:\n{_findings(out) or _told(run.stderr)}")


def _findings(out: Path) -> str:
    """What cdk-nag found, a line each; "" when that is not why there are no stacks."""
    try:
        report = json.loads((out / "validation-report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return "\n".join(
        f"{place['constructPath']}: {found['ruleName']}: {found['description']}"
        for plugin in report["pluginReports"]
        for found in plugin["violations"]
        for place in found["violatingConstructs"]
    )


def _told(text: str) -> str:
    """The end of what CDK says, without the banner about its Node.js version."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("b'!!"))[-_SHOWN:]
