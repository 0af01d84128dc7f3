"""Results that are kept, the secret that inputs are drawn from, and who is let in when."""

import contextlib
import json
import os
import stat
import threading

import pytest

from cloudkata.course import CourseError
from cloudkata.engine.remote import EngineError
from cloudkata.grading.cohort.admission import Admission, memory_here
from cloudkata.grading.cohort.results import Result, Store, result_of, steady
from cloudkata.grading.cohort.run import Patience
from cloudkata.grading.cohort.secret import read_secret, seed_of
from cloudkata.grading.cohort.tray import MB

LAB = "00-table"
ADA = Result("ada", "ada-1", LAB, "passed", 1.0)


def test_a_result_is_read_back(tmp_path):
    with Store(tmp_path / "out", LAB).opened(resume=False) as store:
        store.put(ADA)
        assert store.all() == {"ada-1": ADA}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": "x"}', '{"schema": "cloudkata.result/1", "learner": "ada"}', "\x00"]
)
def test_a_damaged_result_counts_as_none(text, tmp_path):
    with Store(tmp_path, LAB).opened(resume=False) as store:
        store.put(ADA)
        (tmp_path / "results" / "bob-2.json").write_text(text)
        assert set(store.all()) == {"ada-1"}


def test_a_write_that_is_cut_short_leaves_the_result_as_it_was(tmp_path, monkeypatch):
    with Store(tmp_path, LAB).opened(resume=False) as store:
        store.put(ADA)

        def cut(_):
            raise OSError("no room")

        monkeypatch.setattr(os, "fsync", cut)
        with pytest.raises(OSError, match="no room"):
            store.put(Result("ada", "ada-1", LAB, "failed"))
        assert store.all() == {"ada-1": ADA}


def test_results_that_are_there_are_kept_unless_one_goes_on_with_them(tmp_path):
    with Store(tmp_path, LAB).opened(resume=False) as store:
        store.put(ADA)
    with pytest.raises(CourseError, match="--resume"), Store(tmp_path, LAB).opened(resume=False):
        pass
    with Store(tmp_path, LAB).opened(resume=True) as store:
        assert store.all() == {"ada-1": ADA}


def test_results_of_another_lab_are_not_added_to(tmp_path):
    with Store(tmp_path, LAB).opened(resume=False):
        pass
    with pytest.raises(CourseError, match=LAB), Store(tmp_path, "01-script").opened(resume=True):
        pass


def test_one_run_has_the_results_for_itself(tmp_path):
    with (
        Store(tmp_path, LAB).opened(resume=False),
        pytest.raises(CourseError, match="at work"),
        Store(tmp_path, LAB).opened(resume=True),
    ):
        pass


def report(**changes):
    checks = [
        {"id": f"00.{name}", "status": status, "claim": f"It is {name}."}
        for name, status in (("up", "passed"), ("blue", "blocked"), ("down", "failed"))
    ]
    return {"status": "failed", "score": 0.5, "seconds": 1.0, "problem": "", "checks": checks} | changes


def test_the_reason_names_the_check_that_failed_before_those_it_blocked():
    found = result_of(report(), "ada", "ada-1", LAB)
    assert (found.status, found.score) == ("failed", 0.5)
    assert found.reason == "2 of 3 checks did not pass; first 00.down: It is down."


def test_a_pass_needs_no_reason():
    assert result_of(report(status="passed", score=1.0), "ada", "ada-1", LAB).reason == ""


def test_a_reason_is_the_same_from_run_to_run():
    first = (
        "kata05-1a2b-x in 123456789012 at http://127.0.0.1:4711/\n  5f0c1d2e-0000-4000-8000-00112233aabb <f at 0x7f00>"
    )
    second = (
        "kata05-9f00-x in 210987654321 at http://127.0.0.1:40001/ 00000000-1111-4000-8000-ffffffffffff <f at 0x7fff12>"
    )
    assert steady(first) == steady(second)
    assert steady("the table orders-2024 has 12 items") == "the table orders-2024 has 12 items"
    assert len(steady("x" * 5000)) <= 300


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path):
    file = tmp_path / "deep" / "secret"
    first = read_secret(file)
    assert len(first) >= 32 and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_secret(file) == first
    assert os.listdir(file.parent) == ["secret"]
    assert read_secret(tmp_path / "other") != first


def test_two_who_make_a_secret_at_once_have_the_same(tmp_path):
    found, barrier = [], threading.Barrier(8)

    def read():
        barrier.wait()
        found.append(read_secret(tmp_path / "secret"))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1


def loose(file):
    file.write_bytes(b"x" * 64)
    file.chmod(0o644)


def linked(file):
    (file.parent / "real").write_bytes(b"x" * 64)
    (file.parent / "real").chmod(0o600)
    file.symlink_to(file.parent / "real")


def short(file):
    file.write_bytes(b"x")
    file.chmod(0o600)


@pytest.mark.parametrize("make", [loose, linked, short])
def test_a_secret_that_is_none_is_refused(make, tmp_path):
    make(tmp_path / "secret")
    with pytest.raises(CourseError, match="secret"):
        read_secret(tmp_path / "secret")


def test_a_seed_follows_from_secret_learner_and_lab_alone():
    seed = seed_of(b"k" * 32, "ada", LAB)
    assert seed == seed_of(b"k" * 32, "ada", LAB) and 0 <= seed < 1 << 32
    others = {seed_of(b"l" * 32, "ada", LAB), seed_of(b"k" * 32, "bob", LAB), seed_of(b"k" * 32, "ada", "01-script")}
    assert len(others | {seed}) == 4
    assert seed_of(b"k" * 32, "\udcff", LAB) != seed_of(b"k" * 32, "\udcfe", LAB)


def test_a_seed_is_none_that_can_be_made_by_other_ends():
    """Where the learner's name ends and the lab's begins is part of what is hashed."""
    assert seed_of(b"k" * 32, "a", "b-c") != seed_of(b"k" * 32, "a\0b", "-c")


@pytest.mark.parametrize(
    ("cores", "available", "wanted"), [(4, 100_000, 4), (4, 1200, 1), (4, 100, 1), (1, 100_000, 1), (4, 1700, 2)]
)
def test_as_many_run_as_there_are_cores_and_memory_for(cores, available, wanted):
    inside = []
    admission = Admission(cores, lambda: (4000 * MB, (available - 500 * len(inside)) * MB))
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            slot = stack.enter_context(admission.admitted(lambda: True))  # who does not get in at once leaves
            if slot is not None:
                slot.measured(500 * MB)
                inside.append(slot)
        assert len(inside) == wanted


def test_who_waits_gets_in_when_another_leaves():
    admission, order = Admission(1, lambda: (0, 0)), []

    def second():
        with admission.admitted() as slot:
            order.append(slot is not None)

    with admission.admitted():
        waiting = threading.Thread(target=second)
        waiting.start()
        order.append("first")
    waiting.join(10)
    assert order == ["first", True]


def test_what_is_set_aside_follows_what_was_measured():
    admission = Admission(1, lambda: (0, 0))
    first = admission.need
    for size in (300, 310, 320, 5000):  # one that takes much is no measure for the others
        with admission.admitted() as slot:
            slot.measured(size * MB)
            slot.measured(10 * MB)
    assert 320 * MB <= admission.need < 400 * MB < first


def test_one_attempt_gets_no_more_than_its_share():
    assert Admission(4, lambda: (8000 * MB, 1)).share(2048 * MB) == 1600 * MB
    assert Admission(2, lambda: (64_000 * MB, 1)).share(2048 * MB) == 2048 * MB


def test_memory_is_read_here():
    total, available = memory_here()
    assert 0 < available < total


def test_a_result_is_json_that_others_can_read(tmp_path):
    with Store(tmp_path, LAB).opened(resume=False) as store:
        store.put(Result("é", "e-1", LAB, "refused", reason="\udcff".encode("utf-8", "replace").decode()))
        found = json.loads((tmp_path / "results" / "e-1.json").read_text(encoding="utf-8"))
    assert found["schema"] == "cloudkata.result/1" and found["learner"] == "é"


def test_nothing_but_faults_is_given_up():
    fault, verdict, refused = (Result("x", "x-1", LAB, status) for status in ("error", "failed", "refused"))
    patience = Patience()
    with pytest.raises(EngineError, match="our fault"):
        for _ in range(20):
            patience.seen(fault)
            patience.seen(refused)
    patience = Patience()
    patience.seen(verdict)
    for _ in range(20):
        patience.seen(fault)
