"""The clock, the count of what is going on, frames, and the store of unpacked code."""

from __future__ import annotations

import io
import json
import os
import socket
import struct
import threading
import time
import zipfile
from pathlib import Path

import pytest

from cloudkata.engine.activity import Activity
from cloudkata.engine.clock import AwsClock
from cloudkata.engine.frames import FrameError, FrameReader, pack
from cloudkata.engine.packages import CodeStore, PackageError, runtime_packages


def test_the_clock_runs_faster_by_its_factor():
    clock = AwsClock(10)
    aws, real = clock.now(), time.monotonic()
    clock.sleep(0.5)
    assert clock.now() - aws >= 0.5
    assert time.monotonic() - real < 0.4


def test_advancing_wakes_who_is_due():
    clock, woken = AwsClock(), threading.Event()
    thread = threading.Thread(target=lambda: (clock.sleep(3600), woken.set()))
    thread.start()
    while not clock._sleepers:
        pass
    clock.advance(3600)
    assert woken.wait(5)
    thread.join()


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_time_does_not_go_back(seconds):
    with pytest.raises(ValueError, match="forward"):
        AwsClock().advance(seconds)


@pytest.mark.parametrize("factor", [0, 0.5, 11, float("nan")])
def test_a_factor_out_of_range_is_refused(factor):
    with pytest.raises(ValueError, match="from 1 to 10"):
        AwsClock(factor)


def test_waiting_for_an_event_ends_with_it():
    event = threading.Event()
    event.set()
    assert AwsClock().wait(event, 60) is True
    assert AwsClock(10).wait(threading.Event(), 0.1) is False


def test_activity_is_pending_until_it_is_over():
    activity = Activity()
    with activity.busy("invocation"):
        assert activity.pending() == ["1 invocation"]
        assert activity.settle(0.05) == ["1 invocation"]
    assert activity.settle(1) == []


def test_settle_waits_for_work_that_a_probe_names():
    activity, due = Activity(), ["a retry"]
    activity.probe(lambda: list(due))
    timer = threading.Timer(0.1, due.clear)
    timer.start()
    assert activity.settle(5) == []
    assert due == []
    timer.join()


def reader():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    return FrameReader(ours), ours, theirs


def test_a_frame_arrives_in_pieces():
    frames, ours, theirs = reader()
    with ours, theirs:
        data = pack({"op": "next"}, b"body")
        theirs.sendall(data[:7])
        frames.pump()
        assert frames.take() is None
        theirs.sendall(data[7:])
        frames.pump()
        frame = frames.take()
        assert (frame.head, frame.body) == ({"op": "next"}, b"body")
        assert frames.take() is None


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("!II", 1 << 20, 0),
        struct.pack("!II", 2, 1 << 30),
        struct.pack("!II", 2, 0) + b"[]",
        struct.pack("!II", 2, 0) + b"{x",
    ],
    ids=["long-head", "long-body", "no-object", "no-json"],
)
def test_what_is_no_frame_is_an_error(data):
    frames, ours, theirs = reader()
    with ours, theirs:
        theirs.sendall(data)
        frames.pump()
        with pytest.raises(FrameError):
            frames.take()


def test_the_end_of_the_stream_is_an_error():
    frames, ours, theirs = reader()
    with ours:
        theirs.close()
        with pytest.raises(FrameError, match="closed"):
            frames.pump()


def test_the_last_frame_before_the_end_is_taken_first():
    frames, ours, theirs = reader()
    with ours:
        theirs.sendall(pack({"op": "init-error"}, b"why"))
        theirs.close()
        assert frames.pump()
        assert frames.take().body == b"why"
        with pytest.raises(FrameError, match="closed"):
            frames.pump()


def zipped(files: dict[str, str], executable: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o755 if name == executable else 0o600) << 16
            file.writestr(info, text)
    return buffer.getvalue()


@pytest.fixture
def store(tmp_path):
    return CodeStore(tmp_path / "code")


def test_equal_code_shares_a_folder(store):
    one, same, other = (store.folder([zipped({"a.py": text})]) for text in ("1", "1", "2"))
    assert one == same != other
    assert Path(one, "a.py").read_text() == "1"


def test_later_layers_lie_over_earlier_ones(store):
    folder = store.folder([zipped({"a": "first", "b": "first"}), zipped({"a": "second"})])
    assert (Path(folder, "a").read_text(), Path(folder, "b").read_text()) == ("second", "first")


def test_code_is_readable_for_the_functions_user(store):
    folder = store.folder([zipped({"sub/a.py": "", "run": ""}, executable="run")])
    assert os.stat(folder).st_mode & 0o777 == 0o755
    assert os.stat(f"{folder}/sub/a.py").st_mode & 0o777 == 0o644
    assert os.stat(f"{folder}/run").st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"no zip",
        zipped({"a": "x", "a/b": "x"}),
        zipped({"n" * 300: "x"}),
        zipped({"a": "x" * 1000})[:-30],
    ],
    ids=["empty", "no-zip", "file-and-folder", "long-name", "cut"],
)
def test_an_archive_that_cannot_be_unpacked_leaves_nothing(store, tmp_path, archive):
    with pytest.raises(PackageError):
        store.folder([archive])
    assert list((tmp_path / "code").iterdir()) == []


def test_layers_and_code_share_one_limit(store, monkeypatch):
    monkeypatch.setattr("cloudkata.engine.packages.UNZIPPED_BYTES", 1500)
    store.folder([zipped({"a": "x" * 1000})])
    with pytest.raises(PackageError, match="Unzipped size"):
        store.folder([zipped({"a": "x" * 1000}), zipped({"b": "x" * 1000})])


def test_the_runtimes_packages_are_found(tmp_path):
    found = runtime_packages()
    assert {"boto3", "botocore", "awslambdaric", "six.py"} <= set(found)
    with pytest.raises(ImportError, match="install cloudkata again"):
        runtime_packages(("no_such_package",))


def test_frames_survive_any_head():
    frames, ours, theirs = reader()
    with ours, theirs:
        theirs.sendall(pack({"text": "é\x00"}, b""))
        frames.pump()
        assert json.dumps(frames.take().head) == json.dumps({"text": "é\x00"})
