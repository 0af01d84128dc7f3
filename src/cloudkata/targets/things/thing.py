"""What can be in an account: one thing, and how all of its kind are listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

_GONE = ("NotFound", "NoSuch", "DoesNotExist", "NonExistent")


class Pending(Exception):
    """A thing goes in its own time: the reason, and `until` when it should be gone, in seconds from now.

    `soon`: it is worth waiting for.
    """

    def __init__(self, reason: str, until: float, soon: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.until, self.soon = reason, until, soon


@dataclass(frozen=True)
class Thing:
    """Something in an account: its name, which tells whose it is, and how it is deleted.

    `ids` are those that the service itself gave it, `arn` is for tags; `of` are ids of what it belongs to. `delete` may
    raise Pending. `going`: it is being deleted already. `until`: when it will be gone, in seconds since the epoch.
    """

    name: str
    delete: Callable[[], object]
    ids: tuple[str, ...] = ()
    arn: str = ""
    of: tuple[str, ...] = ()
    going: bool = False
    until: float = 0.0

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it apart from others of its kind."""
        return self.ids or (self.name,)


@dataclass(frozen=True)
class Listing:
    """All things of a `kind` that a client of `service` finds, in the order in which they can go.

    `made_by`: the operations whose answers have ids that are in Thing.ids. `console`: where to look, with {name},
    {id} and {region} filled in. `everywhere`: also in Regions that nobody deployed in. `held_by`: the kind that it
    cannot go before.
    """

    kind: str
    service: str
    find: Callable[[object], Iterable[Thing]]
    console: str
    made_by: tuple[str, ...] = ()
    everywhere: bool = False
    held_by: str = ""


def items(client, operation: str, path: str, **given) -> Iterator:
    """All items of a list at `path` (dotted) of an operation's answers, page after page."""
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**given):
            yield from _at(page, path)
        return
    while True:
        page = getattr(client, operation)(**given)
        yield from _at(page, path)
        marks = _at(page, path.rpartition(".")[0], {}) if "." in path else page
        marker = marks.get("NextMarker") or marks.get("NextToken")
        if not marker:
            return
        given["Marker" if "NextMarker" in marks else "NextToken"] = marker


def looked_at(look: Callable[..., dict], **which) -> dict:
    """What a closer look at something shows, or nothing where a list has shown what is gone already."""
    try:
        return look(**which)
    except ClientError as error:
        if not gone(error):
            raise
        return {}


def gone(error: Exception) -> bool:
    """Whether a service says that there is no such thing."""
    code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
    return any(word in code for word in _GONE)


def _at(page, path: str, default=()):
    for part in path.split("."):
        page = page.get(part) or default
        if page == default:
            return default
    return page
