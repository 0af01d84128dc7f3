"""The process that owns the engine of `kata up`: started detached, it ends when the engine does, or when it is told to.

Run as `python -m cloudkata.targets.keeper DESCRIPTOR`; one line on the descriptor says "ready", or what is wrong.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import threading
import time

from cloudkata.engine.process import Engine
from cloudkata.engine.remote import EngineError
from cloudkata.targets.embedded import FACTOR
from cloudkata.targets.up import Up, announce, runtime_folder, take_lock, withdraw

_LOOK_SECONDS = 0.5
_LOCK_SECONDS, _POLL_SECONDS = 1.0, 0.02


def main() -> None:
    said = os.fdopen(int(sys.argv[1]), "w", encoding="utf-8")
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, lambda *_: ended.set())
    try:
        folder = runtime_folder()
        lock = take_lock(folder)
        deadline = time.monotonic() + _LOCK_SECONDS
        while lock is None and time.monotonic() < deadline:  # who only looks has it for a moment
            time.sleep(_POLL_SECONDS)
            lock = take_lock(folder)
        if lock is None:  # another one was quicker: that one serves
            said.write("ready\n")
            said.close()
            return
        with Engine.start(factor=FACTOR) as engine:
            key = engine.issue("learner")
            up = Up(
                pid=os.getpid(),
                state=str(engine.state),
                port=engine.port,
                isolation=engine.isolation,
                account=key.account,
                access_key_id=key.access_key_id,
                secret_access_key=key.secret_access_key,
                token=secrets.token_hex(2),
            )
            announce(folder, up)
            try:
                said.write("ready\n")
                said.close()
                while engine.alive and not ended.wait(_LOOK_SECONDS):
                    pass
            finally:
                withdraw(folder)
    except EngineError as error:
        if not said.closed:
            said.write(f"{error}\n")
            said.close()
        sys.exit(1)


if __name__ == "__main__":
    main()
