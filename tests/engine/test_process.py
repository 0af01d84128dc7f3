"""An engine starts with a line, stops without leaving anything, and says what is wrong in a sentence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cloudkata.engine import process
from cloudkata.engine.process import Engine, EngineError, sweep


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def until(condition, seconds: float = 10.0) -> bool:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (found := condition()) and time.monotonic() < deadline:
        pause.wait(0.02)
    return bool(found)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with Engine.start(folder=str(tmp_path_factory.mktemp("engine"))) as running:
        yield running


def test_a_started_engine_answers_and_knows_itself(engine):
    status = engine.status()
    assert (status["pid"], status["port"]) == (engine.pid, engine.port)
    assert status["behaviours"] == engine.behaviours != []
    assert engine.isolation in ("full", "none")


def test_stop_leaves_no_process_and_no_folder(tmp_path):
    engine = Engine.start(folder=str(tmp_path))
    assert list(tmp_path.iterdir()) == [engine.state]
    engine.stop()
    assert gone(engine.pid) and list(tmp_path.iterdir()) == []


def test_stop_twice_is_no_error(tmp_path):
    engine = Engine.start(folder=str(tmp_path))
    engine.stop()
    engine.stop()
    assert not engine.alive


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_ends_it_and_its_folder(tmp_path, number):
    with Engine.start(folder=str(tmp_path)) as engine:
        os.kill(engine.pid, number)
        assert until(lambda: not engine.alive)
        assert until(lambda: list(tmp_path.iterdir()) == [])


def test_a_dead_engine_is_reported_in_a_sentence(tmp_path):
    engine = Engine.start(folder=str(tmp_path))
    engine.stop()
    with pytest.raises(EngineError, match="the engine does not answer"):
        engine.status()


def test_leaving_the_context_stops_it_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), Engine.start(folder=str(tmp_path)) as engine:
        _ = 1 / 0
    assert not engine.alive and list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none_is_named(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(EngineError, match="nowhere to keep its files"):
        Engine.start(folder=str(file))


def test_an_unknown_behaviour_is_named_and_nothing_is_left(tmp_path):
    with pytest.raises(EngineError, match="there is no behaviour nonsense"):
        Engine.start(behaviours=["nonsense"], folder=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_factor_out_of_range_is_named(tmp_path):
    with pytest.raises(EngineError, match="from 1 to 10"):
        Engine.start(factor=99, folder=str(tmp_path))


def test_another_ministack_is_refused_by_its_number(tmp_path, monkeypatch):
    shadow = tmp_path / "shadow"
    (shadow / "ministack-9.9.9.dist-info").mkdir(parents=True)
    (shadow / "ministack-9.9.9.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: ministack\nVersion: 9.9.9\n"
    )
    monkeypatch.setattr(process, "_KEPT", (*process._KEPT, "PYTHONPATH"))
    monkeypatch.setenv("PYTHONPATH", str(shadow))
    with pytest.raises(EngineError, match=r"needs ministack 1\.5\.33, found 9\.9\.9"):
        Engine.start(folder=str(tmp_path))


def test_an_engine_that_is_never_ready_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "_START_SECONDS", 0.001)
    with pytest.raises(EngineError, match=r"not ready after 0\.001 seconds"):
        Engine.start(folder=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_sweep_takes_what_nobody_owns_and_nothing_else(tmp_path):
    left = tmp_path / "kata-engine-left"
    left.mkdir()
    (left / "owner.lock").write_text("")
    other = tmp_path / "something-else"
    other.mkdir()
    with Engine.start(folder=str(tmp_path)) as engine:  # starting sweeps
        assert not left.exists() and other.exists()
        assert sweep(tmp_path) == [] and engine.state.exists()


def test_no_variable_of_the_owner_reaches_the_engine(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real-secret")
    monkeypatch.setenv("AUTH", "false")
    with Engine.start(folder=str(tmp_path)) as engine:
        environment = Path(f"/proc/{engine.pid}/environ").read_bytes()
    assert b"real-secret" not in environment and b"AUTH=false" not in environment


def test_the_control_sockets_are_for_the_owner_alone(engine):
    for name in ("admin.sock", "ways.sock"):
        assert (engine.state / name).stat().st_mode & 0o777 == 0o600
    assert engine.state.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/nothing", {}),
        ("POST", "/keys", {"set": "nonsense"}),
        ("POST", "/keys", {}),
        ("POST", "/advance", {"seconds": -1}),
        ("POST", "/advance", {"seconds": "x"}),
        ("POST", "/factor", {"factor": 0}),
        ("POST", "/keys", ["set"]),
    ],
)
def test_what_the_control_socket_refuses_is_a_sentence(engine, method, path, body):
    with pytest.raises(EngineError, match="the engine refused: "):
        engine.ask(method, path, body)
    assert engine.alive


def test_keys_of_one_account_and_of_new_ones(engine):
    first = engine.issue("learner")
    assert engine.issue("checks", first.account).account == first.account
    assert engine.issue("learner").account != first.account
    assert len(first.account) == 12 and first.access_key_id.startswith("AKIA")


def test_the_clock_moves_forward_on_request(engine):
    before = engine.status()["now"]
    assert engine.advance(3600) >= before + 3600


def test_an_idle_engine_settles_at_once(engine):
    began = time.monotonic()
    assert engine.settle(5) == []
    assert time.monotonic() - began < 2


def test_the_request_log_knows_who_asked_for_what(engine):
    import boto3

    key = engine.issue("checks")
    before = engine.requests()["last"]
    boto3.client(
        "dynamodb",
        endpoint_url=engine.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
    ).list_tables()
    (entry,) = engine.requests(before, key.account)["entries"]
    assert (entry["key_set"], entry["operation"], entry["status"], entry["via"]) == (
        "checks",
        "ListTables",
        200,
        "loopback",
    )


def test_two_engines_share_nothing(engine, tmp_path):
    with Engine.start(folder=str(tmp_path)) as other:
        assert other.port != engine.port and other.state != engine.state


def test_when_its_owner_is_killed_so_is_it(tmp_path):
    source = (
        "import sys\nfrom cloudkata.engine.process import Engine\n"
        "e = Engine.start(folder=sys.argv[1])\nprint(e.pid, flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", source, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        pid = int(owner.stdout.readline())
        owner.kill()
        assert until(lambda: gone(pid)) and until(lambda: list(tmp_path.iterdir()) == [])


def test_a_folder_is_locked_before_it_has_the_name_that_is_swept(tmp_path, monkeypatch):
    renamed = Path.rename

    def rename(folder, target):
        assert sweep(tmp_path) == [] and folder.is_dir()
        made = renamed(folder, target)
        assert sweep(tmp_path) == [] and made.is_dir()
        return made

    monkeypatch.setattr(Path, "rename", rename)
    state, lock = process._make_state(tmp_path)
    os.close(lock)
    assert sweep(tmp_path) == [str(state)] and not state.exists()


def test_a_folder_whose_removal_was_cut_short_is_removed(tmp_path):
    """Whoever removes one takes its lock away with the rest, in no order, and may be killed in between."""
    state = tmp_path / "kata-engine-half"
    (state / "s3").mkdir(parents=True)
    assert sweep(tmp_path) == [str(state)] and not state.exists()
