"""The engine as seen by its owner: start it and stop it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from cloudkata.engine.remote import EngineError, Remote
from cloudkata.sandbox.spawner import popen

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_PREFIX, _UNLOCKED = "kata-engine-", "kata-unlocked-"
_LOCK = "owner.lock"
_START_BYTES = 64 << 20  # free disk to start with: the code and objects of an attempt are a few MB
_LEAST_BYTES = 1 << 20  # below this, calls fail that should not


class Engine(Remote):
    """An engine of this process. Use as a context manager, or call stop(): nothing of it stays behind either way."""

    def __init__(self, process: subprocess.Popen, state: Path, ready: dict, lock: int) -> None:
        super().__init__(state, ready["port"])
        self._process = process
        self._lock_fd = lock
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
            state, lock = _make_state(root)
        except OSError as error:
            raise EngineError(f"the engine has nowhere to keep its files: {error}") from error
        try:
            return cls._start_in(state, lock, factor, behaviours)
        except BaseException:  # Ctrl-C too: a process that was just started ends when it finds no owner
            shutil.rmtree(state, ignore_errors=True)
            os.close(lock)
            raise

    @classmethod
    def _start_in(cls, state: Path, lock: int, factor: float, behaviours: Iterable[str] | None) -> Engine:
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
            raise EngineError(f"the engine did not start: {answer.get('error') or tail or 'it gave no reason'}")
        return cls(process, state, answer, lock)

    @property
    def pid(self) -> int:
        return self._process.pid

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


def _make_state(root: Path) -> tuple[Path, int]:
    """A new folder, and the lock that marks it as in use for as long as this process lives.

    It gets the name that sweep() looks for once it is locked: before, another process could take it for left behind.
    """
    made = Path(tempfile.mkdtemp(prefix=_UNLOCKED, dir=root))
    lock = os.open(made / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return made.rename(root / (_PREFIX + made.name.removeprefix(_UNLOCKED))), lock


def sweep(root: Path) -> list[str]:
    """Remove folders of engines whose owner was killed together with them. Returns what was removed."""
    removed = []
    for state in root.glob(f"{_PREFIX}*"):
        try:
            if state.stat().st_uid != os.geteuid():
                continue
            descriptor = os.open(state / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:  # it had one from the start: who was removing the folder was killed
            shutil.rmtree(state, ignore_errors=True)
            removed.append(str(state))
            continue
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
