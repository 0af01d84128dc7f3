"""Memory, processes, output, time and disk run out inside, and only there."""

from __future__ import annotations

import os
import time

import pytest

from .conftest import FUNCTION, HERE, invoke, make_function, until


@pytest.fixture(scope="module")
def small(engine, learner):
    """A function with Lambda's own defaults, but for one second more than the tests of time need."""
    files = {"app.py": FUNCTION, "attacks.py": (HERE / "attacks.py").read_text()}
    make_function(engine, learner, "small", files, Timeout=3, MemorySize=128)

    def run(attack: str, **arguments):
        return invoke(engine, learner, "small", {"attack": attack, "arguments": arguments})

    return run


@pytest.fixture(autouse=True)
def engine_goes_on(engine, learner, victim):
    yield
    error, answer = invoke(engine, learner, "attacker", {"attack": "environment", "arguments": {}})
    assert error is None and answer["path"]
    assert victim.untouched(engine)


def used_bytes() -> int:
    with open("/proc/meminfo", encoding="ascii") as file:
        found = dict(line.split(":") for line in file)
    return (int(found["MemTotal"].split()[0]) - int(found["MemAvailable"].split()[0])) << 10


def test_two_gigabytes_end_with_lambdas_own_error(small):
    error, answer = small("allocate", megabytes=2048)
    assert error == "Unhandled"
    assert answer["errorType"] == "Runtime.ExitError"
    assert answer["errorMessage"].endswith("Runtime exited with error: signal: killed")


def test_two_gigabytes_of_shared_memory_end_the_same_way(small):
    error, answer = small("allocate_shared", megabytes=2048, processes=20)
    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ExitError")


def test_two_gigabytes_at_import_end_too(engine, learner):
    source = "blocks = [bytearray(b'x' * (16 << 20)) for _ in range(128)]\ndef handler(event, context):\n    return 1"
    make_function(engine, learner, "import-memory", {"app.py": source}, Timeout=5, MemorySize=128)
    error, answer = invoke(engine, learner, "import-memory", {})
    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ExitError")


def test_memory_that_belongs_to_no_process_is_refused(inside):
    answer = inside("allocate_hidden", megabytes=600)
    assert answer["megabytes"] == 0 and not answer["segment"], answer


def test_two_gigabytes_in_a_child_are_stopped(child):
    answer, _ = child.run("allocate", {"megabytes": 2048}, 20)
    assert answer is None and child.sandboxed.out_of_memory


def test_five_thousand_forks_are_stopped(inside):
    answer = inside("forks", number=5000)
    # what a person runs already may be counted as well: what is allowed comes on top of it
    assert answer["stopped"] == "EAGAIN" and answer["started"] <= (1024 if os.geteuid() == 0 else 2048)


def test_two_sandboxes_do_not_share_a_limit_of_processes(inside, child):
    assert inside("forks", number=400)["started"] == 400
    assert child.run("forks", {"number": 400})[0]["started"] == 400


def test_open_files_are_limited(inside):
    answer = inside("open_files", number=5000)
    assert answer["stopped"] == "EMFILE" and answer["opened"] <= 1024


@pytest.mark.parametrize("attack", ["spin", "spin_without_signals", "print_forever", "flood_control"])
def test_a_function_without_an_end_times_out(small, attack):
    began = time.monotonic()
    error, answer = small(attack)
    assert error == "Unhandled"
    assert answer["errorType"] in ("Sandbox.Timedout", "Runtime.ExitError")
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("attack", ["spin", "print_forever"])
def test_a_child_without_an_end_can_be_ended(child, attack):
    answer, said = child.run(attack, {}, 1)
    assert answer is None and len(said) <= 200_000
    child.close()
    assert child.sandboxed.process.poll() is not None


def test_endless_output_is_cut(engine, learner, small):
    small("print_forever")
    assert os.path.getsize(engine.state / "engine.log") < 10 << 20
    with open(f"/proc/{engine.pid}/statm", encoding="ascii") as file:
        assert int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") < 400 << 20


@pytest.mark.parametrize(
    "path", ["/tmp", "/dev/shm", "/dev", "/usr/lib/python3/dist-packages", "/var/task", "/opt", "/run"]
)
def test_no_folder_takes_more_than_its_size(inside, path):
    answer = inside("fill", path=path, megabytes=700)
    assert answer["megabytes"] <= 512 and answer["stopped"] in (
        "ENOSPC",
        "EROFS",
        "EACCES",
        "ENOENT",
        "EPERM",
        "SHORT",
    ), answer
    assert (answer["megabytes"] > 400) == (path == "/tmp")


def test_what_is_left_behind_stands_still(engine, learner):
    """AWS freezes an environment between two invocations; here nothing may run on unwatched either."""
    files = {"app.py": FUNCTION, "attacks.py": (HERE / "attacks.py").read_text()}
    make_function(engine, learner, "behind", files, Timeout=10)

    def count() -> int:
        return len(
            invoke(engine, learner, "behind", {"attack": "look", "arguments": {"path": "/tmp/count"}})[1].get(
                "seen", ""
            )
        )

    invoke(engine, learner, "behind", {"attack": "stay_behind", "arguments": {}})
    assert until(lambda: count() > 0)
    first = count()
    until(lambda: False, 1.0)  # 200 times what it counts by
    assert count() - first < 60


def test_false_frames_answer_only_for_the_function_itself(engine, learner, small, victim):
    error, _ = small(
        "false_frames", frames=[[{"op": "response", "id": "x"}, '"forged"'], [{"op": "next"}, ""], ["[]", ""]]
    )
    assert error in (None, "Unhandled")
    for _ in range(3):
        error, answer = small("environment")
        assert error is None and "names" in answer, answer


def test_too_long_a_frame_ends_the_environment_and_no_more(small):
    error, answer = small("false_frames", frames=[["x" * 70000, ""]])
    assert error == "Unhandled" and answer["errorType"] == "Runtime.ExitError"
