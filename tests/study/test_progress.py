"""The learner's history: what it answers, and what it survives."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from cloudkata.study.progress import Progress
from cloudkata.study.store import FILE, STEPS, Store, StoreError

LAB = SimpleNamespace(
    slug="01-lab",
    tasks=(SimpleNamespace(id="a"), SimpleNamespace(id="b")),
    checks=tuple(SimpleNamespace(id=f"01.{name}", task=name[0]) for name in ("a1", "a2", "b1")),
)


def attempt(status="failed", started=1000.0, target="embedded", score=0.5, **verdicts):
    return SimpleNamespace(
        lab=LAB,
        started=started,
        seconds=1.5,
        status=status,
        score=score,
        target=target,
        isolation="full",
        seed=7,
        verdicts=tuple(
            SimpleNamespace(id=f"01.{name}", task=name[0], status=value, seconds=0.1)
            for name, value in verdicts.items()
        ),
    )


def test_nothing_is_made_by_looking(tmp_path):
    progress = Progress(tmp_path / "workspace")
    assert progress.standings() == {} and progress.attempts("01-lab") == [] and progress.last_lab() == ""
    assert progress.last_failed("01-lab") == [] and not progress.solution_was_shown("01-lab")
    assert list(tmp_path.iterdir()) == []


def test_history_is_in_order(tmp_path):
    progress = Progress(tmp_path)
    progress.record(attempt(a1="passed", a2="failed", b1="blocked"))
    progress.record(attempt("not deployed"))
    assert [(each.status, each.passed, each.checks) for each in progress.attempts("01-lab")] == [
        ("failed", 1, 3),
        ("not deployed", 0, 0),
    ]
    assert progress.last_lab() == "01-lab"
    assert progress.last_failed("01-lab") == ["01.a2", "01.b1"]  # of the last one that was graded


def test_what_was_skipped_says_nothing_of_a_task(tmp_path):
    progress = Progress(tmp_path)
    progress.record(attempt(a1="passed", a2="passed", b1="failed"))
    progress.record(attempt("passed", target="endpoint", a1="passed", a2="skipped", b1="passed"))
    assert progress.standing("01-lab").tasks == {"a", "b"}


def test_a_pass_elsewhere_counts_for_a_lab_when_nothing_was_skipped(tmp_path):
    progress = Progress(tmp_path)
    progress.record(attempt("passed", target="endpoint", a1="passed", a2="skipped", b1="passed"))
    assert not progress.standing("01-lab").passed
    progress.record(attempt("passed", target="endpoint", score=1.0, a1="passed", a2="passed", b1="passed"))
    assert progress.standing("01-lab").passed


def test_a_task_stands_as_it_last_ran_in_whole(tmp_path):
    progress = Progress(tmp_path)
    progress.record(attempt(a1="passed", a2="passed", b1="failed"))
    assert progress.standing("01-lab").tasks == {"a"}
    progress.record(attempt("passed", a1="passed", b1="passed"), task="b")  # b builds on a1; a did not run in whole
    assert progress.standing("01-lab").tasks == {"a", "b"}
    assert not progress.standing("01-lab").passed  # one task passed is not the lab
    progress.record(attempt(a1="failed", a2="passed", b1="passed"))
    assert progress.standing("01-lab").tasks == {"b"}


def test_a_pass_stays_a_pass(tmp_path):
    progress = Progress(tmp_path)
    progress.record(attempt("passed", started=5.0, a1="passed", a2="passed", b1="passed"))
    progress.record(attempt(started=9.0, a1="failed", a2="passed", b1="passed"))
    standing = progress.standing("01-lab")
    assert standing.passed and standing.passed_at == 5.0 and standing.attempts == 2


def test_solution_is_remembered_as_first_seen(tmp_path):
    progress = Progress(tmp_path)
    progress.show_solution("01-lab")
    progress.record(attempt("passed", a1="passed", a2="passed", b1="passed"))
    progress.show_solution("01-lab")
    assert progress.standing("01-lab").solution_shown
    progress.record(attempt("passed"))
    progress.show_solution("02-lab")
    assert progress.solution_was_shown("02-lab")


def test_hints_stop_at_the_last(tmp_path):
    progress = Progress(tmp_path)
    assert [progress.take_hint("01-lab", "a", 3) for _ in range(5)] == [1, 2, 3, 3, 3]
    assert progress.hints_taken("01-lab", "a") == 3 and progress.hints_taken("01-lab", "b") == 0


@pytest.mark.parametrize("version", range(1, len(STEPS)))
def test_an_older_file_is_brought_up_to_date(tmp_path, version):
    with sqlite3.connect(tmp_path / FILE) as connection:
        for step in STEPS[:version]:
            for statement in step:
                connection.execute(statement)
        connection.execute(
            "INSERT INTO attempt (lab, started, seconds, status, score, target, isolation, seed, task) "
            "VALUES ('01-lab', 3.0, 1.0, 'passed', 1.0, 'embedded', 'full', 1, '')"
        )
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    progress = Progress(tmp_path)
    assert progress.standing("01-lab").passed_at == 3.0
    assert progress.take_hint("01-lab", "a", 3) == 1


def test_a_step_that_fails_changes_nothing(tmp_path, monkeypatch):
    Progress(tmp_path).take_hint("01-lab", "a", 3)
    before = (tmp_path / FILE).read_bytes()
    broken = (*STEPS, ("CREATE TABLE more (x)", "nonsense"))
    monkeypatch.setattr("cloudkata.study.store.STEPS", broken)
    with pytest.raises(StoreError, match="cannot be used"):
        Progress(tmp_path).standings()
    monkeypatch.undo()
    assert Progress(tmp_path).hints_taken("01-lab", "a") == 1
    assert (tmp_path / FILE).read_bytes() == before


def test_a_newer_file_is_left_alone(tmp_path):
    Progress(tmp_path).take_hint("01-lab", "a", 3)
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    connection.close()
    before = (tmp_path / FILE).read_bytes()
    for use in (lambda p: p.standings(), lambda p: p.record(attempt()), lambda p: p.take_hint("01-lab", "a", 3)):
        with pytest.raises(StoreError, match="written by a newer cloudkata"):
            use(Progress(tmp_path))
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError):
        Progress(tmp_path).record(attempt())


def test_a_file_in_the_way_is_a_sentence(tmp_path):
    (tmp_path / "workspace").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Progress(tmp_path / "workspace").record(attempt())


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_progress import attempt
from cloudkata.study.progress import Progress
progress = Progress(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(int(sys.argv[3])):
    progress.record(attempt("passed", a1="passed", a2="passed", b1="passed"))
    print(number, flush=True)
"""


def writer(folder, count):
    here = os.path.dirname(os.path.abspath(__file__))
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), here, str(count)], stdout=subprocess.PIPE, text=True
    )


def test_two_processes_lose_nothing(tmp_path):
    both = [writer(tmp_path, 40) for _ in range(2)]
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert len(Progress(tmp_path).attempts("01-lab")) == 80


def test_killed_at_any_moment_it_holds_whole_attempts(tmp_path):
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    said = 0
    for _ in range(8):
        process = writer(tmp_path, 100_000)
        process.stdout.readline()
        moment = time.monotonic() + draw.uniform(0, 0.1)
        while time.monotonic() < moment:
            process.stdout.readline()
            said += 1
        process.send_signal(signal.SIGKILL)
        said += len(process.stdout.read().splitlines())
        process.wait()
        process.stdout.close()
        attempts = Progress(tmp_path).attempts("01-lab")
        assert all(each.checks == 3 for each in attempts)
        assert len(attempts) >= said  # what was reported as kept is there
    with Store(tmp_path).reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
