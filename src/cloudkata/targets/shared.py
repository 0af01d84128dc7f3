"""A started target that several attempts use, one after the other, each in an account of its own."""

from __future__ import annotations

from collections.abc import Iterable

from cloudkata.targets.session import Session


class Shared:
    """As an attempt sees a target, but starting and ending are somebody else's."""

    def __init__(self, target) -> None:
        self._target = target
        self.name: str = target.name

    def __enter__(self) -> Shared:
        return self

    def __exit__(self, *_) -> None:
        pass

    def lacks(self, behaviours: Iterable[str]) -> dict[str, str]:
        return self._target.lacks(behaviours)

    def session(self, number: str) -> Session:
        return self._target.session(number)
