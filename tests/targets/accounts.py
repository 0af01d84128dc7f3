"""An account of an engine as a real account is used: every call of a sandbox goes through the relay, into a ledger."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from cloudkata.targets.ledger import Ledger
from cloudkata.targets.relay import Relay, plain
from cloudkata.targets.session import Session


@dataclass(frozen=True)
class LedgeredSession(Session):
    relay: Relay | None = field(default=None, repr=False, compare=False)

    @contextlib.contextmanager
    def way(self, listener, name: str):
        assert self.relay is not None
        with self.relay.serve(listener):
            yield


@contextlib.contextmanager
def ledgered(
    session: Session, lab: str, folder: Path, around: Callable = lambda send: send
) -> Iterator[tuple[LedgeredSession, Ledger]]:
    """(a session in the same account whose sandboxes are relayed, its ledger in `folder`)."""
    made = Ledger(session.account, session.region, session.prefix, lab, folder=folder)
    same = {one.name: getattr(session, one.name) for one in fields(Session) if one.name not in ("_clients", "ledger")}
    with Relay(made, around(plain("127.0.0.1", session.port))) as relay:
        yield LedgeredSession(**same, relay=relay, ledger=made), made
    made.close()
