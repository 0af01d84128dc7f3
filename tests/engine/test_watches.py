"""Whether a text stood in a request, in whatever form it was sent."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from urllib.parse import quote

import pytest

from cloudkata.engine.watches import Watches

SECRET = 'Tr0ub4dor&3/é+"x'


def carried(watches: Watches, body: bytes = b"", path: str = "/", query: bytes = b"", headers=(), chunk: int = 7):
    """The names of the watched texts that one request carries; its body comes in small parts."""
    parts = [body[at : at + chunk] for at in range(0, len(body), chunk)] or [b""]
    scope = {"type": "http", "path": path, "raw_path": path.encode(), "query_string": query, "headers": headers}

    async def receive():
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def run():
        look, receiving = watches.look(scope, receive)
        while (await receiving())["more_body"]:
            pass
        return look.carried()

    return asyncio.run(run())


@pytest.fixture
def watches():
    found = Watches()
    found.add("password", SECRET)
    return found


@pytest.mark.parametrize(
    "body",
    [
        SECRET.encode(),
        json.dumps({"PASSWORD": SECRET}).encode(),
        json.dumps({"PASSWORD": SECRET}, ensure_ascii=False).encode(),
        ("{" + f'"P": "{"".join(f"{chr(92)}u{ord(c):04x}" for c in SECRET)}"' + "}").encode(),
        quote(SECRET, safe="").encode(),
        SECRET.encode().hex().encode(),
        SECRET.encode().hex().upper().encode(),
        SECRET.encode("utf-16-le"),
        SECRET.encode()[::-1],
        gzip.compress(json.dumps({"P": SECRET}, ensure_ascii=False).encode(), mtime=0),
        *[
            base64.b64encode(b"x" * before + SECRET.encode() + b"y" * after)
            for before in range(4)
            for after in range(4)
        ],
        base64.urlsafe_b64encode(SECRET.encode() + b"?"),
    ],
)
def test_found_in_a_body_in_any_usual_form(watches, body):
    whole = body.startswith((b"{", b"\x1f"))  # JSON and gzip are read as such
    assert carried(watches, body if whole else b"before " + body + b" after") == ("password",)


def test_found_in_path_query_and_headers(watches):
    assert carried(watches, path="/" + quote(SECRET)) == ("password",)
    assert carried(watches, query=b"p=" + quote(SECRET).encode()) == ("password",)
    assert carried(watches, headers=[(b"x-note", base64.b64encode(SECRET.encode()))]) == ("password",)


def test_another_text_is_not_found(watches):
    other = SECRET[:-3] + "zzz"
    assert carried(watches, json.dumps({"P": other, "Q": other.encode().hex()}).encode()) == ()


def test_each_text_has_its_own_name_until_nobody_watches(watches):
    watches.add("token", "another-secret")
    assert carried(watches, b"another-secret") == ("token",)
    watches.remove("password")
    assert carried(watches, SECRET.encode() + b" another-secret") == ("token",)
    watches.remove("token")
    assert watches.look({}, None) == (None, None)


def test_a_text_that_stands_everywhere_is_refused(watches):
    with pytest.raises(ValueError, match="8 characters"):
        watches.add("short", "1234567")
