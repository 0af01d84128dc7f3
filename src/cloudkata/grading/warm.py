"""Attempt after attempt at one lab, each in an account of its own, on an engine that is kept warm."""

from __future__ import annotations

import gc
import importlib
from pathlib import Path

from cloudkata.course.model import Course, Lab
from cloudkata.grading.attempt import Attempt, Run, attempt_at
from cloudkata.grading.place import Place
from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.session import Session

# What earlier attempts deployed stays on the engine, and takes memory: after so many it makes room for a new one.
_ATTEMPTS_AN_ENGINE = 25


class Warm:
    """Use as a context manager, from one thread. Raises EngineError when no engine can be started."""

    def __init__(self, course: Course, lab: Lab, folder: Path) -> None:
        self._course, self._lab, self._folder = course, lab, folder
        self._target: EmbeddedTarget | None = None
        self._place: Place | None = None
        self._last: Session | None = None
        self._attempts = 0

    def __enter__(self) -> Warm:
        for name in ("pytest", "boto3.dynamodb.types"):
            importlib.import_module(name)
        gc.freeze()  # modules stay: looking through them again and again would cost every check
        self.prepare()
        return self

    def __exit__(self, *_) -> None:
        if self._place is not None:
            self._place.close()
        self._end_target()

    def grade(self, run: Run) -> Attempt:
        """Grade the folder as it is now. Raises Abandoned when `run` was stopped, and EngineError."""
        if self._place is None or self._place.stale or self._place.session.fault():
            self.prepare()
        assert self._place is not None and self._target is not None
        place, self._place = self._place, None
        self._last = place.session
        self._attempts += 1
        return attempt_at(self._course, self._lab, place, self._target, run)

    def prepare(self) -> None:
        """Have a fresh account and waiting processes ready for the next attempt."""
        if self._place is not None:
            self._place.close()
            self._place = None
        last = self._last
        if self._target is not None and (self._attempts >= _ATTEMPTS_AN_ENGINE or self._target.engine.fault):
            self._end_target()
        if self._target is None:
            self._target = EmbeddedTarget().__enter__()
            self._attempts, last = 0, None
        self._place = Place(self._lab, self._folder, self._target.session(self._lab.number), last)
        self._place.prepare()

    def _end_target(self) -> None:
        if self._target is not None:
            self._target.__exit__()
            self._target = None
