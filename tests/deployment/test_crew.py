"""The processes that checks call learner code in: lent, kept, ended, made good."""

import threading
import time

import pytest

from cloudkata.deployment.crew import Crew
from cloudkata.targets.embedded import EmbeddedTarget

SCRIPT = """
import os
import time

calls = 0


def count(lab):
    global calls
    calls += 1
    return [os.environ["AWS_ACCESS_KEY_ID"], calls, lab.outputs]


def hang(lab):
    print("hanging", flush=True)
    time.sleep(60)


def leave(lab):
    os._exit(0)
"""


@pytest.fixture(scope="module")
def session():
    with EmbeddedTarget() as target:
        yield target.session("00")


@pytest.fixture
def crew(session, tmp_path):
    folder = tmp_path / "lab"  # which a sandbox's own user may enter
    folder.mkdir()
    (folder / "script.py").write_text(SCRIPT)
    files = dict.fromkeys(("count", "hang", "leave"), "script.py")
    with Crew(folder, session, files, 2) as made:
        made.outputs = {"Table": "t"}
        yield made


def counted(caller):
    called = caller.call("count")
    assert not called.error
    return called.value[1]


def test_a_process_is_kept_for_the_next_who_asks(crew):
    with crew.lend() as first, crew.lend() as second:
        assert first is not second
        assert [counted(first), counted(first), counted(second)] == [1, 2, 1]
    with crew.lend() as one, crew.lend() as other:
        assert {counted(one), counted(other)} == {3, 2}


def test_more_are_started_than_were_expected(crew):
    with crew.lend(), crew.lend(), crew.lend() as third:
        assert counted(third) == 1


def test_functions_see_the_outputs(crew):
    with crew.lend() as caller:
        assert caller.call("count").value[2] == {"Table": "t"}


@pytest.mark.parametrize("how", ["leave", "hang"])
def test_one_that_was_lost_is_replaced(crew, how):
    with crew.lend() as caller:
        called = caller.call(how, seconds=0.5)
        assert called.lost and called.error
        assert not caller.usable
    for _ in range(3):
        with crew.lend() as other:
            assert other is not caller
            counted(other)


def test_a_call_that_is_cut_off_ends_at_once(crew):
    with crew.lend() as caller:
        counted(caller)
        threading.Timer(0.2, caller.kill).start()
        began = time.monotonic()
        assert caller.call("hang", seconds=30).lost
        assert time.monotonic() - began < 10
