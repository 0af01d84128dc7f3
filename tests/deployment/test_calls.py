"""Calls of a learner's functions: a folder as an argument, and a process that is stopped for a while."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from cloudkata.deployment.learner import Caller, Folder
from cloudkata.targets.embedded import EmbeddedTarget

SCRIPT = """
import io
import os
import time
import zipfile


def look(lab, folder, more):
    with zipfile.ZipFile(io.BytesIO(lab.package(folder))) as archive:
        return [folder, {name: archive.read(name).decode() for name in archive.namelist()}, more]


def is_there(lab, folder):
    return os.path.exists(folder)


def count(lab, seconds):
    last = time.monotonic()
    end, longest = last + seconds, 0.0
    print("counting", flush=True)
    while last < end:
        time.sleep(0.005)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    return longest
"""
FILES = {"handler.py": "def handler(event, context):\n    return 'ä'\n", "more/data.txt": "1"}
PAUSE_SECONDS = 0.3


@pytest.fixture(scope="module")
def caller_of(tmp_path_factory):
    folder = tmp_path_factory.mktemp("script") / "lab"  # which a sandbox's own user may enter
    folder.mkdir()
    (folder / "script.py").write_text(SCRIPT)
    with EmbeddedTarget() as target:
        session, files, made = target.session("00"), dict.fromkeys(("look", "is_there", "count"), "script.py"), []

        def start():
            made.append(Caller(folder, session, files))
            return made[-1]

        yield start
        for caller in made:
            caller.close()


@pytest.fixture(scope="module")
def caller(caller_of):
    return caller_of()


def test_a_folder_is_given_as_a_path_that_can_be_packaged(caller):
    called = caller.call("look", Folder(FILES), {"a": 1})
    assert not called.error
    path, files, more = called.value
    assert (files, more) == (FILES, {"a": 1})
    assert path.startswith("/")


def test_a_folder_is_gone_after_its_call(caller):
    path = caller.call("look", Folder(FILES), 0).value[0]
    assert caller.call("is_there", path).value is False


def test_each_folder_has_its_own_path(caller):
    assert caller.call("look", Folder({"a.py": "1"}), 0).value[1] == {"a.py": "1"}
    assert caller.call("look", Folder({"b.py": "2"}), 0).value[1] == {"b.py": "2"}


def test_a_call_that_took_too_long_goes_on_no_longer(caller_of):
    caller = caller_of()
    called = caller.call("count", 60, seconds=0.3)
    assert called.lost and not caller.usable
    assert "did not finish within 0.3 seconds" in called.error
    assert caller._child._sandboxed.process.wait(10) != 0


def test_a_paused_process_stands_still_and_goes_on_after_it(caller):
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(caller.call, "count", 5 * PAUSE_SECONDS)
        while "counting" not in caller._child.printed:
            assert not running.done()
        with caller.paused(), pytest.raises(TimeoutError):
            running.result(PAUSE_SECONDS)
        called = running.result()
    assert not called.error
    assert called.value >= PAUSE_SECONDS * 0.9
