"""One request of a viewer on its way through a distribution: what the parts of the edge know of each other."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from dataclasses import dataclass

from cloudkata.engine.edge.settings import Behavior, Settings, read


class Refused(Exception):
    """CloudFront itself answers, with `status`: an edge function failed, or returned what is not allowed."""

    def __init__(self, status: int, text: str, cause: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.cause = cause  # of X-Cache, such as LambdaExecutionError


@dataclass
class Visit:
    """`answered` is the status of the origin's answer, from the cache or not; 0 while there is none."""

    distribution: dict
    settings: Settings
    behavior: Behavior
    answered: int = 0
    cached: bool = False
    age: int = 0
    fetches: int = 0


_current: contextvars.ContextVar[Visit | None] = contextvars.ContextVar("kata_visit", default=None)


def current() -> Visit | None:
    return _current.get()


@contextlib.contextmanager
def visiting(distribution: dict, path: str) -> Iterator[Visit]:
    """The visit under way, begun if there is none. `path` is the viewer's own, which chooses the behaviour."""
    visit = _current.get()
    if visit is not None:
        yield visit
        return
    settings = read(distribution)
    visit = Visit(distribution, settings, settings.behavior(path))
    token = _current.set(visit)
    try:
        yield visit
    finally:
        _current.reset(token)


def failure(refused: Refused) -> tuple:
    """CloudFront's own page for a failed edge function."""
    from ministack.services import cloudfront

    return cloudfront._cf_error_response(refused.status, refused.text, f"{refused.cause} from cloudfront")
