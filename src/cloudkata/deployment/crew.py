"""The processes in which an attempt's checks call the learner's functions, kept from one check to the next."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from cloudkata.deployment.learner import Caller
from cloudkata.targets.session import Session


class Crew:
    """Lends processes to checks. Use as a context manager; it ends them all.

    Starting one costs more than most calls, so `size` of them are started ahead, in the background, and more only when
    they are asked for. `files` names the file of each function that may be called. `services` are those that each
    process has a client for; `spare` are started ahead to make good what is lost.
    """

    def __init__(
        self,
        folder: Path,
        session: Session,
        files: dict[str, str],
        size: int,
        services: Sequence[str] = (),
        spare: int = 0,
    ) -> None:
        self.outputs: dict[str, str] = {}  # what the functions find in lab.outputs: set once they are verified
        self._folder, self._session, self._files, self._size = folder, session, files, size
        self._services, self._spare = services, spare
        self._ready: deque[Future[Caller]] = deque()
        self._all: list[Future[Caller]] = []

    def __enter__(self) -> Crew:
        self._starting = ThreadPoolExecutor(2, "kata-crew")
        for _ in range(self._size + self._spare):
            self._order()
        return self

    def __exit__(self, *_) -> None:
        self._starting.shutdown(wait=True, cancel_futures=True)
        for future in self._all:
            if not future.cancelled() and future.exception() is None:
                future.result().close()

    @contextlib.contextmanager
    def lend(self):
        """A process that nobody else has for as long as the context lasts. Raises SandboxError or EngineError."""
        if not self._ready:
            self._order()
        caller = self._ready.popleft().result()
        caller.outputs = self.outputs
        try:
            yield caller
        finally:
            if caller.usable:
                done: Future[Caller] = Future()
                done.set_result(caller)
                self._ready.append(done)
            else:
                caller.close()

    def _order(self) -> None:
        future = self._starting.submit(self._start)
        self._all.append(future)
        self._ready.append(future)

    def _start(self) -> Caller:
        return Caller(self._folder, self._session, self._files, self._services)
