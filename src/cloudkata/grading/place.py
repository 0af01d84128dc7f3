"""Where an attempt takes place: an account on a target, and processes that wait there for the learner's code."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from cloudkata.course.model import Lab
from cloudkata.deployment.child import Child
from cloudkata.deployment.crew import Crew
from cloudkata.deployment.learner import Deployment, deploy
from cloudkata.targets.session import Session

_SPARE = 2  # processes that a check ends in the middle of a race


class Place:
    """One attempt's own. It may be prepared long before it is used: that is what makes `kata watch` quick.

    The processes see the folder itself, so what is saved in it later is what they run.
    """

    def __init__(self, lab: Lab, folder: Path, session: Session, last: Session | None = None) -> None:
        """`last`: the session of an attempt before, whose clients will be needed again."""
        self.session, self.folder, self._last = session, folder, last
        self._services = last.services() if last else []
        size = lab.racers if lab.calls else 0
        spare = _SPARE if last and size > 1 else 0
        self.crew = Crew(folder, session, lab.calls, size, self._services, spare)
        self._child: Future[Child] | None = None
        self._prepared = False

    def prepare(self) -> None:
        """Start the processes, in the background. Safe to call twice."""
        if self._prepared:
            return
        self._prepared = True
        self._identity = _identity(self.folder)
        self._starting = ThreadPoolExecutor(1, "kata-place")
        child = Child(self.folder, self.session, services=self._services)
        self._child = self._starting.submit(child.__enter__)
        if self._last is not None:
            self._starting.submit(self.session.make_clients_of, self._last)
        self.crew.__enter__()

    def deploy(self) -> Deployment:
        """Run deploy.py. Raises SandboxError when no sandbox can be started."""
        assert self._child is not None
        child, self._child = self._child.result(), None
        return deploy(self.folder, self.session, child=child)

    @property
    def stale(self) -> bool:
        """Whether the folder is another one now, which the processes do not see."""
        return _identity(self.folder) != self._identity

    def close(self) -> None:
        """End the processes. Safe to call twice."""
        if not self._prepared:
            return
        self._prepared = False
        self._starting.shutdown(wait=True)
        if self._child is not None and self._child.exception() is None:
            self._child.result().__exit__()
        self.crew.__exit__()


def _identity(folder: Path) -> tuple[int, int]:
    try:
        found = os.stat(folder)
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino
