"""Whose account a request without a key is for: the one that owns what the request names.

Some operations are public: an app client's id, an identity pool's or an API's stands where others have a key. Only an
id that exists leads to an account; a request that names none stays outside of all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_BODY_BYTES = 1 << 20  # what names nothing in its first megabyte names nothing


@dataclass(frozen=True)
class Unsigned:
    """A request without a key, as far as it may name something. Header names are lower case.

    `body` is empty unless the finder asked for it.
    """

    method: str
    path: str
    headers: dict[str, str]
    query: bytes
    body: bytes = b""


Finder = Callable[[Unsigned], str | None]


class Owners:
    """Asks each finder that was registered; the first account found counts."""

    def __init__(self) -> None:
        self._finders: list[tuple[Finder, Callable[[Unsigned], bool]]] = []

    def register(self, find: Finder, reads_body: Callable[[Unsigned], bool] = lambda request: False) -> None:
        """`find` answers with an account of twelve digits, or None; `reads_body` says whether it needs the body."""
        self._finders.append((find, reads_body))

    async def account(self, scope, headers: dict[str, str], receive) -> tuple[str, Callable]:
        """(the account or nothing, what to receive the request from now)."""
        if scope["type"] != "http":
            return "", receive
        request = Unsigned(scope["method"], scope["path"], headers, scope.get("query_string", b""))
        body: bytes | None = None
        for find, reads_body in self._finders:
            if not reads_body(request):
                found = find(request)
            else:
                if body is None:
                    body, receive = await _read(receive)
                found = find(Unsigned(request.method, request.path, headers, request.query, body))
            if found:
                return found, receive
        return "", receive


async def _read(receive) -> tuple[bytes, Callable]:
    """(the body, or nothing where it is too long, something that gives out all that was read once more)."""
    messages = []
    size = 0
    while True:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body") or size > _BODY_BYTES:
            break
    waiting = iter(messages)

    async def again():
        return next(waiting, None) or await receive()

    body = b"".join(message.get("body", b"") for message in messages)
    return (b"" if size > _BODY_BYTES else body), again
