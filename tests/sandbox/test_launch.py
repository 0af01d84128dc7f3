"""A sandbox starts, is frozen and thawed, ends for memory, and shows nothing of itself in a list of processes."""

from __future__ import annotations

import select
import struct
import threading
import time
from pathlib import Path

import pytest

from cloudkata.sandbox import isolation as isolation_module
from cloudkata.sandbox import seccomp
from cloudkata.sandbox.isolation import DISABLE_ENV, isolation
from cloudkata.sandbox.launch import Program, start
from cloudkata.sandbox.memory import descendants, resident_bytes

PROGRAM = """
import os, socket, sys, time

def main(control):
    link = socket.socket(fileno=control)
    link.sendall(("%s " % os.environ.get("MARK")).encode())
    for line in link.makefile("rb"):
        exec(line.decode())
"""
SECRET = "not-for-the-list-of-processes"


def until(condition, seconds: float = 10.0) -> bool:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (found := condition()) and time.monotonic() < deadline:
        pause.wait(0.01)
    return bool(found)


@pytest.fixture
def run(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    tmp_path.chmod(0o755)
    started = []

    def starting(**options):
        program = Program(
            module="program",
            readonly={"/var/task": str(tmp_path)},
            env={"MARK": SECRET},
            cwd="/var/task",
            port=0,
            path_last=["/var/task"],
            **options,
        )
        sandboxed = start(program, stdout=2, stderr=2)
        started.append(sandboxed)
        assert heard(sandboxed) == SECRET
        return sandboxed

    yield starting
    for sandboxed in started:
        sandboxed.kill()


def tell(sandboxed, line: str) -> None:
    sandboxed.control.sendall(line.encode() + b"\n")


def heard(sandboxed, seconds: float = 10.0) -> str:
    """What it says next, up to a space."""
    text, deadline = b"", time.monotonic() + seconds
    waiting = select.poll()
    waiting.register(sandboxed.control, select.POLLIN)
    while not text.endswith(b" ") and waiting.poll(max(0, deadline - time.monotonic()) * 1000):
        chunk = sandboxed.control.recv(1)
        if not chunk:
            break
        text += chunk
    return text.decode().strip()


def states(sandboxed) -> list[str]:
    """The state of the program and of each process that it started, as a letter."""
    found = [Path(f"/proc/{pid}/stat").read_text() for pid in descendants(sandboxed.process.pid)[2:]]
    return [text.rpartition(")")[2].split()[0] for text in found]


needs_namespaces = pytest.mark.isolated("namespaces are what it is about")


def test_settings_are_on_no_command_line(run):
    sandboxed = run()
    for pid in descendants(sandboxed.process.pid):
        assert SECRET.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_the_status_of_its_end_is_known(run):
    sandboxed = run()
    tell(sandboxed, "os._exit(7)")
    assert sandboxed.exit_code(10) == 7


def test_a_signal_is_negative(run):
    sandboxed = run()
    tell(sandboxed, "os.kill(os.getpid(), 9)")
    assert sandboxed.exit_code(10) == -9


def test_kill_takes_all_it_started_and_may_be_repeated(run):
    sandboxed = run()
    tell(sandboxed, "[os.fork() or time.sleep(60) for _ in range(3)]; link.sendall(b'forked ')")
    assert heard(sandboxed) == "forked"
    pids = descendants(sandboxed.process.pid)
    sandboxed.kill()
    sandboxed.kill()
    assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


@needs_namespaces
def test_what_is_frozen_says_nothing_until_it_is_thawed(run):
    sandboxed = run()
    sandboxed.freeze()
    assert until(lambda: sandboxed.at_rest)
    tell(sandboxed, "link.sendall(b'here ')")
    assert heard(sandboxed, 0.2) == ""
    sandboxed.thaw()
    assert heard(sandboxed) == "here"


@needs_namespaces
def test_what_it_started_is_frozen_too(run):
    sandboxed = run()
    tell(sandboxed, "os.fork() or time.sleep(60); link.sendall(b'parent ')")
    assert heard(sandboxed) == "parent"
    sandboxed.freeze()
    assert until(lambda: sandboxed.at_rest)
    # a process that waits for a processor is only shown as stopped once it would have had one
    assert until(lambda: states(sandboxed) == ["T", "T"]), states(sandboxed)


def test_too_much_memory_ends_it(run):
    sandboxed = run(memory_bytes=64 << 20)
    tell(sandboxed, "block = b'x' * (256 << 20); time.sleep(60)")
    assert until(lambda: sandboxed.process.poll() is not None)
    assert sandboxed.out_of_memory


def test_memory_within_the_limit_does_not(run):
    sandboxed = run(memory_bytes=256 << 20)
    tell(sandboxed, "block = b'x' * (64 << 20); link.sendall(b'held ')")
    assert heard(sandboxed) == "held"
    assert resident_bytes(sandboxed.process.pid) > 64 << 20
    assert not sandboxed.out_of_memory


def test_switched_off_by_its_variable(monkeypatch):
    monkeypatch.setenv(DISABLE_ENV, "1")
    found = isolation_module.isolation.__wrapped__()
    assert (found.level, found.full) == ("none", False)
    assert DISABLE_ENV in found.reason


def test_without_bubblewrap_the_reason_names_it(monkeypatch):
    monkeypatch.delenv(DISABLE_ENV, raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "bwrap" in isolation_module.isolation.__wrapped__().reason


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_jump_of_the_filter_stays_in_it(machine):
    data = seccomp.program(machine)
    steps = [struct.unpack_from("=HBBI", data, at) for at in range(0, len(data), 8)]
    for at, (code, yes, no, _) in enumerate(steps):
        if code & 0x07 == 0x05:
            assert at + 1 + max(yes, no) < len(steps)
    assert steps[-1] == (0x06, 0, 0, 0x7FFF0000)


def test_an_unknown_machine_has_no_filter():
    assert seccomp.program("vax") == b""


def test_a_program_without_a_port_gets_no_way_out(run):
    sandboxed = run()
    tell(sandboxed, "link.sendall(b','.join(n.encode() for _, n in socket.if_nameindex()) + b' ')")
    if isolation().full:
        assert heard(sandboxed) == "lo"


@needs_namespaces
def test_two_sandboxes_do_not_meet(run):
    first, second = run(), run()
    tell(first, "s = socket.create_server(('127.0.0.1', 7001)); link.sendall(b'listening ')")
    assert heard(first) == "listening"
    tell(second, "link.sendall(b'%d ' % socket.socket().connect_ex(('127.0.0.1', 7001)))")
    assert heard(second) not in ("0", "")
