"""The engine's own process: MiniStack behind the front door, and a control socket for its owner.

Started by engine.process as `python -m cloudkata.engine.server CONFIG`. It ends when its standard input does,
which is a pipe from the process that started it: however that one dies, nothing of the engine stays.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path

from cloudkata.engine import MINISTACK_VERSION, guard, settings

_KEEP_ALIVE_SECONDS = 75  # longer than a pooled connection of botocore is left alone
_GARBAGE_THRESHOLD = 20_000  # objects; Python's own is 700


def main() -> None:
    config = json.loads(sys.argv[1])
    ready = os.fdopen(config["ready"], "w", encoding="utf-8")
    state = Path(config["state"])
    try:
        _run(config, state, ready)
    except BaseException as error:
        if not ready.closed:
            ready.write(json.dumps({"error": f"{type(error).__name__}: {error}"}) + "\n")
            ready.close()
        raise
    finally:
        _end(state)


def _end(state: Path) -> None:
    shutil.rmtree(state, ignore_errors=True)


def _watch_owner(state: Path) -> None:
    """When the owner is gone, so is everything: sandboxes end with this process, the folder is removed here."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        _end(state)
        os._exit(0)

    threading.Thread(target=watch, name="kata-owner", daemon=True).start()


def _bind() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    return listener


def _check_version() -> None:
    from importlib.metadata import version

    if (found := version("ministack")) != MINISTACK_VERSION:
        raise RuntimeError(f"this cloudkata needs ministack {MINISTACK_VERSION}, found {found}: run `make venv` again")


def _run(config: dict, state: Path, ready) -> None:
    from cloudkata.sandbox.isolation import isolation
    from cloudkata.sandbox.launch import raise_open_files

    _check_version()
    listeners = [_bind()]
    port = listeners[0].getsockname()[1]
    if isolation().full:
        from cloudkata.sandbox.network import leave_network

        leave_network()
        inner = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        inner.bind(("127.0.0.1", port))
        inner.listen(64)
        listeners.append(inner)
    _watch_owner(state)
    os.environ.update(settings.environment(state, port))
    for folder in ("state", "s3", "tmp"):
        (state / folder).mkdir(exist_ok=True)
    raise_open_files()
    guard.put_up(state, config["behaviours"] is None or "function_environments" in config["behaviours"])
    asyncio.run(_serve(config, state, port, listeners, ready))


def _control_sockets(state: Path) -> tuple[socket.socket, socket.socket]:
    """The sockets of engine.control, for this user alone."""
    old = os.umask(0o177)
    try:
        made = []
        for name in ("admin.sock", "ways.sock"):
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(str(state / name))
            listener.listen(64)
            listener.setblocking(False)
            made.append(listener)
        return made[0], made[1]
    finally:
        os.umask(old)


def _http(config_class, application):
    """How the engine speaks HTTP to one application, on whatever socket."""
    made = config_class(
        application,
        http="httptools",
        ws="wsproto",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    made.load()
    return made


async def _serve(config: dict, state: Path, port: int, listeners: list[socket.socket], ready) -> None:
    from ministack.app import app as ministack
    from uvicorn.config import Config
    from uvicorn.lifespan.on import LifespanOn
    from uvicorn.server import ServerState

    from cloudkata.engine import behaviours, cognito_owners, control, viewers, walls
    from cloudkata.engine.activity import Activity
    from cloudkata.engine.apis import owners as apis
    from cloudkata.engine.clock import AwsClock
    from cloudkata.engine.context import Context
    from cloudkata.engine.front_door import FrontDoor
    from cloudkata.engine.keys import KeyRing
    from cloudkata.engine.packages import CodeStore
    from cloudkata.engine.seams import Seams
    from cloudkata.sandbox.isolation import isolation

    loop = asyncio.get_running_loop()

    async def serve(listener: socket.socket, application) -> asyncio.Server:
        config = _http(Config, application)
        listener.setblocking(False)

        def connected() -> asyncio.Protocol:
            return config.http_protocol_class(config=config, server_state=state_of_server, app_state={}, _loop=loop)

        return await loop.create_server(connected, sock=listener, backlog=128)

    state_of_server = ServerState()
    context = Context(
        state=state,
        port=port,
        isolated=isolation().full,
        clock=AwsClock(config["factor"]),
        activity=Activity(),
        keys=KeyRing(),
        code=CodeStore(state / "code"),
        seams=Seams(),
        loop=loop,
        serve=serve,
    )
    context.behaviours = behaviours.install(context, config["behaviours"])
    walls.register(context.seams)
    cognito_owners.register(context.owners)
    viewers.register(context.owners)
    apis.register(context.owners)
    context.seams.install()
    for start in context.after_install:
        start()
    door = context.door = FrontDoor(ministack, context.keys, context.clock.now, context.owners)

    lifespan = LifespanOn(_http(Config, door))
    await lifespan.startup()
    if lifespan.should_exit:
        raise RuntimeError("MiniStack could not be started")
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    for listener in listeners:
        await serve(listener, door)
    admin, ways = _control_sockets(state)
    await serve(admin, control.application(context, stop))
    ways_task = loop.create_task(control.take_listeners(context, ways))
    gc.freeze()  # what MiniStack's modules hold stays: looking through it again and again costs every request
    gc.set_threshold(_GARBAGE_THRESHOLD, 20, 20)
    ready.write(json.dumps({"port": port, "behaviours": context.behaviours, "isolation": isolation().level}) + "\n")
    ready.close()
    threading.Thread(target=importlib.import_module, args=("botocore.session",), daemon=True).start()
    await stop.wait()
    ways_task.cancel()
    _end(state)
    os._exit(0)  # worker threads and pollers of MiniStack are not waited for


if __name__ == "__main__":
    main()
