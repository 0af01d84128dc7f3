"""A cohort with everything in it that one meets: nobody is disturbed, and no run is in vain.

CLOUDKATA_COHORT=200 makes the runs that are killed as large as that.
"""

import importlib.util
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from cloudkata.course import find_course
from cloudkata.sandbox.memory import descendants

COURSE = find_course(Path(__file__))
_spec = importlib.util.spec_from_file_location("cohort", COURSE.root / "tools" / "cohort.py")
cohort = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cohort)
SLUG, OTHER = "00-first-proof", "14-dynamodb-transactions"
NUMBER = int(os.environ.get("CLOUDKATA_COHORT", "10"))
SECONDS = 60.0 + 15.0 * NUMBER
SEED = int(os.environ.get("CLOUDKATA_SEED") or secrets.randbelow(1 << 32))


def left_behind():
    """Folders of runs, in use or not."""
    return set(Path(tempfile.gettempdir()).glob("k[gn]-*"))


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def test_hostile_submissions_disturb_nobody(place, tmp_path):
    expected = cohort.make_bad_ones(place, COURSE, SLUG, OTHER)
    expected |= cohort.make_mixed(place, COURSE, SLUG, 6, SEED)
    before = left_behind()
    done = cohort.grade(COURSE, SLUG, place, tmp_path / "out", "--seconds", "90")
    print(f"seed {SEED}\n{done.stdout}{done.stderr}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert cohort.wrong(tmp_path / "out", expected) == []
    assert "\x1b" not in done.stderr and "FOUND" not in (tmp_path / "out" / "gradebook.csv").read_text()
    assert left_behind() <= before


def test_a_run_that_is_killed_three_times_ends_with_the_same_gradebook(place, tmp_path):
    expected = cohort.make_mixed(place, COURSE, SLUG, NUMBER, SEED)
    draw = random.Random(SEED)
    print(f"seed {SEED}")
    whole, killed, before = tmp_path / "whole", tmp_path / "killed", left_behind()
    assert cohort.grade(COURSE, SLUG, place, whole).returncode == 0
    assert cohort.wrong(whole, expected) == []
    graded: dict[str, int] = {}
    for turn in range(3):
        resume = ["--resume"] if turn else []
        wanted = len(list((killed / "results").glob("*.json"))) + draw.randint(1, NUMBER // 5)
        with open(tmp_path / "said", "ab") as said:
            process = subprocess.Popen(
                cohort.command(COURSE, SLUG, place, killed, *resume), cwd=COURSE.root, stdout=said, stderr=said
            )
        deadline = time.monotonic() + SECONDS
        while len(list((killed / "results").glob("*.json"))) < wanted and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(draw.random())
        below = descendants(process.pid)[1:]
        assert process.poll() is None, (tmp_path / "said").read_text()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        while any(Path(f"/proc/{pid}").exists() for pid in below) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]
        assert not (killed / "gradebook.csv").exists()
        for path in (killed / "results").glob("*.json"):
            assert graded.setdefault(path.name, path.stat().st_mtime_ns) == path.stat().st_mtime_ns
    assert cohort.grade(COURSE, SLUG, place, killed, "--resume").returncode == 0
    for name, when in graded.items():
        assert (killed / "results" / name).stat().st_mtime_ns == when  # nobody was graded twice
    assert (killed / "gradebook.csv").read_bytes() == (whole / "gradebook.csv").read_bytes()
    assert (killed / "class.html").read_bytes() == (whole / "class.html").read_bytes()
    assert left_behind() <= before


@pytest.fixture
def cluster(tmp_path):
    """(address of a Dask scheduler with two worker processes, those processes)."""
    pytest.importorskip("distributed")
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    file = tmp_path / "scheduler.json"
    log = open(tmp_path / "dask.log", "wb")  # noqa: SIM115 (for as long as the processes)
    options = {"stdout": log, "stderr": log, "cwd": tmp_path}
    host = ["--host", "127.0.0.1", "--no-dashboard"]
    started = [subprocess.Popen([*dask, *host, "--port", "0", "--scheduler-file", str(file)], **options)]
    try:
        deadline = time.monotonic() + 60
        while not (file.exists() and (found := re.search(r"tcp://[\d.]+:\d+", file.read_text()))):
            assert time.monotonic() < deadline, (tmp_path / "dask.log").read_text()
            time.sleep(0.05)
        worker = [sys.executable, "-m", "distributed.cli.dask_worker", found.group(), "--nthreads", "1", "--no-nanny"]
        for _ in range(2):
            started.append(subprocess.Popen([*worker, "--no-dashboard", "--local-directory", str(tmp_path)], **options))
        yield found.group(), started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()
        log.close()


def test_a_cluster_that_loses_a_worker_gives_the_same_gradebook(place, tmp_path, cluster):
    address, workers = cluster
    expected = cohort.make_mixed(place, COURSE, SLUG, NUMBER, SEED)
    print(f"seed {SEED}")
    whole, spread = tmp_path / "whole", tmp_path / "spread"
    assert cohort.grade(COURSE, SLUG, place, whole).returncode == 0
    words = cohort.command(COURSE, SLUG, place, spread, "--scheduler", address)
    with open(tmp_path / "said", "wb") as said:
        process = subprocess.Popen(words, cwd=COURSE.root, stdout=said, stderr=said)
    deadline = time.monotonic() + SECONDS
    lost = workers[0]
    while time.monotonic() < deadline:  # in the middle of an attempt, after others
        done = len(list((spread / "results").glob("*.json")))
        if done >= 3 and len(descendants(lost.pid)) > 2:
            break
        time.sleep(0.02)
    below = descendants(lost.pid)[1:]
    assert below, (tmp_path / "said").read_text()
    lost.kill()
    assert process.wait(SECONDS) == 0, (tmp_path / "said").read_text()
    assert cohort.wrong(spread, expected) == []
    assert (spread / "gradebook.csv").read_bytes() == (whole / "gradebook.csv").read_bytes()
    assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]


def test_a_scheduler_that_is_not_there_is_said(place, tmp_path):
    pytest.importorskip("distributed")
    cohort.make_mixed(place, COURSE, SLUG, 1, SEED)
    done = cohort.grade(COURSE, SLUG, place, tmp_path / "out", "--scheduler", "nonsense://x")
    assert done.returncode == 3 and "no Dask scheduler" in done.stderr
