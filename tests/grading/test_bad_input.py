"""What is wrong with a learner's files or machine gets a sentence, and is nobody else's trouble."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from cloudkata.course import find_course, load_lab
from cloudkata.grading.attempt import FAULT, NOT_DEPLOYED, PASS, attempt
from cloudkata.sandbox.isolation import isolation
from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.shared import Shared

COURSE = find_course(Path(__file__))
LAB = load_lab(COURSE, "00-first-proof")
SOLUTION = COURSE.solution("00-first-proof")


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as made:
        yield Shared(made)


@pytest.fixture
def folder(tmp_path):
    copy = tmp_path / "work"
    shutil.copytree(SOLUTION, copy)
    return copy


def kata(*words, options=(), env=None):
    """Run kata, with `options` of bubblewrap around it."""
    around = [isolation().bwrap, "--dev-bind", "/", "/", *options, "--"] if options else []
    return subprocess.run(
        [*around, sys.executable, "-m", "cloudkata.cli.main", *words],
        cwd=COURSE.root,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_script_that_is_not_utf8(folder, target):
    (folder / "deploy.py").write_bytes("def deploy(lab):\n    name = 'Zo\u00eb'\n".encode("latin-1"))
    result = attempt(COURSE, LAB, folder, target)
    assert result.status == NOT_DEPLOYED
    assert "SyntaxError" in result.problem and "utf-8" in result.problem and "deploy.py" in result.problem


def test_function_code_that_is_not_utf8_fails_its_checks_with_that_reason(folder, target):
    (folder / "app" / "handler.py").write_bytes(
        "NAME = 'Zo\u00eb'\ndef handler(event, context):\n    return 1\n".encode("latin-1")
    )
    result = attempt(COURSE, LAB, folder, target)
    assert {verdict.status for verdict in result.verdicts} == {"failed"}
    assert "utf-8" in result.verdicts[0].actual


def test_a_file_that_is_no_text_is_packaged_as_it_is(folder, target):
    (folder / "app" / "photo.bin").write_bytes(bytes(range(256)))
    assert attempt(COURSE, LAB, folder, target).status == PASS


@pytest.mark.isolated("without a sandbox code keeps the rights of who runs kata")
@pytest.mark.skipif(os.geteuid() != 0, reason="a sandbox has another user where kata is run as root only")
@pytest.mark.parametrize("closed", [".", "app", "app/handler.py"])
def test_a_folder_that_its_owner_alone_may_read(folder, target, closed):
    (folder / closed).chmod(0o700)
    result = attempt(COURSE, LAB, folder, target)
    assert result.status == NOT_DEPLOYED
    assert "chmod -R go+rX" in result.problem and str(folder / closed) in result.problem


def test_two_checks_at_once(folder):
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: kata("check", "00", "--at", str(folder)), range(2))
    for done in (first, second):
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_clock_that_jumps(target, folder, monkeypatch):
    real = time.time
    jumps = iter((3600.0, -86_400.0, 0.0))

    def progress(_):
        jump = next(jumps, 0.0)
        monkeypatch.setattr(time, "time", lambda: real() + jump)

    began = time.monotonic()
    result = attempt(COURSE, LAB, folder, target, progress=progress)
    assert result.status == PASS
    assert 0 <= result.seconds <= time.monotonic() - began + 0.001  # it is rounded


needs_bwrap = pytest.mark.isolated("mounts are made with bubblewrap")


@needs_bwrap
def test_a_disk_that_cannot_be_written(tmp_path):
    folders, course = ("/tmp", "/var/tmp"), [str(COURSE.root)] * 2
    readonly = [word for path in folders for word in ("--tmpfs", path)] + ["--ro-bind", *course]  # it may lie in one
    readonly += [word for path in folders for word in ("--remount-ro", path)]
    done = kata("check", "00", "--solution", options=readonly)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "nowhere to keep its files" in done.stdout and "temporary directory" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@needs_bwrap
def test_a_disk_with_no_room(tmp_path):
    small = ["--size", str(8 << 10), "--tmpfs", str(tmp_path)]
    done = kata("check", "00", "--solution", options=small, env={"TMPDIR": str(tmp_path)})
    assert done.returncode == 3, done.stdout + done.stderr
    assert "No space left" in done.stdout and "TMPDIR" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_disk_that_fills_midway_is_not_held_against_the_learner(target, monkeypatch):
    def progress(text):
        if text == LAB.checks[0].claim:
            monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=1, used=1, free=0))

    result = attempt(COURSE, LAB, COURSE.starter("00-first-proof"), target, progress=progress)
    assert result.status == FAULT and not result.verdicts
    assert "No space left" in result.problem


@needs_bwrap
def test_a_course_that_cannot_be_written_loses_nothing(tmp_path):
    course = tmp_path / "course"
    for name in ("labs", "solutions", "checks"):
        shutil.copytree(COURSE.root / name, course / name)
    shutil.copy(COURSE.root / "course.toml", course)
    command = [isolation().bwrap, "--dev-bind", "/", "/", "--ro-bind", str(course), str(course), "--chdir", str(course)]
    done = subprocess.run(
        [*command, "--", sys.executable, "-m", "cloudkata.cli.main", "check", "00"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4 and "cannot be copied" in done.stderr and "Traceback" not in done.stderr
    assert not (course / "workspace").exists()


@needs_bwrap
def test_a_report_that_does_not_fit(tmp_path):
    small = ["--size", "4096", "--tmpfs", str(tmp_path)]
    (tmp_path / "unused").touch()
    done = kata("check", "00", "--solution", "--json", str(tmp_path / "deep" / "r.json"), options=small)
    assert done.returncode == 4 and "cannot be written" in done.stderr
    assert "PASSED" in done.stdout and "Traceback" not in done.stderr
