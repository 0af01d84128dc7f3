"""What the parts of a running engine share."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from cloudkata.engine.activity import Activity
from cloudkata.engine.clock import AwsClock
from cloudkata.engine.front_door import FrontDoor
from cloudkata.engine.keys import KeyRing
from cloudkata.engine.owners import Owners
from cloudkata.engine.packages import CodeStore
from cloudkata.engine.seams import Seams


@dataclass
class Context:
    """One engine: its folder, its front door and the services behaviours build on."""

    state: Path
    port: int
    isolated: bool
    clock: AwsClock
    activity: Activity
    keys: KeyRing
    code: CodeStore
    seams: Seams
    owners: Owners = field(default_factory=Owners)
    door: FrontDoor | None = None
    loop: asyncio.AbstractEventLoop | None = None
    serve: Callable[..., Awaitable[asyncio.Server]] | None = None  # called with (listener, application)
    after_install: list[Callable[[], None]] = field(default_factory=list)
    behaviours: list[str] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open_way(self, listener: socket.socket, name: str) -> Callable[[], None]:
        """Take `listener` over and answer what connects to it, logged under `name`; from any thread.

        Returns what closes it again.
        """
        assert self.loop is not None and self.door is not None and self.serve is not None
        loop = self.loop
        server = asyncio.run_coroutine_threadsafe(self.serve(listener, self.door.via(name)), loop).result(10)
        return lambda: loop.call_soon_threadsafe(server.close) and None
