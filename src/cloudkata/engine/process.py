"""The engine as seen by its owner: start it, ask it, stop it."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cloudkata.sandbox.spawner import popen

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_PREFIX = "kata-engine-"
_LOCK = "owner.lock"
_START_BYTES = 64 << 20  # free disk to start with: the code and objects of an attempt are a few MB
_LEAST_BYTES = 1 << 20  # below this, calls fail that should not


class EngineError(Exception):
    """The engine did not start, died, or refused what was asked of it."""


@dataclass(frozen=True)
class IssuedKey:
    """A key for one account of the engine."""

    account: str
    access_key_id: str
    secret_access_key: str


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("engine", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Engine:
    """A running engine. Use as a context manager, or call stop(): nothing of it stays behind either way."""

    def __init__(self, process: subprocess.Popen, state: Path, ready: dict, lock: int) -> None:
        self._process = process
        self._lock_fd = lock
        self.state = state
        self.port: int = ready["port"]
        self.behaviours: list[str] = ready["behaviours"]
        self.isolation: str = ready["isolation"]
        self.stopping = False
        threading.Thread(target=self._watch, name="kata-engine-watch", daemon=True).start()

    @classmethod
    def start(
        cls, *, factor: float = 1.0, behaviours: Iterable[str] | None = None, folder: str | None = None
    ) -> Engine:
        """Start an engine and wait until it answers. Raises EngineError with a sentence for people."""
        try:
            root = Path(folder or tempfile.gettempdir())
            sweep(root)
            if problem := _no_room(root, _START_BYTES):
                raise EngineError(f"the engine did not start: {problem}")
            state = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
            lock = _take_lock(state)
        except OSError as error:
            raise EngineError(f"the engine has nowhere to keep its files: {error}") from error
        read, write = os.pipe()
        config = {
            "state": str(state),
            "ready": write,
            "factor": factor,
            "behaviours": None if behaviours is None else list(behaviours),
        }
        env = {name: os.environ[name] for name in _KEPT if name in os.environ}
        try:
            with open(state / "engine.log", "wb") as log:
                process = popen(
                    [sys.executable, "-m", "cloudkata.engine.server", json.dumps(config)],
                    env=env,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=(write,),
                    start_new_session=True,
                    cwd=state,
                )
        finally:
            os.close(write)
        answer = _first_line(read, _START_SECONDS)
        if "port" not in answer:
            process.kill()
            process.wait()
            process.stdin.close()  # type: ignore[union-attr]
            tail = _tail(state / "engine.log")
            shutil.rmtree(state, ignore_errors=True)
            os.close(lock)
            raise EngineError(f"the engine did not start: {answer.get('error') or tail or 'it gave no reason'}")
        return cls(process, state, answer, lock)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def fault(self) -> str:
        """Why its answers cannot be relied on any more, or ""."""
        return _no_room(self.state, _LEAST_BYTES) if self.alive else "the engine died"

    def _watch(self) -> None:
        """When the engine is killed, its folder still goes, even if nobody calls stop()."""
        self._process.wait()
        shutil.rmtree(self.state, ignore_errors=True)

    def ask(self, method: str, path: str, body: dict | None = None, seconds: float = 60.0) -> dict:
        """A request to the control socket. Raises EngineError when the engine is gone or refuses."""
        connection = _UnixConnection(str(self.state / "admin.sock"), seconds)
        try:
            connection.request(method, path, json.dumps(body or {}))
            reply = connection.getresponse()
            answer = json.loads(reply.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EngineError(f"the engine does not answer: {error}") from error
        finally:
            connection.close()
        if reply.status != 200:
            raise EngineError(f"the engine refused: {answer.get('error')}")
        return answer

    def issue(self, key_set: str, account: str = "") -> IssuedKey:
        """A new key of a set ("learner", "functions", "checks") for `account`, or for a new one."""
        answer = self.ask("POST", "/keys", {"set": key_set, "account": account})
        return IssuedKey(answer["account"], answer["id"], answer["secret"])

    def settle(self, seconds: float = 30.0) -> list[str]:
        """Wait until the engine has nothing left to do; what is still pending after `seconds` of real time."""
        return self.ask("POST", "/settle", {"seconds": seconds}, seconds + 10)["pending"]

    def advance(self, seconds: float) -> float:
        """Move AWS time forward; the new time in seconds since the epoch."""
        return self.ask("POST", "/advance", {"seconds": seconds})["now"]

    def set_factor(self, factor: float) -> None:
        self.ask("POST", "/factor", {"factor": factor})

    def requests(self, since: int = 0, account: str = "") -> dict:
        """The request log: {"last": number, "entries": [...]}."""
        return self.ask("GET", f"/log?since={since}&account={account}")

    @contextlib.contextmanager
    def watching(self, name: str, text: str):
        """Have the log name `name` in `carried` of each request that has `text` in it, in any usual form."""
        self.ask("POST", "/watch", {"name": name, "text": text})
        try:
            yield
        finally:
            self.ask("POST", "/unwatch", {"name": name})

    def status(self) -> dict:
        return self.ask("GET", "/status")

    @contextlib.contextmanager
    def way(self, listener: socket.socket, name: str):
        """Have the front door answer `listener` (from a sandbox of ours) for as long as the context lasts."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                with listener:
                    connection.settimeout(10)
                    connection.connect(str(self.state / "ways.sock"))
                    socket.send_fds(connection, [name.encode()[:200] or b"?"], [listener.fileno()])
                taken = connection.recv(1)
            except OSError as error:
                raise EngineError(f"the engine does not answer: {error}") from error
            if taken != b"1":
                raise EngineError("the engine did not take the sandbox's listener")
            yield

    def stop(self) -> None:
        """End the engine and all it started. Safe to call twice, and after it has died."""
        self.stopping = True
        assert self._process.stdin is not None
        self._process.stdin.close()  # its owner is gone: it leaves at once
        if self.alive:
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.state, ignore_errors=True)
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_) -> None:
        self.stop()


# Nothing else of the environment reaches the engine; above all no AWS_ variable.
_KEPT = ("PATH", "LANG", "LC_ALL", "CLOUDKATA_NO_ISOLATION", "CLOUDKATA_SEED", "PYTHONHASHSEED", "VIRTUAL_ENV")


def _no_room(folder: Path, wanted: int) -> str:
    """A sentence when fewer than `wanted` bytes are free where `folder` lies, or ""."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return ""
    if free >= wanted:
        return ""
    left = f"{free >> 20} MB left where {folder.parent if folder.name.startswith(_PREFIX) else folder} lies"
    return f"No space left on device: {left}; make room, or set TMPDIR to another folder"


def _take_lock(state: Path) -> int:
    """Mark the folder as in use for as long as this process lives."""
    descriptor = os.open(state / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def sweep(root: Path) -> list[str]:
    """Remove folders of engines whose owner was killed together with them. Returns what was removed."""
    removed = []
    for state in root.glob(f"{_PREFIX}*"):
        try:
            if state.stat().st_uid != os.geteuid():
                continue
            descriptor = os.open(state / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(state, ignore_errors=True)
            removed.append(str(state))
        except OSError:
            pass  # its owner lives
        finally:
            os.close(descriptor)
    return removed


def _first_line(descriptor: int, seconds: float) -> dict:
    import select

    with os.fdopen(descriptor, "rb") as file:
        waiting = select.poll()
        waiting.register(file, select.POLLIN | select.POLLHUP)
        if not waiting.poll(seconds * 1000):
            return {"error": f"it was not ready after {seconds:g} seconds"}
        line = file.readline()
    try:
        return json.loads(line)
    except ValueError:
        return {}


def _tail(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
