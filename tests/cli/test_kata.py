"""The command as a person types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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
    for said in ("✗ failed", "expected", "saw", "why", "NOT YET", "1 of 2 checks passed", "embedded engine"):
        assert said in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_check_of_the_solution_passes_and_reports_as_json():
    done = kata("check", "00", "--solution", "--json", "-")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["schema"] == "cloudkata.report/1"
    assert report["status"] == "passed" and report["score"] == 1.0
    assert {entry["status"] for entry in report["checks"]} == {"passed"}
    assert [entry["passed"] for entry in report["tasks"]] == [True]


def test_without_bubblewrap_the_check_goes_on_and_says_so():
    wrong = kata("check", "00", "--at", "labs/00-first-proof", CLOUDKATA_NO_ISOLATION="1")
    right = kata("check", "00", "--solution", CLOUDKATA_NO_ISOLATION="1")
    assert (wrong.returncode, right.returncode) == (1, 0)
    assert "isolation: none" in right.stdout and "Not isolated" in right.stdout


def test_first_check_copies_the_starter(tmp_path):
    for name in ("course.toml", "labs", "solutions", "checks"):
        (tmp_path / name).symlink_to(ROOT / name)
    done = kata("check", "00", cwd=tmp_path)
    assert done.returncode == 1
    assert "workspace/00-first-proof" in done.stderr
    assert (tmp_path / "workspace" / "00-first-proof" / "app" / "handler.py").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "99"), 'there is no lab "99"'),
        (("check", "frist"), "did you mean first-proof?"),
        (("check", "00", "--at", "docs"), "there is no deploy.py in docs"),
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
    assert "check" in kata().stdout
    assert "Example: kata check 00" in kata("check", "--help").stdout


def test_doctor_finds_everything_shown():
    done = kata("doctor", "--json", "-")
    report = json.loads(done.stdout)
    assert report["schema"] == "cloudkata.doctor/1"
    assert {row["behaviour"]: row["seen"] for row in report["behaviours"] if not row["shown"]} == {}
    assert [row["claim"] for row in report["sandbox"] if not row["holds"]] == []
    assert done.returncode == 0
