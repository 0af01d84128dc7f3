"""An account together with the engine it is on, for behaviours that only the embedded engine has."""

from __future__ import annotations

from dataclasses import dataclass

from support import Account

from cloudkata.engine.process import Engine


@dataclass(frozen=True)
class Clocked:
    """`engine` moves time and tells what is pending."""

    engine: Engine
    account: Account

    def client(self, service: str):
        return self.account.client(service)
