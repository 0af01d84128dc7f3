"""Builds the command line of a sandbox and starts it."""

from __future__ import annotations

import glob
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cloudkata.sandbox import memory
from cloudkata.sandbox.isolation import isolation, namespace_options
from cloudkata.sandbox.spawner import popen

INSIDE = Path(__file__).with_name("inside")
CONTROL_FD_NAME = "control"
# A range no distribution hands out; each sandbox draws its own, so that limits and signals stay its own.
_UID_FIRST, _UID_LAST = 1_610_612_736, 2_147_000_000
_PROCESSES = 1024  # what an execution environment of AWS Lambda allows
_OPEN_FILES = 1024  # the same
_FILE_BYTES = 1 << 30


class SandboxError(Exception):
    """A sandbox could not be started on this machine."""


@dataclass(frozen=True)
class Program:
    """What runs in a sandbox.

    `module` has a main(control) that is called with the descriptor of the control socket. `readonly` maps a path
    inside to a path outside. `path_first` and `path_last` go around the standard library on sys.path.
    `port` is the front door's, or 0 for no way out at all. Paths are translated for machines without namespaces.
    """

    module: str
    readonly: Mapping[str, str]
    env: Mapping[str, str]
    cwd: str
    port: int
    args: Sequence[str] = ()
    path_first: Sequence[str] = ()
    path_last: Sequence[str] = ()
    tmp_bytes: int = 512 << 20
    processes: int = _PROCESSES
    outside_tmp: str = ""  # used as /tmp where there are no namespaces
    limits: Mapping[str, int] = field(default_factory=dict)


class Sandboxed:
    """A started program: its process, its control socket and, in namespaces, its listener for the front door."""

    def __init__(self, process: subprocess.Popen, control: socket.socket, lifeline: int) -> None:
        self.process = process
        self.control = control
        self._lifeline = lifeline

    def receive_listener(self, timeout: float) -> socket.socket:
        """The socket on the sandbox's own loopback that the front door must answer. Raises SandboxError."""
        self.control.settimeout(timeout)
        try:
            data, descriptors, _, _ = socket.recv_fds(self.control, 1, 1)
        except (OSError, TimeoutError) as error:
            raise SandboxError(f"the sandbox did not start: {error}") from error
        finally:
            self.control.settimeout(None)
        if data != b"L" or not descriptors:
            raise SandboxError("the sandbox did not start")
        return socket.socket(fileno=descriptors[0])

    def resident_bytes(self) -> int:
        return memory.resident_bytes(self.process.pid)

    def kill(self) -> None:
        """End the program and everything it started, and collect it. Safe to call twice."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        if self.process.poll() is None:
            if isolation().full:
                # bubblewrap's child is the first process of the namespace: the kernel ends all others with it.
                for pid in memory.descendants(self.process.pid)[1:2]:
                    _signal(os.kill, pid)
                _signal(os.kill, self.process.pid)
            else:
                _signal(os.killpg, self.process.pid)
            self.process.wait()
        self.control.close()

    def exit_code(self, seconds: float) -> int:
        """Wait for the end, then make it. Negative is a signal, as with subprocess (bubblewrap says 128+n)."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self.process.wait()
        return 128 - code if code > 128 else code


def _signal(send, pid: int) -> None:
    try:
        send(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def python_home() -> str:
    """The folder of the interpreter inside a sandbox, or "" where the system's own /usr serves."""
    return "" if Path(sys.base_prefix).resolve() == Path("/usr") else "/var/lang"


def _interpreter_outside() -> str:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for name in (version, "python3", "python"):
        found = Path(sys.base_prefix, "bin", name)
        if found.exists():
            return str(found)
    return os.path.realpath(sys.executable)


def _system_mounts() -> list[str]:
    """The parts of the system a Python program needs, with no package of the host's and no home folder."""
    options: list[str] = []
    # bubblewrap makes missing parents for root alone, and the program is not root
    for path in ("/usr", "/usr/share", "/var", "/opt", "/etc"):
        options += ["--perms", "0755", "--dir", path]
    for path in ("/usr/bin", "/usr/lib", "/usr/lib64", "/usr/lib32", "/usr/share/zoneinfo"):
        if os.path.isdir(path):
            options += ["--ro-bind", path, path]
    for name in ("bin", "lib", "lib64", "lib32"):
        path = f"/{name}"
        if os.path.islink(path):
            options += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            options += ["--ro-bind", path, path]
    home = python_home()
    hidden = glob.glob("/usr/lib/python3*/dist-packages") + glob.glob("/usr/lib/python3*/site-packages")
    if home:
        options += ["--ro-bind", os.path.realpath(sys.base_prefix), home]
        base = os.path.realpath(sys.base_prefix)
        for found in glob.glob(f"{base}/lib/python3*/*-packages"):
            hidden.append(home + found[len(base) :])
    for path in hidden:
        options += ["--tmpfs", path]
    return options


def _bwrap_argv(program: Program, uid: int, control: int) -> list[str]:
    found = isolation()
    argv = [found.bwrap, *namespace_options(found), *_system_mounts()]
    argv += ["--dev", "/dev", "--proc", "/proc", "--perms", "1777", "--size", str(program.tmp_bytes), "--tmpfs", "/tmp"]
    argv += ["--ro-bind", str(INSIDE), "/var/kata"]
    for folder in sorted({os.path.dirname(inside) for inside in program.readonly} - {"/"}):
        argv += ["--perms", "0755", "--dir", folder]
    for inside, outside in sorted(program.readonly.items()):
        argv += ["--ro-bind", os.path.realpath(outside), inside]
    for name, value in {**program.env, "LD_LIBRARY_PATH": "/var/lang/lib:/opt/lib"}.items():
        argv += ["--setenv", name, value]
    argv += ["--remount-ro", "/", "--chdir", program.cwd, "--"]
    if found.drop_uid:
        argv += ["/usr/bin/setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups"]
        argv += ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = f"{python_home()}/bin/{version}" if python_home() else f"/usr/bin/{version}"
    return [*argv, python, "-I", "-S", "-u", "/var/kata/init.py", _init_config(program, control, -1)]


def _init_config(program: Program, control: int, lifeline: int, translate=lambda path: path) -> str:
    limits = {"CORE": 0, "NOFILE": _OPEN_FILES, "FSIZE": _FILE_BYTES, "NPROC": _process_limit(program), **program.limits}
    inside = str(INSIDE) if lifeline >= 0 else "/var/kata"
    return json.dumps(
        {
            "limits": limits,
            "port": 0 if lifeline >= 0 else program.port,
            "control": control,
            "lifeline": lifeline,
            "module": program.module,
            "args": [translate(word) for word in program.args],
            "path_first": [translate(path) for path in program.path_first],
            "path_last": [*(translate(path) for path in program.path_last), inside],
        }
    )


def _process_limit(program: Program) -> int:
    """RLIMIT_NPROC counts the processes of a user: a sandbox's own uid has none, a person's has some already."""
    if os.geteuid() == 0:
        return program.processes
    mine = 0
    for status in glob.glob("/proc/[0-9]*/status"):
        try:
            with open(status, encoding="utf-8", errors="replace") as file:
                fields = dict(line.split(":", 1) for line in file if ":" in line)
        except OSError:
            continue
        if fields.get("Uid", "").split()[:1] == [str(os.getuid())]:
            mine += int(fields.get("Threads", "1"))
    return mine + program.processes


def start(program: Program, *, stdout: int, stderr: int) -> Sandboxed:
    """Start `program` in namespaces of its own, or without where this machine has none.

    Raises SandboxError when the process cannot be started. The caller must call kill().
    """
    ours, theirs = socket.socketpair()
    lifeline_read = lifeline_write = -1
    try:
        options: dict = {"stdin": subprocess.DEVNULL, "stdout": stdout, "stderr": stderr, "close_fds": True}
        if isolation().full:
            uid = random.SystemRandom().randint(_UID_FIRST, _UID_LAST)
            argv = _bwrap_argv(program, uid, theirs.fileno())
            process = popen(argv, pass_fds=(theirs.fileno(),), env={}, **options)
        else:
            lifeline_read, lifeline_write = os.pipe()
            argv, env, cwd = _plain_argv(program, theirs.fileno(), lifeline_read)
            process = popen(
                argv, pass_fds=(theirs.fileno(), lifeline_read), env=env, cwd=cwd, start_new_session=True, **options
            )
    except OSError as error:
        ours.close()
        if lifeline_write >= 0:
            os.close(lifeline_write)
        raise SandboxError(f"the sandbox did not start: {error}") from error
    finally:
        theirs.close()
        if lifeline_read >= 0:
            os.close(lifeline_read)
    return Sandboxed(process, ours, lifeline_write)


def _plain_argv(program: Program, control: int, lifeline: int) -> tuple[list[str], dict[str, str], str]:
    """Without namespaces the paths inside are replaced by those outside, wherever a whole path names one."""

    def translate(text: str) -> str:
        for inside, outside in sorted(program.readonly.items(), reverse=True):
            if text == inside or text.startswith(inside + "/"):
                return outside + text[len(inside) :]
        return text

    env = {name: translate(value) for name, value in program.env.items()}
    if program.outside_tmp:
        env |= {"TMPDIR": program.outside_tmp, "HOME": program.outside_tmp}
    config = _init_config(program, control, lifeline, translate)
    argv = [_interpreter_outside(), "-I", "-S", "-u", str(INSIDE / "init.py"), config]
    return argv, env, translate(program.cwd)


def raise_open_files() -> None:
    """Lift this process's own limit of open files as far as allowed: each sandbox needs a few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
