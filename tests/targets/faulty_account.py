"""A played account that is as slow and as moody as AWS: some answers are errors that the engine itself does not give."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
from collections.abc import Iterator
from pathlib import Path

from played_account import Played, in_account

from cloudkata.targets.calls import read_call
from cloudkata.targets.relay import Answer, Relay, Request, plain, refusal

ROLE_UNKNOWN = ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
THROTTLED = ("ThrottlingException", "Rate exceeded")
TOO_MANY = ("TooManyRequestsException", "Rate exceeded")
EXPIRED = ("ExpiredTokenException", "The security token included in the request is expired")
DENIED = ("AccessDeniedException", "User: somebody is not authorized to perform: x:Y")
IN_USE = ("ResourceInUseException", "Table is being changed")
BROKEN = ("ServiceUnavailableException", "Service unavailable")


class Faults:
    """What goes wrong: for an operation, errors for the next `times` calls. `met` are the operations that were hit."""

    def __init__(self, send) -> None:
        self._send = send
        self._rules: dict[str, list] = {}
        self.met: list[str] = []

    def add(self, operation: str, error: tuple[str, str], times: int = 1000, status: int = 400) -> None:
        self._rules[operation] = [error, times, status]

    def send(self, request: Request) -> Answer:
        called = read_call(request.method, request.target, request.lower, request.body)
        rule = self._rules.get(called.operation)
        if rule is None or not rule[1]:
            return self._send(request)
        rule[1] -= 1
        self.met.append(called.operation)
        (code, message), _, status = rule
        return refusal(request, status, code, message)


class _NoLedger:
    def before(self, *_) -> int:
        return 1

    def after(self, *_) -> None:
        pass


@contextlib.contextmanager
def faulty(engine, folder: Path) -> Iterator[tuple[Played, Faults]]:
    """(an account on an engine whose profile leads through what goes wrong, what does)."""
    faults = Faults(plain("127.0.0.1", engine.port))
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with Relay(_NoLedger(), faults.send) as relay, relay.serve(listener):
        played = in_account(engine, folder)
        played.profile("moody", endpoint_url=url)
        yield dataclasses.replace(played), faults
