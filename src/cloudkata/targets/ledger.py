"""What an attempt was about to change in an account: one file an attempt, written before each call goes out.

`Ledger.before` returns when its line is on disk, and raises where it cannot be: then the call must not go out. So a
process that is killed at any moment leaves nothing in the account that its file does not tell of. Files lie in the
user's state folder, mode 0600, and hold names, never values: lines of JSON, `cloudkata.ledger/1` the first, then one
for a call (`n`, `at`, `service`, `operation`, `names`) and one for its answer (`of`, `status`, `made`).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cloudkata.engine.remote import EngineError

SCHEMA = "cloudkata.ledger/1"
_ENDING = ".jsonl"
_NAMES, _NAME_LENGTH = 24, 300


class LedgerError(EngineError):
    """The ledger cannot be written or read; the message is a sentence."""


@dataclass(frozen=True)
class Call:
    """A call that was to change something: `names` as they were asked for, at `at` in seconds since the epoch.

    `status` is the answer's HTTP status, or 0 where none was written: then nobody knows whether it took effect. `made`
    are the names, ids and ARNs of the answer.
    """

    number: int
    at: float
    service: str
    operation: str
    names: tuple[str, ...]
    status: int = 0
    made: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """A ledger as it was found: whose it is, and its calls, oldest first. `running`: somebody writes it right now."""

    path: Path
    account: str
    region: str
    prefix: str
    lab: str
    started: float
    calls: tuple[Call, ...] = ()
    running: bool = False


def ledger_folder() -> Path:
    """The folder of all ledgers, for the user alone. Raises LedgerError."""
    import platformdirs

    folder = platformdirs.user_state_path("cloudkata", appauthor=False) / "ledgers"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise LedgerError(f"there is no place for ledgers at {folder}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise LedgerError(f"{folder} is not a folder of yours alone: remove it, or run chmod 700 on it")
    return folder


class Ledger:
    """One attempt's ledger while it runs. Thread-safe. `problem` says why a line could not be written, or is ""."""

    def __init__(self, account: str, region: str, prefix: str, lab: str, folder: Path | None = None) -> None:
        """Make the file. Raises LedgerError."""
        folder = folder or ledger_folder()
        self.path = folder / f"{account}-{prefix}{_ENDING}"
        self.prefix = prefix
        self.problem = ""
        self._lock = threading.Lock()
        self._number = 0
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._file = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise LedgerError(f"the ledger {self.path} cannot be made: {error.strerror}") from error
        fcntl.flock(self._file, fcntl.LOCK_EX)  # until this process ends, however it does: `running` is read from it
        try:
            head = {"account": account, "region": region, "prefix": prefix, "lab": lab, "started": time.time()}
            self._append({"schema": SCHEMA, **head})
            _sync_folder(folder)
        except (OSError, LedgerError) as error:
            os.close(self._file)
            self.path.unlink(missing_ok=True)
            raise LedgerError(f"the ledger {self.path} cannot be written: {error}") from error

    def before(self, service: str, operation: str, names: Iterable[str]) -> int:
        """Write that a call is about to go out; the number to give to after(). Raises LedgerError: it must not."""
        with self._lock:
            if self.problem:
                raise LedgerError(self.problem)
            self._number += 1
            told = {"n": self._number, "at": time.time(), "service": service, "operation": operation}
            try:
                self._append({**told, "names": _cut(names)})
            except LedgerError as error:
                self.problem = f"what a call would make cannot be written down, so it was not sent: {error}"
                raise LedgerError(self.problem) from error
            return self._number

    def after(self, number: int, status: int, made: Iterable[str] = ()) -> None:
        """Add what call `number` was answered. Never raises: the call was sent, and the next one will not be."""
        with self._lock:
            try:
                self._append({"of": number, "status": status, "made": _cut(made)})
            except LedgerError as error:
                self.problem = f"an answer cannot be written down, so no more is sent: {error}"

    def calls(self) -> tuple[Call, ...]:
        """What is written so far."""
        found = read_ledger(self.path)
        return found.calls if found else ()

    def close(self) -> None:
        """No more is written: the attempt is over. Safe to call twice."""
        with self._lock:
            self.problem = self.problem or "the attempt is over"
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _append(self, line: dict) -> None:
        """A whole line on disk, or LedgerError and no part of it."""
        data = (json.dumps(line) + "\n").encode()
        length = os.fstat(self._file).st_size
        try:
            while data:
                data = data[os.write(self._file, data) :]
            os.fsync(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, length)
            raise LedgerError(f"{error.strerror} ({self.path})") from error


def read_ledgers(account: str = "", folder: Path | None = None) -> Iterator[Written]:
    """All ledgers, or those of one account, oldest first. Raises LedgerError for one that others may have written."""
    found = [read_ledger(path) for path in (folder or ledger_folder()).glob(f"*{_ENDING}")]
    kept = [one for one in found if one is not None and account in ("", one.account)]
    yield from sorted(kept, key=lambda one: (one.started, one.path))


def read_ledger(path: Path) -> Written | None:
    """What a ledger tells, or None where it is gone or has not even a first line: then nothing was sent yet.

    A line that was cut short is left out: its call did not go out.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise LedgerError(f"{path} is not a file of yours alone: see what it is, and remove it")
        running = _locked(descriptor)
        lines = [line for line in map(_parsed, file.read().splitlines(keepends=True)) if line]
    if not lines or lines[0].get("schema") != SCHEMA:
        return None
    head = {key: str(lines[0].get(key, "")) for key in ("account", "region", "prefix", "lab")}
    return Written(path, **head, started=float(lines[0].get("started", 0)), calls=_calls(lines[1:]), running=running)


def _calls(lines: list[dict]) -> tuple[Call, ...]:
    calls: dict[int, Call] = {}
    for line in lines:
        if "n" in line:
            names = tuple(map(str, line.get("names", ())))
            known = Call(line["n"], float(line["at"]), str(line["service"]), str(line["operation"]), names)
            calls[known.number] = known
        elif line.get("of") in calls:
            made = tuple(map(str, line.get("made", ())))
            calls[line["of"]] = replace(calls[line["of"]], status=int(line.get("status", 0)), made=made)
    return tuple(calls.values())


def _parsed(line: bytes) -> dict:
    """The line, or nothing where it is no whole one."""
    if not line.endswith(b"\n"):
        return {}
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def _cut(names: Iterable[str]) -> list[str]:
    return [name[:_NAME_LENGTH] for name in dict.fromkeys(names)][:_NAMES]


def _sync_folder(folder: Path) -> None:
    """Have the file's name on disk as well."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
