"""What the front door remembers of each request: the evidence that checks and proofs rest on."""

from __future__ import annotations

import re
import threading
from collections import deque
from dataclasses import asdict, dataclass

_LOG_ENTRIES = 50_000
_SCOPE = re.compile(r"Credential=[^/,]+/\d{8}/[^/,]+/([a-z0-9-]{1,40})/aws4_request")
_ACTION = re.compile(rb"(?:^|&)Action=(\w{1,100})")
_CODE = re.compile(rb'"__type"\s*:\s*"(?:[^"#]*#)?([^"#]{1,100})"|<Code>([^<]{1,100})</Code>')


@dataclass(frozen=True)
class Entry:
    """One request: `time` in seconds since the epoch, `operation` as named by the protocol or METHOD path.

    `service` is the one that it was signed for, empty without a signature; `error` the code of a refusal; `carried`
    names the watched texts that stood in it.
    """

    number: int
    time: float
    key_set: str
    account: str
    service: str
    operation: str
    path: str
    status: int
    via: str
    error: str = ""
    carried: tuple[str, ...] = ()


class RequestLog:
    """The last requests, oldest first. Thread-safe."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_LOG_ENTRIES)
        self._lock = threading.Lock()
        self._number = 0

    def add(self, **fields) -> None:
        with self._lock:
            self._number += 1
            self._entries.append(Entry(number=self._number, **fields))

    def since(self, number: int, account: str = "") -> list[dict]:
        with self._lock:
            found = [entry for entry in self._entries if entry.number > number]
        return [asdict(entry) for entry in found if not account or entry.account == account]

    @property
    def last(self) -> int:
        return self._number


class Call:
    """One request while it passes: what it names, and how it is answered."""

    def __init__(self, headers: dict[str, str], operation: str) -> None:
        self.operation, self.status, self.error = operation, 0, ""
        found = _SCOPE.search(headers.get("authorization", ""))
        self.service = found.group(1) if found else ""
        # the query protocol (IAM, STS, SNS) names the operation in its body
        self._form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")

    def sent(self, body: bytes) -> None:
        """A part of the request's body."""
        if self._form and (found := _ACTION.search(body)):
            self.operation, self._form = found.group(1).decode(), False

    def answered(self, start) -> None:
        """The head of the answer, as an ASGI message."""
        self.status = start["status"]
        for name, value in start.get("headers", ()):
            if self.status >= 400 and name.lower() == b"x-amzn-errortype":
                self.error = value.decode("latin-1").split(":")[0].rpartition("#")[2]

    def said(self, body: bytes) -> None:
        """A part of the answer's body."""
        if self.status >= 400 and not self.error and (found := _CODE.search(body)):
            self.error = (found.group(1) or found.group(2)).decode("utf-8", "replace")
