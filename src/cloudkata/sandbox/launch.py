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
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cloudkata.sandbox import memory, seccomp
from cloudkata.sandbox.isolation import isolation, namespace_options
from cloudkata.sandbox.spawner import popen

INSIDE = Path(__file__).with_name("inside")
# A range no distribution hands out; each sandbox draws its own, so that limits and signals stay its own.
_UID_FIRST, _UID_LAST = 1_610_612_736, 2_147_000_000
_PROCESSES = 1024  # what an execution environment of AWS Lambda allows
_OPEN_FILES = 1024  # the same
_FILE_BYTES = 1 << 30
_FREEZE_LOOKS = 20
_CONFIG_SECONDS = 10.0  # for a started program to take its configuration


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
    memory_bytes: int = 1 << 30  # resident, of all its processes together; it is ended beyond that
    outside_tmp: str = ""  # used as /tmp where there are no namespaces
    limits: Mapping[str, int] = field(default_factory=dict)


class Sandboxed:
    """A started program: its process, its control socket and, in namespaces, its listener for the front door."""

    def __init__(self, process: subprocess.Popen, control: socket.socket, lifeline: int) -> None:
        self.process = process
        self.control = control
        self.out_of_memory = False
        self._lifeline = lifeline
        self._ending = threading.RLock()
        self.at_rest = False  # frozen, with all it started
        self._main: list[int] = []
        self._frozen: list[int] = []

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

    def freeze(self) -> None:
        """Stop the program until thaw(), as AWS does between two invocations; nothing without namespaces.

        The program itself stops at once; what it started is stopped by the thread that watches memory, within
        some 20 ms: looking for it would take longer than many a function does.
        """
        if not isolation().full:
            return
        with self._ending:
            if not self._main:
                # after bubblewrap's own two processes, which only wait
                self._main = memory.descendants(self.process.pid)[2:3]
            self._frozen, self.at_rest = list(self._main), False
            for pid in self._main:
                _signal(os.kill, pid, signal.SIGSTOP)
        memory.wake()

    def freeze_rest(self) -> None:
        """Stop what the program started, where it is frozen. From the watching thread."""
        with self._ending:
            for _ in range(_FREEZE_LOOKS):
                if not self._frozen or self.process.returncode is not None:
                    return
                found = [pid for pid in memory.descendants(self.process.pid)[2:] if pid not in self._frozen]
                if not found:
                    self.at_rest = True
                    return
                for pid in found:
                    _signal(os.kill, pid, signal.SIGSTOP)
                self._frozen += found
            self._end()  # it makes processes faster than they can be stopped

    def thaw(self) -> None:
        """Let it go on."""
        with self._ending:
            for pid in self._frozen:
                _signal(os.kill, pid, signal.SIGCONT)
            self._frozen, self.at_rest = [], False
        memory.wake()

    def pause(self) -> None:
        """As freeze(), and without namespaces too: it is stopped in the middle of its work."""
        if isolation().full:
            self.freeze()
        else:
            _signal(os.killpg, self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        if isolation().full:
            self.thaw()
        else:
            _signal(os.killpg, self.process.pid, signal.SIGCONT)

    @property
    def frozen(self) -> bool:
        return bool(self._frozen)

    def end_for_memory(self) -> None:
        """End its processes, from another thread; whoever owns it collects it."""
        with self._ending:
            if self.process.poll() is None:
                self.out_of_memory = True
                self._end()

    def end(self) -> None:
        """End its processes, from any thread; whoever owns it calls kill() as well."""
        with self._ending:
            if self.process.poll() is None:
                self._end()

    def kill(self) -> None:
        """End the program and everything it started, and collect it. Safe to call twice."""
        memory.forget(self)
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        with self._ending:
            if self.process.poll() is None:
                self._end()
                self.process.wait()
        self.control.close()

    def _end(self) -> None:
        if not isolation().full:
            _signal(os.killpg, self.process.pid)
            return
        # bubblewrap's child is the first process of the namespace: the kernel ends all others with it.
        for pid in memory.descendants(self.process.pid)[1:2]:
            _signal(os.kill, pid)
        _signal(os.kill, self.process.pid)

    def exit_code(self, seconds: float) -> int:
        """Wait for the end, then make it. Negative is a signal, as with subprocess (bubblewrap says 128+n)."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self.process.wait()
        return 128 - code if code > 128 else code


def _signal(send, pid: int, number: int = signal.SIGKILL) -> None:
    try:
        send(pid, number)
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


def system_mounts() -> list[str]:
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
        options += ["--tmpfs", path, "--remount-ro", path]
    return options


def _bwrap_options(program: Program) -> list[str]:
    found = isolation()
    options = [*namespace_options(found), *system_mounts(), "--dev", "/dev", "--remount-ro", "/dev", "--proc", "/proc"]
    options += ["--perms", "1777", "--size", str(program.tmp_bytes), "--tmpfs", "/tmp"]
    options += ["--ro-bind", str(INSIDE), "/var/kata"]
    for folder in sorted({os.path.dirname(inside) for inside in program.readonly} - {"/"}):
        options += ["--perms", "0755", "--dir", folder]
    for inside, outside in sorted(program.readonly.items()):
        options += ["--ro-bind", os.path.realpath(outside), inside]
    return [*options, "--remount-ro", "/", "--chdir", program.cwd]


def _command(uid: int, control: int) -> list[str]:
    """What bubblewrap runs. No setting of the program's reaches setpriv, which is root still: init.py makes them."""
    argv = []
    if isolation().drop_uid:
        argv += ["/usr/bin/setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups"]
        argv += ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = f"{python_home()}/bin/{version}" if python_home() else f"/usr/bin/{version}"
    argv += ["/usr/bin/env", "LD_LIBRARY_PATH=/var/lang/lib:/opt/lib"]
    return [*argv, python, "-I", "-S", "-u", "/var/kata/init.py", str(control)]


def _in_memory(data: bytes) -> int:
    """A descriptor to read `data` from."""
    descriptor = os.memfd_create("kata", os.MFD_CLOEXEC)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _start_isolated(program: Program, control: int, options: dict) -> subprocess.Popen:
    """Its options go by a descriptor, so that no command line, inside or outside, shows the host's paths."""
    words = _bwrap_options(program)
    passed = []
    try:
        if filtered := seccomp.program():
            passed.append(_in_memory(filtered))
            words += ["--seccomp", str(passed[0])]
        passed.append(_in_memory(b"".join(word.encode() + b"\0" for word in words)))
        uid = random.SystemRandom().randint(_UID_FIRST, _UID_LAST)
        argv = [isolation().bwrap, "--args", str(passed[-1]), "--", *_command(uid, control)]
        return popen(argv, pass_fds=(control, *passed), env={}, **options)
    finally:
        for descriptor in passed:
            os.close(descriptor)


def _init_config(program: Program, lifeline: int, translate=lambda path: path) -> bytes:
    """What init.py reads from the control socket: a length of four bytes, and JSON."""
    limits = {
        "CORE": 0,
        "NOFILE": _OPEN_FILES,
        "FSIZE": _FILE_BYTES,
        "NPROC": _process_limit(program),
        **program.limits,
    }
    inside = str(INSIDE) if lifeline >= 0 else "/var/kata"
    config = json.dumps(
        {
            "limits": limits,
            "env": {name: translate(value) for name, value in program.env.items()},
            "port": 0 if lifeline >= 0 else program.port,
            "lifeline": lifeline,
            "module": program.module,
            "args": [translate(word) for word in program.args],
            "path_first": [translate(path) for path in program.path_first],
            "path_last": [*(translate(path) for path in program.path_last), inside],
        }
    ).encode()
    return len(config).to_bytes(4, "big") + config


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
            process = _start_isolated(program, theirs.fileno(), options)
            config = _init_config(program, -1)
        else:
            lifeline_read, lifeline_write = os.pipe()
            argv, config, cwd = _plain_argv(program, theirs.fileno(), lifeline_read)
            process = popen(
                argv, pass_fds=(theirs.fileno(), lifeline_read), env={}, cwd=cwd, start_new_session=True, **options
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
    sandboxed = Sandboxed(process, ours, lifeline_write)
    try:
        ours.settimeout(_CONFIG_SECONDS)
        ours.sendall(config)
        ours.settimeout(None)
    except OSError:
        pass  # it has ended: whoever asks for its listener or its answer learns so, with what it printed
    memory.watch(sandboxed, program.memory_bytes)
    return sandboxed


def _plain_argv(program: Program, control: int, lifeline: int) -> tuple[list[str], bytes, str]:
    """Without namespaces the paths inside are replaced by those outside, wherever a whole path names one."""

    def translate(text: str) -> str:
        for inside, outside in sorted(program.readonly.items(), reverse=True):
            if text == inside or text.startswith(inside + "/"):
                return outside + text[len(inside) :]
        return text

    if program.outside_tmp:
        program = replace(program, env={**program.env, "TMPDIR": program.outside_tmp, "HOME": program.outside_tmp})
    argv = [_interpreter_outside(), "-I", "-S", "-u", str(INSIDE / "init.py"), str(control)]
    return argv, _init_config(program, lifeline, translate), translate(program.cwd)


def raise_open_files() -> None:
    """Lift this process's own limit of open files as far as allowed: each sandbox needs a few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
