"""A sandboxed process that runs learner code on request, as its owner sees it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import select
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cloudkata.deployment.packages import FOLDER, Offer, offers
from cloudkata.engine.frames import Frame, FrameError, FrameReader, pack
from cloudkata.engine.packages import RUNTIME_PACKAGES, runtime_packages
from cloudkata.sandbox.isolation import isolation
from cloudkata.sandbox.launch import Program, SandboxError, start
from cloudkata.targets.session import Session

_PRINTED_BYTES = 64 << 10
_START_SECONDS = 15.0
_FOLDER = "/var/task"  # also where Lambda has a function's code
_MEMORY_BYTES = 1 << 30
_POLL_SECONDS = 0.05


class ChildGone(Exception):
    """The process ended, or sent what is no answer."""


class Child:
    """Runs functions of the learner's files one after the other. Use as a context manager, from one thread."""

    def __init__(self, folder: Path, session: Session, name: str = "deploy", services: Sequence[str] = ()) -> None:
        """`services`: those to have a client for before the first call, which then does not wait for it."""
        self._folder, self._session, self._name = folder, session, name
        self._services = services
        self._printed = bytearray()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Child:
        """Start the process. Raises SandboxError, or EngineError when the engine does not take its listener."""
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        self._stack.close()

    def _start(self) -> None:
        scratch = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="kata-learner-"))
        read, write = os.pipe()
        self._stack.callback(os.close, read)
        try:
            self._sandboxed = start(
                _program(self._folder, self._session, scratch, self._services), stdout=write, stderr=write
            )
        finally:
            os.close(write)
        self._stack.callback(self._sandboxed.kill)
        os.set_blocking(read, False)
        self._output = read
        if isolation().full:
            try:
                listener = self._sandboxed.receive_listener(_START_SECONDS)
            except SandboxError as error:
                self._drain()
                raise SandboxError(f"{error} {self.printed.strip()}".strip()) from error
            self._stack.enter_context(self._session.way(listener, self._name))
        self._sandboxed.control.setblocking(False)
        self._frames = FrameReader(self._sandboxed.control)
        self._poll = select.poll()
        self._poll.register(self._sandboxed.control, select.POLLIN)
        self._poll.register(self._output, select.POLLIN)

    @property
    def printed(self) -> str:
        """What the process has printed so far, cut."""
        return self._printed.decode("utf-8", "replace")

    @property
    def out_of_memory(self) -> bool:
        """Whether it was ended since it, with all it started, took more memory than it may."""
        return self._sandboxed.out_of_memory

    def kill(self) -> None:
        """End the process, in the middle of whatever it does; from any thread. Who waits for it learns so at once."""
        self._sandboxed.end()

    def pause(self) -> None:
        """Stop the process until resume(), wherever it is; from any thread."""
        self._sandboxed.pause()

    def resume(self) -> None:
        self._sandboxed.resume()

    def run(self, task: dict, seconds: float) -> dict:
        """Have kata_lab.child do a task, which says what there is in one; the answer as the process claims it.

        Raises ChildGone when the process ends first, and TimeoutError after `seconds`.
        """
        deadline = time.monotonic() + seconds
        control = self._sandboxed.control
        data = memoryview(pack({"op": "run"}, json.dumps(task).encode()))
        try:
            while data:
                try:
                    data = data[control.send(data) :]
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise TimeoutError from None
                    select.select([], [control], [], _POLL_SECONDS)
            frame = self._answer(deadline)
            answer = json.loads(frame.body)
        except (FrameError, OSError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            self._drain()
            raise ChildGone(str(error)) from error
        if not isinstance(answer, dict):
            raise ChildGone("no answer")
        return answer

    def _answer(self, deadline: float) -> Frame:
        watched = time.monotonic() + _POLL_SECONDS
        while True:
            frame = self._frames.take()
            if frame is not None:
                self._drain()
                return frame
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            ready = {descriptor for descriptor, _ in self._poll.poll(min(left, _POLL_SECONDS) * 1000)}
            if self._output in ready and not self._drain():
                self._poll.unregister(self._output)
            if self._sandboxed.control.fileno() in ready:
                self._frames.pump()
            if time.monotonic() > watched:
                watched = time.monotonic() + _POLL_SECONDS
                if self._sandboxed.resident_bytes() > _MEMORY_BYTES:
                    self._sandboxed.end_for_memory()
                    raise FrameError("it used more than 1 GB of memory")

    def _drain(self) -> bool:
        while True:
            try:
                chunk = os.read(self._output, 1 << 16)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self._printed += chunk[: max(0, _PRINTED_BYTES - len(self._printed))]


def _program(folder: Path, session: Session, scratch: str, services: Sequence[str]) -> Program:
    spec = importlib.util.find_spec("kata_lab")
    assert spec is not None and spec.origin is not None
    readonly = {_FOLDER: str(folder.resolve()), "/var/runtime/kata_lab": str(Path(spec.origin).parent)}
    packages = runtime_packages(tuple(name for name in RUNTIME_PACKAGES if name != "awslambdaric"))
    readonly |= {f"/var/runtime/{name}": path for name, path in packages.items()}
    offered = offers()
    added = {name: path for offer in offered.values() for name, path in offer.files.items()}
    readonly |= {f"{FOLDER}/{name}": path for name, path in added.items()}
    settings = {
        "packages": {name: _shown(offer) for name, offer in offered.items()},
        "prefix": session.prefix,
        "region": session.region,
        "account": session.account,
        "poll": session.waiter_poll,
        "door": session.endpoint,
        "boundary": session.boundary,
        "roles_within": session.visible_after,
    }
    env = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/tmp",
        "TMPDIR": "/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
        **session.environment(),
    }
    runtime = [path for inside, path in readonly.items() if inside.startswith("/var/runtime/")]
    parents = sorted({os.path.dirname(path) for path in runtime})
    return Program(
        module="kata_lab.child",
        readonly=readonly,
        env=env,
        cwd=_FOLDER,
        port=session.port,
        args=[json.dumps(settings), json.dumps(list(services))],
        path_last=["/var/runtime"] if isolation().full else parents,
        outside_tmp=scratch,
    )


def _shown(offer: Offer) -> dict:
    """An offer as the program inside sees it: places in an archive, with paths that are valid there."""
    full = isolation().full
    files = {name: f"{FOLDER}/{name}" if full else path for name, path in offer.files.items()}
    return {"files": files, "problem": offer.problem}
