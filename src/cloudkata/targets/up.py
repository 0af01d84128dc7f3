"""The engine that `kata up` leaves running: how it is found, and by whom.

One file in the user's runtime folder, mode 0600, says where it is and holds the keys of its account for tools. A keeper
process (targets/keeper.py) owns the engine and holds a lock beside the file for as long as it lives, so a file that a
crash left behind is never taken for an engine.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import subprocess
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

from cloudkata.engine.remote import EngineError, Remote
from cloudkata.targets.own_file import read_own, write_own
from cloudkata.targets.session import Keys

_FILE, _LOCK = "engine.json", "engine.lock"
_KEPT = "kept-"
_AGAIN = "kata up"
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Up:
    """The engine that is up, its account for tools with the keys for it, and the start of the names used there."""

    pid: int
    state: str
    port: int
    isolation: str
    account: str
    access_key_id: str
    secret_access_key: str
    token: str

    @property
    def engine(self) -> Remote:
        return Remote(Path(self.state), self.port)

    @property
    def keys(self) -> Keys:
        return Keys(self.access_key_id, self.secret_access_key)

    def prefix(self, number: str) -> str:
        """What the names of a lab's resources begin with that a tool makes in this account."""
        return f"kata{number}-{self.token}"


@dataclass(frozen=True)
class Kept:
    """What `kata check --keep` left on the engine: its account, the keys for it and the prefix of its names."""

    account: str
    access_key_id: str
    secret_access_key: str
    prefix: str

    @property
    def keys(self) -> Keys:
        return Keys(self.access_key_id, self.secret_access_key)


def runtime_folder() -> Path:
    """The user's own folder for what lives as long as the machine is on. Raises EngineError when it is not safe."""
    import platformdirs

    with warnings.catch_warnings():  # where a session has no such folder, another place serves as well
        warnings.simplefilter("ignore", platformdirs.api.RuntimeDirWarning)
        folder = platformdirs.user_runtime_path("cloudkata", appauthor=False)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine, above = folder.lstat(), folder.parent.stat()
    except OSError as error:
        raise EngineError(f"there is no folder for the engine's address: {error}") from error
    if not stat.S_ISDIR(mine.st_mode) or mine.st_uid != os.geteuid() or mine.st_mode & 0o077:
        raise EngineError(f"{folder} is not a folder of yours alone: remove it, or run chmod 700 on it")
    if above.st_uid not in (0, os.geteuid()):
        raise EngineError(f"{folder.parent} belongs to somebody else: set XDG_RUNTIME_DIR to a folder of your own")
    return folder


def find() -> Up | None:
    """The engine that is up, if one is. Raises EngineError when it cannot be told."""
    folder = runtime_folder()
    lock = take_lock(folder, fcntl.LOCK_SH)
    if lock is not None:  # nobody keeps an engine
        try:
            _sweep(folder)
        finally:
            os.close(lock)
        return None
    text = read_own(folder / _FILE, _AGAIN)
    return Up(**json.loads(text)) if text else None


def start() -> tuple[Up, bool]:
    """(the engine that is up, whether it was started now). Raises EngineError."""
    if found := find():
        return found, False
    read, write = os.pipe()
    try:
        subprocess.Popen(  # noqa: S603 (it is to outlive this process)
            [sys.executable, "-m", "cloudkata.targets.keeper", str(write)],
            pass_fds=(write,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
    finally:
        os.close(write)
    problem = _first_line(read)
    if problem:
        raise EngineError(problem)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:  # another one may just be at it
        if found := find():
            return found, True
        time.sleep(_POLL_SECONDS)
    raise EngineError("the engine did not start")


def stop() -> bool:
    """End the engine that is up and all that was deployed there; whether there was one. Raises EngineError."""
    found = find()
    if found is None:
        return False
    with contextlib.suppress(EngineError):
        found.engine.ask("POST", "/stop", seconds=5.0)
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        if find() is None:
            return True
        time.sleep(_POLL_SECONDS)
    raise EngineError(f"the engine does not end: end process {found.pid} yourself")


def keep(slug: str, kept: Kept) -> None:
    """Remember what was left on the engine for a lab, in place of what was left before."""
    write_own(runtime_folder() / f"{_KEPT}{slug}.json", json.dumps(asdict(kept)))


def find_kept(slug: str) -> Kept | None:
    text = read_own(runtime_folder() / f"{_KEPT}{slug}.json", _AGAIN)
    return Kept(**json.loads(text)) if text else None


def take_lock(folder: Path, kind: int = fcntl.LOCK_EX) -> int | None:
    """The descriptor of the keeper's lock, or None when somebody has it. Only a keeper takes it for itself alone."""
    descriptor = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def announce(folder: Path, up: Up) -> None:
    """Write the file that joins others to the engine; by the keeper, which has the lock."""
    write_own(folder / _FILE, json.dumps(asdict(up)))


def withdraw(folder: Path) -> None:
    """Take back what was announced and kept; by the keeper."""
    _sweep(folder)


def _sweep(folder: Path) -> None:
    for path in (folder / _FILE, *folder.glob(f"{_KEPT}*.json")):
        path.unlink(missing_ok=True)


def _first_line(descriptor: int) -> str:
    """What the keeper says is wrong, "" when it is ready."""
    import select

    with os.fdopen(descriptor, encoding="utf-8") as file:
        if not select.select([file], [], [], _START_SECONDS)[0]:
            return f"the engine did not start within {_START_SECONDS:g} seconds"
        line = file.readline().strip()
    return "" if line == "ready" else line or "the engine did not start"
