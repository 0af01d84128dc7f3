"""The embedded target: an engine of the attempt's own, or one that is shared by several."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from cloudkata.engine import REGION
from cloudkata.engine.process import Engine
from cloudkata.engine.remote import Remote
from cloudkata.targets.probes import examine
from cloudkata.targets.session import Keys, Session

# Real seconds that a check may wait, by why it waits; all state is in one process, so they are short.
_PATIENCE = {"call": 5.0, "propagation": 5.0, "poll": 15.0, "edge": 15.0}
FACTOR = 10.0  # a second of AWS time passes in a tenth
_WAITER_POLL = 0.05


class EmbeddedTarget:
    """Starts an engine and hands out sessions on it. Use as a context manager. Raises EngineError."""

    name = "embedded"

    engine: Remote

    def __init__(self) -> None:
        self._tried: dict[str, str] = {}

    def __enter__(self) -> EmbeddedTarget:
        self.engine = self._engine = Engine.start(factor=FACTOR)
        return self

    def __exit__(self, *_) -> None:
        self._engine.stop()

    def lacks(self, behaviours: Iterable[str]) -> dict[str, str]:
        """Those of `behaviours` that this target does not show, with what was seen; tried in another account."""
        unknown = [name for name in behaviours if name not in self._tried]
        for finding in examine(self.session("00"), only=unknown) if unknown else ():
            self._tried[finding.behaviour] = "" if finding.shown else finding.seen or "nothing"
        return {name: self._tried[name] for name in behaviours if self._tried[name]}

    def session(self, number: str) -> Session:
        """A new account with its two sets of keys, for one attempt at lab `number`."""
        learner = self.engine.issue("learner")
        keys = Keys(learner.access_key_id, learner.secret_access_key)
        return self.session_in(learner.account, keys, f"kata{number}-{secrets.token_hex(2)}")

    def session_in(self, account: str, learner: Keys, prefix: str) -> Session:
        """A session in an account that is there already, for whoever deploys with the keys `learner`."""
        checks = self.engine.issue("checks", account)
        return Session(
            target=self.name,
            endpoint=self.engine.endpoint,
            region=REGION,
            account=account,
            prefix=prefix,
            learner=learner,
            checks=Keys(checks.access_key_id, checks.secret_access_key),
            port=self.engine.port,
            patience=dict(_PATIENCE),
            clock=self.engine,
            waiter_poll=_WAITER_POLL,
            engine=self.engine,
            elsewhere=lambda: EmbeddedTarget.session(self, "00"),
        )


class JoinedTarget(EmbeddedTarget):
    """An engine that somebody else started and ends. Use as a context manager, like the other."""

    def __init__(self, engine: Remote) -> None:
        super().__init__()
        self.engine = engine

    def __enter__(self) -> JoinedTarget:
        return self

    def __exit__(self, *_) -> None:
        pass
