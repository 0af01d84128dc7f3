"""Runs a learner's deploy.py and the functions of the learner's scripts, each in a sandbox."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from cloudkata.deployment.child import Child, ChildGone
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
    """What running deploy.py came to. `error` is "" when it finished; `outputs` are claims."""

    outputs: dict[str, str]
    printed: str
    seconds: float
    error: str = ""
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True)
class Called:
    """What calling a function of a script came to: a JSON `value`, or an `error` with the exception's `kind`."""

    value: object
    error: str = ""
    kind: str = ""
    frames: tuple[Frame, ...] = ()


def deploy(folder: Path, session: Session, seconds: float = DEPLOY_SECONDS) -> Deployment:
    """Run deploy.py of `folder` against `session`. Raises SandboxError when no sandbox can be started."""
    began = time.monotonic()
    with Child(folder, session) as child:
        called = _run(child, "deploy.py", "deploy", [], {}, seconds)
        took = time.monotonic() - began
        if isinstance(called, Called):
            return Deployment({}, child.printed, took, called.error, called.frames)
        return Deployment({str(k): str(v) for k, v in called["outputs"].items()}, child.printed, took)


class Caller:
    """A process of its own in which functions of the learner's scripts are called, one after the other."""

    def __init__(self, folder: Path, session: Session, outputs: dict[str, str], files: dict[str, str]) -> None:
        self._child = Child(folder, session, "call")
        self._outputs, self._files = outputs, files

    def __enter__(self) -> Caller:
        self._child.__enter__()
        return self

    def __exit__(self, *_) -> None:
        self._child.__exit__()

    def kill(self) -> None:
        """End the process in the middle of what it does; from any thread."""
        self._child.kill()

    def call(self, function: str, *args, seconds: float = CALL_SECONDS) -> Called:
        """Call function(lab, *args) of the file that the lab's manifest names for it; arguments are JSON."""
        answer = _run(self._child, self._files[function], function, list(args), self._outputs, seconds)
        return answer if isinstance(answer, Called) else Called(answer["value"])


def _run(child: Child, file: str, function: str, args: list, outputs: dict, seconds: float) -> Called | dict:
    """The process's answer when the function returned, otherwise what went wrong."""
    try:
        answer = child.run(file, function, args, outputs, seconds)
    except TimeoutError:
        return Called(None, f"{file} did not finish within {seconds:g} seconds", "TimeoutError")
    except ChildGone:
        return Called(None, f"{file} ended before {function}(lab) returned", "ExitError")
    if isinstance(answer.get("outputs"), dict) and "value" in answer:
        return answer
    try:
        frames = tuple(Frame(str(name), int(line), str(source)) for name, line, source in answer["frames"])
        return Called(None, str(answer["failed"]) or "it failed", str(answer["kind"]), frames)
    except (KeyError, TypeError, ValueError):
        return Called(None, f"{file} ended before {function}(lab) returned", "ExitError")
