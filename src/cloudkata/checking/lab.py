"""The `lab` of a check: the deployed lab as its proof sees it."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from cloudkata.checking.requests import Request, requests, watching
from cloudkata.checking.waiting import eventually
from cloudkata.deployment.crew import Crew
from cloudkata.deployment.learner import Called, Caller
from cloudkata.targets import web
from cloudkata.targets.session import Clock, Keys, Session

_Made = TypeVar("_Made")
_SYLLABLES = ("ba", "de", "fi", "go", "ha", "ju", "ka", "li", "mo", "na", "pe", "ri", "so", "tu", "ve", "wi", "zo")
_IN_A_WORD = 6  # 24 million words: an attempt draws some fifty, and must draw none of them twice


class Draw:
    """Inputs drawn afresh each run from the attempt's seed and the check's own id."""

    def __init__(self, seed: int, check: str) -> None:
        self.random = random.Random(f"{seed}/{check}")

    def word(self) -> str:
        return "".join(self.random.choice(_SYLLABLES) for _ in range(_IN_A_WORD))

    def names(self, count: int) -> list[str]:
        """Different capitalised names."""
        found: set[str] = set()
        while len(found) < count:
            found.add(self.word().capitalize())
        return sorted(found)


@dataclass(frozen=True)
class Reply:
    """What an invocation answered: `error` is None, "Handled" or "Unhandled"; `value` the JSON it returned."""

    value: object
    error: str | None
    version: str

    @property
    def failure(self) -> str:
        """What went wrong, in the function's own words, or "" when it answered."""
        if not self.error:
            return ""
        if not isinstance(self.value, dict):
            return f"{self.error}: {self.value}"
        return f"{self.error}: {self.value.get('errorType')}: {self.value.get('errorMessage')}"


class NoScripts(Exception):
    """A check calls a script, but only what was deployed is graded."""


@dataclass(frozen=True)
class Deployed:
    """What the checks of an attempt work on: what deploying came to, and the processes to call scripts in.

    `crew` is None where only what somebody deployed is graded.
    """

    session: Session
    outputs: dict[str, str]
    crew: Crew | None
    seed: int
    lacking: dict[str, str] = field(default_factory=dict)  # behaviours the target does not show: what was seen
    kept: dict[str, object] = field(default_factory=dict)  # what a check leaves for those after it


class OtherAccount:
    """An account that is not the learner's, with clients of its own."""

    def __init__(self, session: Session) -> None:
        self.number = session.account
        self._session = session

    def client(self, service: str):
        return self._session.client(service, self._session.checks)


class CheckedLab:
    """The verified outputs, clients with the checks' own keys, and the target's patience. One check has one."""

    def __init__(self, deployed: Deployed, check: str) -> None:
        self.outputs = deployed.outputs
        self.draw = Draw(deployed.seed, check)
        self._deployed = deployed
        self._session = deployed.session
        self._stack = contextlib.ExitStack()
        self._own_caller: Caller | None = None

    def close(self) -> None:
        """Give back the processes that the check was lent."""
        self._stack.close()

    def call(self, function: str, *args, seconds: float = 60.0) -> Called:
        """Call function(lab, *args) of the learner's script, in one sandboxed process for the whole check."""
        return self.own_caller.call(function, *args, seconds=seconds)

    @property
    def own_caller(self) -> Caller:
        """The process of call(), for a check that stops it on the way: the same for a check, until it is lost."""
        if self._own_caller is None or not self._own_caller.usable:
            self._own_caller = self.caller()
        return self._own_caller

    def caller(self) -> Caller:
        """One more such process, for calls that race with others; it may be ended in the middle of one."""
        if self._deployed.crew is None:
            raise NoScripts
        return self._stack.enter_context(self._deployed.crew.lend())

    @property
    def clock(self) -> Clock:
        """`lab.clock.advance(seconds)` moves AWS time forward, for checks that need "clock.advance".

        `lab.clock.wait(seconds)` moves it as well where it `moves`, and elsewhere waits, for a minute or so at most.
        `with lab.clock.paced(1.0):` has it run as fast as real time: what a function takes is as long for time-outs.
        """
        return self._session.clock

    def once(self, name: str, make: Callable[[], _Made]) -> _Made:
        """What `make()` returned when a check of this attempt first asked for `name`.

        For observations that several claims rest on. What `make` raises is not kept.
        """
        if name not in self._deployed.kept:
            self._deployed.kept[name] = make()
        return self._deployed.kept[name]  # type: ignore[return-value]

    def client(self, service: str, keys: Keys | None = None):
        """A boto3 client with the checks' own keys, or with others, such as temporary ones."""
        return self._session.client(service, keys or self._session.checks)

    def other_account(self) -> OtherAccount:
        """A new account on the same target, to ask from outside. Raises LookupError where there is none."""
        if self._session.elsewhere is None:
            raise LookupError("this target has no second account")
        return OtherAccount(self._session.elsewhere())

    def invoke(self, function: str, event: object) -> Reply:
        """Call a function and wait for its answer."""
        reply = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        text = reply["Payload"].read()
        try:
            value = json.loads(text)
        except ValueError:
            value = text.decode("utf-8", "replace")
        return Reply(value, reply.get("FunctionError"), reply.get("ExecutedVersion", ""))

    def requests(self, since: int = 0) -> list[Request]:
        """What came through the front door for the attempt's account after request number `since`, oldest first."""
        return requests(self._session.engine, self._session.account, since)

    def watching(self, **texts: str):
        """`with lab.watching(password=...) as seen: ...`: afterwards `seen` holds the requests made in between.

        `carried` of each says which of the texts, of 8 characters at least, stood in it.
        """
        return watching(self._session.engine, self._session.account, texts)

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> web.Page:
        """What a browser gets for `url`, which is on a host name of the target; redirects are not followed."""
        return self.http("GET", url, headers)

    def http(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | str = b""
    ) -> web.Page:
        """The same for any method; `body` is sent where there is one."""
        return web.request(method, url, headers, body, door=self._session.endpoint)

    def resigned(self, token: str, **claims) -> str:
        """A user pool's token with other claims, signed by the pool again; a check that asks needs cognito.resign."""
        return self._session.engine.resigned(token, claims)  # type: ignore[attr-defined]

    def eventually(self, assertion, within: str = "poll"):
        """Wait for `assertion` as long as the target allows for "call", "propagation", "poll" or "edge"."""
        return eventually(assertion, self._session.patience[within])

    def settle(self, seconds: float = 30.0) -> None:
        """Wait until the target has nothing left to do. Raises TimeoutError when it does not come to rest."""
        pending = self._session.clock.settle(seconds)
        if pending:
            raise TimeoutError("the target did not come to rest: " + "; ".join(pending))
