"""A page for the class: what it can do, and what it believes. No names, no scripts, nothing from elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape

from cloudkata.course.model import Lab
from cloudkata.grading.cohort.results import STATUSES, Result
from cloudkata.reports.cohort.plots import bars, columns
from cloudkata.reports.text import safe

_BINS = 10
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem; vertical-align: top }
th, td { border-bottom: 1px solid #ddd } td.n, th.n { text-align: right; white-space: nowrap }
svg { width: 100%; height: auto; font: 13px system-ui, sans-serif } .dim { color: #555 }
@media (prefers-color-scheme: dark) {
  body { background: #16181c; color: #e6e6e6 } th, td { border-color: #3a3d44 } .dim { color: #aaa }
  svg text { fill: #e6e6e6 }
}
"""


@dataclass(frozen=True)
class Tally:
    """How a check went: of `tried`, so many `failed`; those who were blocked or skipped did not try."""

    claim: str
    task: str
    failed: int
    tried: int

    @property
    def share(self) -> float:
        return self.failed / self.tried if self.tried else 0.0


def class_page(lab: Lab, results: list[Result]) -> str:
    """The page as HTML, the same for the same results."""
    title = f"Lab {lab.number}: {lab.title}"
    tallies, beliefs = tally(lab, results), believed(results)
    counts = Counter(result.status for result in results)
    body = [
        f"<h1>{_text(title)}</h1>",
        f"<p>{len(results)} submissions: "
        + ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])
        + ".</p>",
        "<h2>Points</h2>",
        columns(_histogram(results), "Submissions by points"),
        "<h2>Checks, the hardest first</h2>",
        bars([(one.claim, one.share, f"{one.failed} of {one.tried}") for one in tallies], "Share that failed a check"),
        _table(
            ("Check", "Task", "Failed"),
            [(one.claim, one.task, f"{one.failed} of {one.tried} ({one.share:.0%})") for one in tallies],
        ),
        "<h2>Beliefs behind the failures, the most frequent first</h2>",
        _beliefs(beliefs),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def tally(lab: Lab, results: list[Result]) -> list[Tally]:
    """Each check of the lab, the one that the largest share failed first."""
    found = []
    titles = {task.id: task.title for task in lab.tasks}
    for spec in lab.checks:
        statuses = Counter(
            entry["status"]
            for result in results
            if result.report
            for entry in result.report["checks"]
            if entry["id"] == spec.id
        )
        failed = statuses["failed"]
        found.append(Tally(spec.claim, titles[spec.task], failed, failed + statuses["passed"]))
    return sorted(found, key=lambda one: -one.share)


def believed(results: list[Result]) -> list[tuple[str, str, int, int]]:
    """(belief, correction, how many surely, how many perhaps), the most frequent first."""
    surely, perhaps, texts = Counter(), Counter(), {}
    for result in results:
        beliefs = result.report["beliefs"] if result.report else {"misconceptions": [], "certain": False}
        for one in beliefs["misconceptions"]:
            texts[one["id"]] = one
            (surely if beliefs["certain"] else perhaps)[one["id"]] += 1
    ordered = sorted(texts, key=lambda name: (-surely[name], -perhaps[name], name))
    return [(texts[name]["belief"], texts[name]["correction"], surely[name], perhaps[name]) for name in ordered]


def _beliefs(found: list[tuple[str, str, int, int]]) -> str:
    if not found:
        return '<p class="dim">None was recognized.</p>'
    most = max(surely + perhaps for _, _, surely, perhaps in found)
    plot = bars(
        [(belief, (surely + perhaps) / most, f"{surely} + {perhaps}") for belief, _, surely, perhaps in found],
        "Submissions with a belief: surely, and perhaps",
    )
    rows = [(belief, correction, surely, perhaps) for belief, correction, surely, perhaps in found]
    return plot + _table(("Belief", "But", "Surely", "Perhaps"), rows)


def _histogram(results: list[Result]) -> list[tuple[str, int]]:
    graded = [result.score for result in results if result.status != "error"]
    bins = Counter(min(_BINS - 1, int(score * _BINS + 1e-9)) for score in graded)
    width = 100 // _BINS
    return [(f"{place * width}–{place * width + width}", bins[place]) for place in range(_BINS)]  # noqa: RUF001


def _table(head: tuple[str, ...], rows: list[tuple]) -> str:
    def line(cells: tuple, tag: str) -> str:
        last = len(cells) - 1
        return (
            "<tr>"
            + "".join(
                f"<{tag}{' class=n' if place == last or isinstance(cell, int) else ''}>{_text(str(cell))}</{tag}>"
                for place, cell in enumerate(cells)
            )
            + "</tr>"
        )

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"


def _text(text: str) -> str:
    return escape(safe(text))
