"""Passes connections on to one address, byte for byte: a sandbox's only way out to an endpoint that is not ours."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

_CHUNK = 1 << 16
_STOP_SECONDS = 5.0


class Forwarder:
    """Whatever connects to a listener given to serve() talks to `host`:`port`, by TLS where `tls` says so.

    Use as a context manager. A connection that the other end refuses is closed.
    """

    def __init__(self, host: str, port: int, tls: bool = False) -> None:
        self._host, self._port = host, port
        self._tls = ssl.create_default_context() if tls else None
        self._tasks: set[asyncio.Task] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kata-forwarder", daemon=True)

    def __enter__(self) -> Forwarder:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        self._loop.close()

    @contextlib.contextmanager
    def serve(self, listener: socket.socket) -> Iterator[None]:
        """Serve a listening socket for as long as the context lasts; it is closed then. From any thread."""
        server = self._do(asyncio.start_server(self._connected, sock=listener))
        try:
            yield
        finally:
            self._do(_close(server))

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_STOP_SECONDS)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._join(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = self._host if self._tls else None
        far_reader, far_writer = await asyncio.open_connection(
            self._host, self._port, ssl=self._tls, server_hostname=name
        )
        both = [asyncio.create_task(_pump(reader, far_writer)), asyncio.create_task(_pump(far_reader, writer))]
        try:  # neither HTTP clients nor servers close one half only
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
            far_writer.close()
            await asyncio.gather(*both, return_exceptions=True)

    async def _end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()


async def _close(server: asyncio.Server) -> None:
    server.close()
