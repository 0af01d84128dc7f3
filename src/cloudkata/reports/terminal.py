"""An attempt as a person reads it: 80 columns, and clear without colour."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cloudkata.checking.verdict import BLOCKED, ERROR, FAILED, PASSED, SKIPPED, Verdict
from cloudkata.course.model import Lab
from cloudkata.grading.attempt import FAIL, FAULT, NOT_DEPLOYED, PASS, Attempt
from cloudkata.reports.text import safe

_MARK = {PASSED: "✓", FAILED: "✗", BLOCKED: "-", SKIPPED: "?", ERROR: "!"}
_STYLE = {PASSED: "green", FAILED: "red", BLOCKED: "dim", SKIPPED: "yellow", ERROR: "magenta"}
_PRINTED_LINES = 10
_CALLS = 4  # the last changing calls before a deployment failed


def show(console: Console, attempt: Attempt, everything: bool = False) -> None:
    """Print what the attempt came to: the first failing check in full and a line a task, or every check."""
    show_heading(console, attempt)
    show_outcome(console, attempt, everything)


def show_heading(console: Console, attempt: Attempt) -> None:
    """What was graded, where and with which seed."""
    console.print(Text(f"Lab {attempt.lab.number}: {attempt.lab.title}", style="bold"))
    where = f"on {_place(attempt)}, isolation: {attempt.isolation}, seed {attempt.seed}"
    console.print(Text(where, style="dim"))
    if attempt.isolation == "none":
        console.print(Text("Not isolated: this code ran with your own rights. Grade only code that you trust."))
    console.print()


def show_outcome(console: Console, attempt: Attempt, everything: bool = False, told: str = "") -> None:
    """The verdicts and what they come to; the check `told` has been shown in full already."""
    if attempt.status == NOT_DEPLOYED:
        _not_deployed(console, attempt)
    elif attempt.problem:
        _block(console, "not here" if _nothing_shown(attempt) else "our fault", attempt.problem)
    if everything:
        for verdict in attempt.verdicts:
            show_verdict(console, attempt.lab, verdict)
    else:
        _tasks(console, attempt)
        bad = [verdict for verdict in attempt.verdicts if verdict.status not in (PASSED, SKIPPED)]
        if bad:
            if not told:
                console.print()
                show_verdict(console, attempt.lab, bad[0])
            if len(bad) > 1:
                console.print(Text(f"    {len(bad) - 1} more: kata check {attempt.lab.number} --all", style="dim"))
    _beliefs(console, attempt)
    console.print()
    console.print(_closing(attempt))


def _tasks(console: Console, attempt: Attempt) -> None:
    for task in attempt.lab.tasks:
        mine = [verdict.status for verdict in attempt.verdicts if verdict.task == task.id]
        if not mine:
            continue
        passed = mine.count(PASSED)
        worst = next((status for status in (ERROR, FAILED, BLOCKED, SKIPPED) if status in mine), PASSED)
        mark = Text(f"{_MARK[worst]} {passed} of {len(mine)}", style=_STYLE[worst])
        console.print(_columns(mark, Text(task.title), indent=0, width=9))


def _beliefs(console: Console, attempt: Attempt) -> None:
    found = attempt.diagnosis
    if not found.misconceptions:
        return
    console.print()
    lead = "This usually comes from the belief:" if found.certain else "This often comes from one of these beliefs:"
    console.print(Text(lead, style="bold"))
    for variant in found.misconceptions:
        console.print(Padding(Text(variant.belief), (0, 0, 0, 4)))
        if found.certain:
            console.print(Padding(Text(variant.correction, style="dim"), (0, 0, 0, 4)))


def show_verdict(console: Console, lab: Lab, verdict: Verdict) -> None:
    """One check, in full unless it passed."""
    mark = Text(f"{_MARK[verdict.status]} {verdict.status}", style=_STYLE[verdict.status])
    console.print(_columns(mark, Text(verdict.claim), indent=0, width=9))
    if verdict.status == PASSED:
        return
    if verdict.expected:
        _block(console, "expected", verdict.expected)
    if verdict.actual:
        _block(console, "saw", verdict.actual)
    if verdict.why:
        _block(console, "why", verdict.why)
    hints = {task.id: task.hints[0] for task in lab.tasks}
    if verdict.status == FAILED and verdict.task in hints:
        _block(console, "hint", hints[verdict.task])


def _block(console: Console, label: str, text: str) -> None:
    console.print(_columns(Text(label, style="dim"), Text(safe(text), overflow="fold"), indent=4, width=9))


def _columns(left: Text, right: Text, *, indent: int, width: int) -> Padding:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(min_width=width)
    grid.add_column(overflow="fold")
    grid.add_row(left, right)
    return Padding(grid, (0, 0, 0, indent), expand=False)


def _not_deployed(console: Console, attempt: Attempt) -> None:
    deployment = attempt.deployment
    what = "Your code did not deploy" if deployment else "The outputs were refused"
    console.print(Text(f"✗ {what}, so nothing was graded.", style="red"))
    _block(console, "error", attempt.problem)
    if deployment is None:
        return
    for frame in deployment.frames:
        _block(console, "at", f"{frame.file}, line {frame.line}: {frame.source}")
    calls = [f"{call.service} {call.operation}: {call.status}" for call in deployment.calls[-_CALLS:]]
    if calls:
        _block(console, "calls", "\n".join(calls))
    printed = safe(deployment.printed).strip().splitlines()
    if printed:
        _block(console, "printed", "\n".join(printed[-_PRINTED_LINES:]))


def _place(attempt: Attempt) -> str:
    return "the embedded engine" if attempt.target == "embedded" else f"the {attempt.target}"


def _nothing_shown(attempt: Attempt) -> bool:
    """Whether every check was skipped."""
    return bool(attempt.verdicts) and all(verdict.status == SKIPPED for verdict in attempt.verdicts)


def _closing(attempt: Attempt) -> Text:
    passed = sum(verdict.status == PASSED for verdict in attempt.verdicts)
    counts = f"{passed} of {len(attempt.verdicts)} checks passed in {attempt.seconds:.1f} s"
    skipped = sum(verdict.status == SKIPPED for verdict in attempt.verdicts)
    if skipped:
        counts += f", {skipped} skipped"
    if attempt.status == PASS:
        return Text(f"PASSED  {counts}. {_place(attempt).capitalize()} proved it.", style="bold green")
    if attempt.status == FAIL:
        doubt = (
            ""
            if attempt.target == "embedded"
            else f" The embedded engine tells whether it is your code or {_place(attempt)}."
        )
        return Text(f"NOT YET  {counts}.{doubt}", style="bold red")
    if _nothing_shown(attempt):
        return Text("SKIPPED  Nothing was graded: this target cannot show what this lab is about.", style="bold")
    if attempt.status == FAULT:
        return Text(
            "ERROR  Nothing is held against you. Run it again; `kata doctor` shows what works here.", style="bold"
        )
    mend = "deploy.py or what it packages" if attempt.deployment else "what the outputs name"
    return Text(f"NOT DEPLOYED  Mend {mend}, and run it again.", style="bold red")
