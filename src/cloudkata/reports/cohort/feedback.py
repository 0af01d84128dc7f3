"""What a learner is told, as Markdown that shows a learner's own text as text. The course's own is Markdown already."""

from __future__ import annotations

import re

from cloudkata.course.model import Lab
from cloudkata.grading.cohort.results import REFUSED, STOPPED, Result
from cloudkata.reports.text import safe

_MARK = {"passed": "✓", "failed": "✗", "blocked": "–", "skipped": "?", "error": "!"}  # noqa: RUF001
# What has a meaning anywhere, at the beginning of a line, or makes an address a link.
_MARKUP = re.compile(r"[\\`*_{}\[\]#|<>&~$@]|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]|:(?=//)|(?<=[wW]{3})\.")
_CUT = 2048


def plain(text: str) -> str:
    """`text` in a line of Markdown, with nothing in it that has a meaning there."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(safe(text, _CUT).split()))


def block(text: str) -> str:
    """`text` as a block of code, whatever backticks it has."""
    shown = safe(text, _CUT)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", shown)), default=0))
    return f"{fence}text\n{shown}\n{fence}"


def feedback(lab: Lab, result: Result) -> str:
    """All of one learner's result but the seed: the same inputs are drawn the next time."""
    lines = [f"# Lab {lab.number}: {lab.title}", "", f"For {plain(result.learner)}.", ""]
    lines += [_outcome(result), ""]
    if result.report is None or result.report["problem"]:
        lines += [block((result.report or {}).get("problem") or result.reason), ""]
    if result.report is not None:
        lines += _checks(lab, result.report)
        lines += _beliefs(result.report["beliefs"])
    lines += [f"Try it yourself: `kata check {lab.number} --all`.", ""]
    return "\n".join(lines)


def _outcome(result: Result) -> str:
    won = f"{result.score * 100:.0f} of 100 points"
    return {
        "passed": f"**Passed**, {won}.",
        "failed": f"**Not yet**, {won}.",
        "not deployed": "**Not deployed**: your code did not deploy, or its outputs were refused. 0 of 100 points.",
        REFUSED: "**Refused**: nothing was run. 0 of 100 points.",
        STOPPED: "**Stopped**: your code took more than an attempt may. 0 of 100 points.",
    }.get(result.status, "**No verdict**: something went wrong on our side. It will be graded again.")


def _checks(lab: Lab, report: dict) -> list[str]:
    lines = []
    for task in report["tasks"]:
        mine = [entry for entry in report["checks"] if entry["task"] == task["id"]]
        if not mine:
            continue
        lines += [f"## {task['title']}", ""]
        lines += [f"- {_MARK[entry['status']]} {entry['claim']} ({entry['status']})" for entry in mine]
        lines.append("")
        for entry in mine:
            if entry["status"] == "failed":
                lines += [f"### {entry['claim']}", ""]
                for label, name in (("Expected", "expected"), ("Seen", "actual")):
                    if entry[name]:
                        lines += [f"{label}:", "", block(entry[name]), ""]
                if entry["why"]:
                    lines += [f"Why: {plain(entry['why'])}", ""]
                if entry["hint"]:
                    lines += [f"Hint: {entry['hint']}", ""]
    return lines


def _beliefs(beliefs: dict) -> list[str]:
    found = beliefs["misconceptions"]
    if not found:
        return []
    certain = beliefs["certain"]
    lines = ["## Where this usually comes from" if certain else "## Where this often comes from, one of", ""]
    for one in found:
        lines.append(f"- {one['belief']}" + (f" But: {one['correction']}" if certain else ""))
    return [*lines, ""]
