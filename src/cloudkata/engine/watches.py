"""Tells whether a text stood in a request, without keeping what was sent.

A check names a secret before it is used; each request that carries it, in whatever usual form, is marked in the log.
Nobody is watched otherwise, and no body is kept: only the name of the watch.
"""

from __future__ import annotations

import base64
import gzip
import json
import threading
import zlib
from urllib.parse import quote, quote_plus, unquote_to_bytes

_BODY_BYTES = 4 << 20  # what is longer is looked at so far
_SHORTEST = 8  # characters: anything shorter stands everywhere by chance


class Watches:
    """The texts that are looked for, by name. Thread-safe."""

    def __init__(self) -> None:
        self._forms: dict[str, tuple[bytes, ...]] = {}
        self._lock = threading.Lock()

    def add(self, name: str, text: str) -> None:
        """Look for `text` from now on. Raises ValueError for one that is too short to mean anything."""
        if len(text) < _SHORTEST:
            raise ValueError(f"a text to look for has {_SHORTEST} characters at least")
        with self._lock:
            self._forms = {**self._forms, name: _forms(text)}

    def remove(self, name: str) -> None:
        with self._lock:
            self._forms = {other: forms for other, forms in self._forms.items() if other != name}

    def look(self, scope, receive) -> tuple[Look | None, object]:
        """(what will say which texts were carried, what to receive the request from); nothing if nobody watches."""
        if not self._forms:
            return None, receive
        look = Look(self._forms, scope)
        return look, look.receiving(receive)


class Look:
    """One request as it passes."""

    def __init__(self, forms: dict[str, tuple[bytes, ...]], scope) -> None:
        self._forms = forms
        self._head = b"\n".join(
            [
                scope.get("raw_path", b"") or scope["path"].encode(),
                scope.get("query_string", b""),
                *(name + b": " + value for name, value in scope.get("headers", ())),
            ]
        )
        self._body = bytearray()

    def receiving(self, receive):
        async def watched():
            message = await receive()
            self._body += message.get("body", b"")[: max(0, _BODY_BYTES - len(self._body))]
            return message

        return watched

    def carried(self) -> tuple[str, ...]:
        """The names of the texts that stood in what has passed so far."""
        body = _plain(bytes(self._body))
        spread = b"\n".join((self._head, unquote_to_bytes(self._head), body, unquote_to_bytes(body), _strings(body)))
        lower = spread.lower()
        return tuple(
            name
            for name, forms in self._forms.items()
            if any(form in spread for form in forms) or forms[-1] in lower  # hexadecimal digits, in either case
        )


def _plain(body: bytes) -> bytes:
    """A body as it was before it was packed."""
    for unpack in (gzip.decompress, zlib.decompress):
        try:
            return unpack(body)[:_BODY_BYTES]
        except (OSError, EOFError, zlib.error):
            continue
    return body


def _strings(body: bytes) -> bytes:
    """All texts of a JSON body with their escapes undone."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return b""


def _forms(text: str) -> tuple[bytes, ...]:
    """A text as itself, escaped, and in base64 wherever it begins in what was encoded; hexadecimal is the last."""
    raw = text.encode()
    found = {raw, raw[::-1], quote(text).encode(), quote_plus(text).encode()}
    found |= {json.dumps(text, ensure_ascii=ascii)[1:-1].encode() for ascii in (True, False)}
    for encoding in ("utf-16-le", "utf-16-be"):
        found.add(text.encode(encoding))
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw)
        # The first and last characters depend on what stands beside the text: leave them out.
        inner = whole[(0, 2, 3)[before] : len(whole) - (0, 3, 2)[(before + len(raw)) % 3]]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return (*found, raw.hex().encode())
