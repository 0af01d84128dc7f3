"""An attempt's verdicts as a notebook shows them."""

from __future__ import annotations

import html
import io
from dataclasses import dataclass

from rich.console import Console

from cloudkata.checking.verdict import PASSED
from cloudkata.grading.attempt import Attempt
from cloudkata.reports.terminal import show
from cloudkata.reports.text import safe

_WIDTH = 80


@dataclass(frozen=True)
class Shown:
    """What `check()` returns: a table in a notebook, the terminal's report where there is only text."""

    attempt: Attempt

    @property
    def passed(self) -> bool:
        return self.attempt.status == PASSED

    def __repr__(self) -> str:
        file = io.StringIO()
        show(Console(file=file, width=_WIDTH, highlight=False, color_system=None, force_jupyter=False), self.attempt)
        return file.getvalue().rstrip()

    def _repr_html_(self) -> str:
        """Everything in it that a learner wrote is escaped."""
        rows = "".join(
            f"<tr><td>{_text(verdict.status)}</td><td>{_text(verdict.claim)}"
            + "".join(
                f"<br><b>{label}</b> <code>{_text(said)}</code>"
                for label, said in (("expected", verdict.expected), ("saw", verdict.actual))
                if said and verdict.status != PASSED
            )
            + "</td></tr>"
            for verdict in self.attempt.verdicts
        )
        head = f"Lab {self.attempt.lab.number}: {self.attempt.status}"
        problem = f"<p>{_text(self.attempt.problem)}</p>" if self.attempt.problem else ""
        columns = '<thead><tr><th scope="col">verdict</th><th scope="col">claim</th></tr></thead>'
        return f"<p><b>{_text(head)}</b></p>{problem}<table>{columns}<tbody>{rows}</tbody></table>"


def _text(text: str) -> str:
    return html.escape(safe(text))
