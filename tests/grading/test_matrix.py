"""The rules of the matrix, each broken once, and the diagnosis."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cloudkata.checking.verdict import BLOCKED, ERROR, FAILED, PASSED, SKIPPED, Verdict
from cloudkata.course import Course, Variant, find_course, load_lab
from cloudkata.grading import diagnosis
from cloudkata.grading.attempt import FAIL, FAULT, NOT_DEPLOYED, PASS, Attempt
from cloudkata.grading.matrix import Row, judge, shown_only
from cloudkata.grading.records import has_changed, record, recorded
from cloudkata.sandbox.memory import descendants

COURSE = find_course(Path(__file__))
LAB = load_lab(COURSE, "00-first-proof")
ONE, TWO = (spec.id for spec in LAB.checks)


def row(kind, name, first=PASSED, second=PASSED, status=""):
    verdicts = tuple(
        Verdict(spec.id, spec.task, spec.claim, given, 0.0)
        for spec, given in zip(LAB.checks, (first, second), strict=True)
    )
    status = status or (PASS if {first, second} == {PASSED} else FAIL)
    verdicts = () if status == NOT_DEPLOYED else verdicts
    return Row(kind, name, Attempt(LAB, "embedded", "full", 1, 1.0, status, verdicts))


MISCONCEPTIONS = [
    Variant("left", "belief", (), caught_by=(ONE,)),
    Variant("right", "belief", (), caught_by=(TWO,)),
]


def good():
    return {
        "solution": row("solution", "solution"),
        "starter": row("starter", "starter", PASSED, FAILED),
        "n1": row("neighbour", "n1"),
        "n2": row("neighbour", "n2"),
        "n3": row("neighbour", "n3"),
        "left": row("misconception", "left", FAILED, PASSED),
        "right": row("misconception", "right", PASSED, FAILED),
    }


def test_good_matrix_holds():
    assert judge(LAB, MISCONCEPTIONS, list(good().values())) == []


def on_an_endpoint(**changed):
    """What the rules say where the endpoint cannot show the second check."""
    rows = {
        "solution": row("solution", "solution", PASSED, SKIPPED, PASS),
        "starter": row("starter", "starter", PASSED, SKIPPED),
        **{name: row("neighbour", name, PASSED, SKIPPED, PASS) for name in ("n1", "n2", "n3")},
        "left": row("misconception", "left", FAILED, SKIPPED),
        "right": row("misconception", "right", PASSED, SKIPPED, PASS),
        **changed,
    }
    return judge(*shown_only(LAB, MISCONCEPTIONS, list(rows.values())))


def test_what_an_endpoint_cannot_show_is_left_out_of_its_matrix():
    assert on_an_endpoint() == []


def test_what_an_endpoint_shows_is_judged_as_ever():
    missed = on_an_endpoint(left=row("misconception", "left", PASSED, SKIPPED, PASS))
    assert f"left must make {ONE} fail" in missed
    assert on_an_endpoint(n1=row("neighbour", "n1", FAILED, SKIPPED)) == [
        f"neighbour n1 must pass everything: {ONE} failed"
    ]


BROKEN = {
    "solution fails": ("solution", row("solution", "solution", PASSED, FAILED), "must pass everything"),
    "neighbour is blocked": ("n1", row("neighbour", "n1", PASSED, BLOCKED), "neighbour n1 must pass everything"),
    "starter passes": ("starter", row("starter", "starter"), "must pass no task"),
    "starter does not deploy": ("starter", row("starter", "starter", status=NOT_DEPLOYED), "starter must deploy"),
    "misconception passes": ("left", row("misconception", "left"), f"left must make {ONE} fail"),
    "misconception is only blocked": (
        "left",
        row("misconception", "left", BLOCKED, PASSED, FAIL),
        f"left must make {ONE} fail",
    ),
    "misconception does not deploy": ("left", row("misconception", "left", status=NOT_DEPLOYED), "left must deploy"),
    "misconception is our fault": (
        "left",
        row("misconception", "left", ERROR, PASSED, FAULT),
        "left must deploy and be graded",
    ),
    "a check is never caught": ("left", row("misconception", "left", PASSED, FAILED), f"{ONE} is made to fail by no"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_rule_is_broken(name):
    which, replaced, said = BROKEN[name]
    rows = good() | {which: replaced}
    assert any(said in problem for problem in judge(LAB, MISCONCEPTIONS, list(rows.values())))


def test_two_neighbours_are_too_few():
    rows = good()
    del rows["n3"]
    assert judge(LAB, MISCONCEPTIONS, list(rows.values())) == ["there must be at least 3 neighbours"]


def test_belief_is_certain_only_for_exactly_one_equal_set(monkeypatch):
    def sets(**found):
        monkeypatch.setattr(diagnosis, "recorded", lambda course, slug: found)

    known = [Variant(name, name, ()) for name in ("a", "b", "c")]
    monkeypatch.setattr(diagnosis, "load_misconceptions", lambda course, slug: known)

    def ids(failing):
        found = diagnosis.diagnose(COURSE, LAB.slug, failing)
        return [variant.id for variant in found.misconceptions], found.certain

    sets(a=["1"], b=["1", "2"], c=["3"])
    assert ids(["1"]) == (["a"], True)
    assert ids(["2", "1"]) == (["b"], True)
    assert ids(["2"]) == (["b"], False)
    assert ids(["9"]) == ([], False)
    assert ids([]) == ([], False)
    sets(a=["1"], b=["1"], c=["1"])
    assert ids(["1"]) == (["a", "b"], False)


def test_records_name_known_misconceptions_and_checks():
    for slug in COURSE.labs:
        lab = load_lab(COURSE, slug)
        found = recorded(COURSE, slug)
        assert found, slug
        assert {check for checks in found.values() for check in checks} <= {spec.id for spec in lab.checks}


@pytest.fixture
def course(tmp_path):
    for name in ("labs", "solutions", "checks"):
        shutil.copytree(COURSE.root / name / LAB.slug, tmp_path / name / LAB.slug)
    return Course(tmp_path, (LAB.slug,))


def test_a_lab_is_as_it_was_recorded_until_its_code_changes(course):
    record(course, LAB.slug, {"one": ["00.a"]})
    assert recorded(course, LAB.slug) == {"one": ["00.a"]}
    (course.starter(LAB.slug) / "README.md").write_text("other words")
    assert not has_changed(course, LAB.slug)
    path = course.checks(LAB.slug) / "misconceptions.toml"
    path.write_text(path.read_text() + "\n# a word\n")
    assert has_changed(course, LAB.slug)


def test_a_matrix_that_is_killed_leaves_no_process():
    command = [sys.executable, "-m", "cloudkata.cli.main", "matrix", "00", "--workers", "2"]
    with subprocess.Popen(command, cwd=COURSE.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while len(started := descendants(process.pid)) < 5 and time.monotonic() < deadline:
            time.sleep(0.05)  # until both workers have an engine: the parent, a tracker, two workers, an engine each
        process.kill()
    assert len(started) >= 5
    while any(Path(f"/proc/{pid}").exists() for pid in started) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []
