"""What came through the front door, as evidence: which operation, by whose key, carrying what."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """One request of the attempt's account. `operation` is the protocol's name for it, or METHOD path.

    `key_set` is "learner", "functions", "checks", "derived" (made from those with IAM or STS) or "unsigned"; `via` says
    which sandbox it came from: "deploy", "call", a function's name, or "loopback" for none.
    """

    number: int
    time: float
    operation: str
    path: str
    status: int
    key_set: str
    via: str
    carried: tuple[str, ...] = ()


def requests(engine, account: str, since: int = 0) -> list[Request]:
    """The requests of `account` after request number `since`, oldest first."""
    return [_request(entry) for entry in engine.requests(since, account)["entries"]]


@contextlib.contextmanager
def watching(engine, account: str, texts: dict[str, str]) -> Iterator[list[Request]]:
    """Yields a list that holds the requests made in the context once it has ended.

    `carried` of each names those of `texts` that stood in it: plain, escaped, in base64, in hexadecimal digits.
    """
    run = secrets.token_hex(4)  # others may watch on the same engine
    since = engine.requests(1 << 62)["last"]
    seen: list[Request] = []
    with contextlib.ExitStack() as stack:
        for name, text in texts.items():
            stack.enter_context(engine.watching(f"{run}/{name}", text))
        yield seen
    seen += [_request(entry, run) for entry in engine.requests(since, account)["entries"]]


def _request(entry: dict, run: str = "") -> Request:
    carried = (name.partition("/") for name in entry["carried"])
    known = {name: entry[name] for name in Request.__dataclass_fields__ if name != "carried"}
    return Request(**known, carried=tuple(name for owner, _, name in carried if owner == run))
