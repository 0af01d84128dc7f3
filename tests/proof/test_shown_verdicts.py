"""What a notebook shows of an attempt can come from anybody: nothing in it may become markup."""

from pathlib import Path

import pytest

from cloudkata.checking.verdict import FAILED, Verdict
from cloudkata.course import find_course, load_lab
from cloudkata.grading.attempt import FAIL, NOT_DEPLOYED, Attempt
from cloudkata.notebook.shown import Shown

LAB = load_lab(find_course(Path(__file__)), "00-first-proof")
HOSTILE = "<img src=x onerror=alert(1)>&\"'\x1b[31m\u202e"


def shown(**parts) -> str:
    return Shown(Attempt(LAB, "embedded", "full", 1, 0.1, **parts))._repr_html_()


@pytest.mark.parametrize("part", ["expected", "actual"])
def test_what_a_check_saw_is_escaped(part):
    spec = LAB.checks[0]
    verdict = Verdict(
        spec.id, spec.task, spec.claim, FAILED, 0.1, **{"expected": "", "actual": "", "why": "", part: HOSTILE}
    )
    html = shown(status=FAIL, verdicts=(verdict,))
    assert "&lt;img src=x onerror=alert(1)&gt;&amp;" in html
    assert "<img" not in html and "\x1b" not in html and "\u202e" not in html


def test_what_deploying_came_to_is_escaped():
    html = shown(status=NOT_DEPLOYED, problem=HOSTILE)
    assert "&lt;img" in html and "<img" not in html and "\x1b" not in html
