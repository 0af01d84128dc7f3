"""A started target that several attempts use, one after the other, each in an account of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from cloudkata.targets.session import Session


class Shared:
    """As an attempt sees a target, but starting and ending are somebody else's."""

    def __init__(self, target) -> None:
        self._target = target
        self._sessions: list[Session] = []
        self.name: str = target.name

    def __enter__(self) -> Shared:
        return self

    def __exit__(self, *_) -> None:
        """End what the attempt left at work by itself: it would cost those after it time."""
        while self._sessions:
            _end_mappings(self._sessions.pop())

    def lacks(self, behaviours: Iterable[str]) -> dict[str, str]:
        return self._target.lacks(behaviours)

    def session(self, number: str) -> Session:
        self._sessions.append(self._target.session(number))
        return self._sessions[-1]


def _end_mappings(session: Session) -> None:
    """Delete the event source mappings of an attempt that is over, as far as that goes."""
    from botocore.exceptions import BotoCoreError, ClientError

    functions = session.client("lambda", session.checks)
    with contextlib.suppress(BotoCoreError, ClientError):
        pages = functions.get_paginator("list_event_source_mappings").paginate()
        for mapping in [entry for page in pages for entry in page["EventSourceMappings"]]:
            with contextlib.suppress(ClientError):  # one that is being changed already
                functions.delete_event_source_mapping(UUID=mapping["UUID"])
