"""Plain HTTP requests, as a browser sends them: to a URL that the lab's target serves."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_SECONDS = 30.0


@dataclass(frozen=True)
class Page:
    """An answer. Header names are in lower case; the values of one that came more than once are joined by ", "."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> object:
        """The body as JSON, or None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):  # what a learner's code sent
            return None


def request(
    method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | str = b"", door: str = ""
) -> Page:
    """Send one request and read the answer; redirects are not followed.

    `door` is the address ("http://127.0.0.1:1234") that answers for every host name of an emulator; without it the
    URL's own host is asked. Raises OSError or http.client.HTTPException when nobody answers.
    """
    asked = urlsplit(url)
    place = urlsplit(door) if door else asked
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    sent = {"Host": asked.netloc, **(headers or {})}
    if door and asked.scheme == "https":
        sent["X-Forwarded-Proto"] = "https"  # the door itself takes plain HTTP only
    connection = kind(place.hostname or "", place.port, timeout=_SECONDS)
    try:
        path = (asked.path or "/") + (f"?{asked.query}" if asked.query else "")
        connection.request(method, path, body.encode() if isinstance(body, str) else body or None, sent)
        reply = connection.getresponse()
        content = reply.read()
    finally:
        connection.close()
    found: dict[str, str] = {}
    for name, value in reply.getheaders():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return Page(reply.status, found, content)
