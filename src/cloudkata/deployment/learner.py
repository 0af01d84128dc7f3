"""Runs a learner's deploy.py and the functions of the learner's scripts, each in a sandbox."""

from __future__ import annotations

import contextlib
import stat
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloudkata.deployment.child import Child, ChildGone
from cloudkata.deployment.ledger import Call, ledger
from cloudkata.engine.remote import EngineError
from cloudkata.sandbox.isolation import isolation
from cloudkata.targets.session import Session

DEPLOY_SECONDS = 120.0
CALL_SECONDS = 60.0


@dataclass(frozen=True)
class Frame:
    """A line of the learner's own code that an error passed through."""

    file: str
    line: int
    source: str


@dataclass(frozen=True)
class Deployment:
    """What running deploy.py came to. `error` is "" when it finished; `outputs` are claims, `calls` are seen."""

    outputs: dict[str, str]
    printed: str
    seconds: float
    error: str = ""
    frames: tuple[Frame, ...] = ()
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Folder:
    """An argument of a call that is a folder: `files` maps a path below it to a text.

    For the length of the call the files lie in the process's own /tmp, and the function is given the folder's path,
    which lab.package() takes as it takes any other.
    """

    files: Mapping[str, str]


@dataclass(frozen=True)
class Called:
    """What calling a function of a script came to: a JSON `value`, or an `error` with the exception's `kind`.

    `lost`: its process did not answer, and is of no more use.
    """

    value: object
    error: str = ""
    kind: str = ""
    frames: tuple[Frame, ...] = ()
    lost: bool = False


def deploy(folder: Path, session: Session, seconds: float = DEPLOY_SECONDS, child: Child | None = None) -> Deployment:
    """Run deploy.py of `folder` against `session`; in `child`, where one has been started, which ends here.

    Raises SandboxError when no sandbox can be started.
    """
    began = time.monotonic()
    closed = _closed(folder)
    if child is None and not closed:
        child = Child(folder, session).__enter__()
    try:
        if closed or child is None:
            return Deployment({}, "", 0.0, f"{closed} may be read by its owner only; run chmod -R go+rX {folder}")
        called = _run(child, "deploy.py", "deploy", [], {}, seconds * session.slack)
        took = time.monotonic() - began
        if isinstance(called, Called):
            return Deployment({}, child.printed, took, called.error, called.frames, ledger(session))
        outputs = {str(name): str(value) for name, value in called["outputs"].items()}
        return Deployment(outputs, child.printed, took, calls=ledger(session))
    finally:
        if child is not None:
            child.__exit__()


def _closed(folder: Path) -> str:
    """The first part of `folder` that the user a sandbox runs as may not read, or ""."""
    if not isolation().drop_uid:
        return ""
    for path in (folder, *sorted(folder.rglob("*"))):
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue  # an editor has just put another in its place
        wanted = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
        if not stat.S_ISLNK(mode) and mode & wanted != wanted:
            return str(path)
    return ""


class Caller:
    """A process of its own in which functions of the learner's scripts are called, one after the other.

    `usable` is false once it was ended, or did not answer in time. Raises what Child raises when it is made.
    """

    def __init__(self, folder: Path, session: Session, files: dict[str, str], services: Sequence[str] = ()) -> None:
        self.outputs: dict[str, str] = {}
        self.usable = True
        self._files, self._session = files, session
        self._child = Child(folder, session, "call", services)
        self._child.__enter__()

    def close(self) -> None:
        """End the process and what belongs to it. Safe to call twice."""
        self.usable = False
        self._child.__exit__()

    def kill(self) -> None:
        """End the process in the middle of what it does; from any thread."""
        self.usable = False
        self._child.kill()

    @contextlib.contextmanager
    def paused(self):
        """Stop the process in the middle of what it does for as long as the context lasts; from any thread.

        What it had sent before may still take effect.
        """
        self._child.pause()
        try:
            yield
        finally:
            self._child.resume()

    def call(self, function: str, *args, seconds: float = CALL_SECONDS) -> Called:
        """Call function(lab, *args) of the file that the lab's manifest names for it.

        Arguments are JSON, or a Folder. Raises EngineError where an error is the target's.
        """
        seconds *= self._session.slack
        answer = _run(self._child, self._files[function], function, list(args), self.outputs, seconds)
        if not isinstance(answer, Called):
            return Called(answer["value"])
        if excuse := self._session.excuse(answer.error):
            raise EngineError(excuse)
        if answer.lost:
            self.kill()  # what did not come to an end must not go on beside what is asked next
        return answer


def _run(child: Child, file: str, function: str, args: list, outputs: dict, seconds: float) -> Called | dict:
    """The process's answer when the function returned, otherwise what went wrong."""
    folders = {str(place): dict(arg.files) for place, arg in enumerate(args) if isinstance(arg, Folder)}
    args = [None if isinstance(arg, Folder) else arg for arg in args]
    task = {"file": file, "function": function, "args": args, "folders": folders, "outputs": outputs}
    try:
        answer = child.run(task, seconds)
    except TimeoutError:
        return Called(None, f"{file} did not finish within {seconds:g} seconds", "TimeoutError", lost=True)
    except ChildGone:
        if child.out_of_memory:
            return Called(None, f"{file} and what it started used more than 1 GB of memory", "MemoryError", lost=True)
        return Called(None, f"{file} ended before {function}(lab) returned", "ExitError", lost=True)
    if isinstance(answer.get("outputs"), dict) and "value" in answer:
        return answer
    try:
        frames = tuple(Frame(str(name), int(line), str(source)) for name, line, source in answer["frames"])
        return Called(None, str(answer["failed"]) or "it failed", str(answer["kind"]), frames)
    except (KeyError, TypeError, ValueError):
        return Called(None, f"{file} ended before {function}(lab) returned", "ExitError", lost=True)
