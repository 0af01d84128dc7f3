"""An attempt that takes more than it may is ended, with all that it started, and a reason is given."""

import contextlib
import os
import time
from pathlib import Path

import pytest

from cloudkata.grading.cohort.supervise import Bounds, Cancelled, Job, supervise
from cloudkata.grading.cohort.tray import MB
from cloudkata.sandbox.memory import descendants

BOUNDS = Bounds(seconds=30, memory=200 * MB, disk=50 * MB, threads=20)


def children() -> set[int]:
    me = os.getpid()
    return {pid for pid in descendants(me)[1:] if _parent(pid) == me}


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def started(before: set[int]) -> list[int]:
    """What runs now, with all below it, and is none of this process's children `before`: engines that tests share."""
    return [pid for child in children() - before for pid in descendants(child)]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))

    def supervised(what, bounds=BOUNDS, **options):
        folder = tmp_path / what
        folder.mkdir()
        job = Job("course", "00-x", str(folder), 7, False)
        began, before = time.monotonic(), children()
        try:
            return supervise(job, tmp_path, bounds, "misbehaving", **options)
        finally:
            assert time.monotonic() - began < 25
            assert started(before) == []

    return supervised


def test_a_report_is_handed_back(run):
    ended = run("passes")
    assert ended.report["status"] == "passed" and not ended.stopped and not ended.wrong


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("fills", "more than 50 MB to disk"),
        ("eats", "more than 200 MB of memory"),
        ("forks", "more than 20 processes and threads"),
    ],
)
def test_what_takes_too_much_is_stopped(what, said, run):
    ended = run(what)
    assert said in ended.stopped and ended.report is None


@pytest.mark.parametrize("what", ["hangs", "ignores"])
def test_what_takes_too_long_is_stopped(what, run):
    assert "not through after 1 seconds" in run(what, Bounds(seconds=1)).stopped


def test_what_hides_in_a_session_of_its_own_is_ended_too(run, tmp_path):
    run("forks-and-hides", Bounds(seconds=1.5))
    (pid,) = (tmp_path / "forks-and-hides.pids").read_text().split()
    assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]


@pytest.mark.parametrize(("what", "said"), [("crashes", "RuntimeError: out of ideas"), ("lies", "ended with 0")])
def test_a_process_without_a_report_is_our_fault(what, said, run):
    ended = run(what)
    assert said in ended.wrong and not ended.stopped


def test_memory_is_measured(run):
    sizes = []
    run("hangs", Bounds(seconds=1.5), measured=sizes.append)
    assert MB < max(sizes) < 200 * MB


def test_a_crowd_has_to_wait_for_everybody_else(run):
    seen, before = [], children()

    def look(_):
        below = started(before)
        if len(below) > 40:
            with contextlib.suppress(ProcessLookupError):
                seen.append({os.getpriority(os.PRIO_PROCESS, pid) for pid in below})

    with pytest.raises(Cancelled):
        run("forks", Bounds(crowd=10), measured=look, cancelled=lambda: {19} in seen)


def test_a_run_that_is_stopped_ends_it(run):
    with pytest.raises(Cancelled):
        run("hangs", cancelled=lambda: True)
