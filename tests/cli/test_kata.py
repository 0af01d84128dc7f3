"""The command as a person types it."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "src/cloudkata/reports/report.schema.json").read_text())


def kata(*words, cwd=ROOT, **env):
    return subprocess.run(
        [sys.executable, "-m", "cloudkata.cli.main", *words],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "80", **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_check_of_the_starter_fails_and_says_why():
    done = kata("check", "00", "--at", "labs/00-first-proof")
    assert done.returncode == 1, done.stderr
    for said in ("✗ failed", "expected", "saw", "why", "hint", "NOT YET", "1 of 2 checks passed", "embedded engine"):
        assert said in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_check_of_the_solution_passes_and_reports_as_json():
    done = kata("check", "00", "--solution", "--json", "-")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    assert report["status"] == "passed" and report["score"] == 1.0
    assert {entry["status"] for entry in report["checks"]} == {"passed"}
    assert [entry["passed"] for entry in report["tasks"]] == [True]


def test_without_bubblewrap_the_check_goes_on_and_says_so():
    wrong = kata("check", "00", "--at", "labs/00-first-proof", CLOUDKATA_NO_ISOLATION="1")
    right = kata("check", "00", "--solution", CLOUDKATA_NO_ISOLATION="1")
    assert (wrong.returncode, right.returncode) == (1, 0)
    assert "isolation: none" in right.stdout and "Not isolated" in right.stdout


@pytest.fixture
def course(tmp_path):
    """A folder with this course and no workspace."""
    for name in ("course.toml", "labs", "solutions", "checks"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def test_way_into_the_course(course):
    assert "kata start 00" in kata(cwd=course).stdout
    assert "First proof" in kata("list", cwd=course).stdout
    assert "The starter is now in workspace/00-first-proof" in kata("start", "00", cwd=course).stdout
    mine = course / "workspace/00-first-proof/app/handler.py"
    mine.write_text(mine.read_text() + "# mine\n")
    again = kata("start", "first", cwd=course)
    assert again.returncode == 0 and "started it already" in again.stdout
    assert mine.read_text().endswith("# mine\n")
    assert "kata check 00" in kata(cwd=course).stdout


def test_junit_has_a_case_for_each_check(tmp_path):
    file = tmp_path / "junit.xml"
    done = kata("check", "00", "--at", "labs/00-first-proof", "--junit", str(file))
    assert done.returncode == 1
    suite = ET.parse(file).getroot()
    assert {case.get("name"): [child.tag for child in case] for case in suite} == {
        "00.greets-by-name": [],
        "00.refuses-a-missing-name": ["failure"],
    }


def test_first_check_copies_the_starter(course):
    done = kata("check", "00", cwd=course)
    assert done.returncode == 1
    assert "workspace/00-first-proof" in done.stderr
    assert (course / "workspace" / "00-first-proof" / "app" / "handler.py").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "99"), 'there is no lab "99"'),
        (("check", "frist"), "did you mean first-proof?"),
        (("check", "00", "--at", "docs"), "there is no deploy.py in docs"),
        (("check", "00", "--task", "gret"), "did you mean greet?"),
        (("start", "93"), 'there is no lab "93"'),
        (("chekc",), "No such command"),
        (("check", "--sede", "1"), "No such option"),
        (("check", "00", "--solution", "--json", "no/such/folder/file"), "cannot be written"),
    ],
)
def test_a_wrong_call_gets_a_sentence(words, said):
    done = kata(*words)
    assert done.returncode == 4
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_no_course_here(tmp_path):
    done = kata("check", cwd=tmp_path)
    assert done.returncode == 4
    assert "there is no course here" in done.stderr


def test_help_and_bare_command():
    assert "check" in kata("--help").stdout
    assert "Examples: kata check 00" in kata("check", "--help").stdout


@pytest.mark.isolated("execution environments are shown in a sandbox only")
def test_doctor_finds_everything_shown():
    done = kata("doctor", "--json", "-")
    report = json.loads(done.stdout)
    assert report["schema"] == "cloudkata.doctor/1"
    assert {row["behaviour"]: row["seen"] for row in report["behaviours"] if not row["shown"]} == {}
    assert [row["claim"] for row in report["sandbox"] if not row["holds"]] == []
    assert done.returncode == 0
