"""The `lab` of a check: the deployed lab as its proof sees it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from cloudkata.checking.waiting import eventually
from cloudkata.targets.session import Session

_SYLLABLES = ("ba", "de", "fi", "go", "ha", "ju", "ka", "li", "mo", "na", "pe", "ri", "so", "tu", "ve", "wi", "zo")


class Draw:
    """Inputs drawn afresh each run from the attempt's seed and the check's own id."""

    def __init__(self, seed: int, check: str) -> None:
        self.random = random.Random(f"{seed}/{check}")

    def word(self) -> str:
        return "".join(self.random.choice(_SYLLABLES) for _ in range(4))

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


class CheckedLab:
    """The verified outputs, clients with the checks' own keys, and the target's patience."""

    def __init__(self, session: Session, outputs: dict[str, str], seed: int, check: str) -> None:
        self.outputs = outputs
        self.draw = Draw(seed, check)
        self._session = session

    def client(self, service: str):
        """A boto3 client with the checks' own keys."""
        return self._session.client(service, self._session.checks)

    def invoke(self, function: str, event: object) -> Reply:
        """Call a function and wait for its answer."""
        reply = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        text = reply["Payload"].read()
        try:
            value = json.loads(text)
        except ValueError:
            value = text.decode("utf-8", "replace")
        return Reply(value, reply.get("FunctionError"), reply.get("ExecutedVersion", ""))

    def eventually(self, assertion, within: str = "poll"):
        """Wait for `assertion` as long as the target allows for "call", "propagation", "poll" or "edge"."""
        return eventually(assertion, self._session.patience[within])

    def settle(self, seconds: float = 30.0) -> None:
        """Wait until the target has nothing left to do. Raises TimeoutError when it does not come to rest."""
        pending = self._session.clock.settle(seconds)
        if pending:
            raise TimeoutError("the target did not come to rest: " + "; ".join(pending))
