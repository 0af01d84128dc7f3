"""A sandbox's only way out to an account: each request is read, written to the ledger where it may change something,
and only then sent.

What the code in a sandbox says about itself is not asked for, so code with its own idea of HTTP is in the ledger too.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from cloudkata.targets.calls import made_in, read_call
from cloudkata.targets.ledger import Ledger, LedgerError

_BODY_BYTES = 64 << 20
_CONNECTIONS = 128
_STOP_SECONDS = 30.0  # a request that has gone out is waited for: its answer belongs into the ledger
_IDLE_SECONDS = 75.0
_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}
)


@dataclass(frozen=True)
class Request:
    """A request as it came: `target` is the path with the query, `headers` in order, as they were spelt."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(default=b"", repr=False)

    @property
    def lower(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(default=b"", repr=False)


class Relay:
    """Answers sandboxes' listeners with what `send` brings back for a request. Use as a context manager.

    `send` is called in a thread of the connection's and may raise OSError, which becomes a 502. `refuse` may return a
    sentence for a request that must not go out.
    """

    def __init__(
        self,
        ledger: Ledger,
        send: Callable[[Request], Answer],
        refuse: Callable[[Request], str] = lambda request: "",
    ) -> None:
        self._ledger, self._send, self._refuse = ledger, send, refuse
        self._open: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(_CONNECTIONS)

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_) -> None:
        """No more is read from anybody; what has gone out already is waited for."""
        with self._lock:
            sockets, threads = list(self._open), list(self._threads)
        for one in sockets:
            _shut(one, socket.SHUT_RD)
        for thread in threads:
            thread.join(_STOP_SECONDS)

    @contextlib.contextmanager
    def serve(self, listener: socket.socket) -> Iterator[None]:
        """Serve a listening socket for as long as the context lasts; it is closed then. From any thread."""
        listener.setblocking(True)
        accepting = threading.Thread(target=self._accept, args=(listener,), name="kata-relay", daemon=True)
        accepting.start()
        try:
            yield
        finally:
            _shut(listener, socket.SHUT_RDWR)
            accepting.join(_STOP_SECONDS)
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if not self._room.acquire(blocking=False):
                connection.close()
                continue
            thread = threading.Thread(target=self._serve, args=(connection,), name="kata-relayed", daemon=True)
            with self._lock:
                self._open.add(connection)
                self._threads.add(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError), connection:
                _Connection(connection, self)
        finally:
            with self._lock:
                self._open.discard(connection)
                self._threads.discard(threading.current_thread())
            self._room.release()

    def pass_on(self, request: Request) -> Answer:
        """Write down what a request may change, send it, and write down what it came to."""
        if why := self._refuse(request):
            return refusal(request, 403, "AccessDenied", why)
        called = read_call(request.method, request.target, request.lower, request.body)
        try:
            number = self._ledger.before(called.service, called.operation, called.names) if called.changes else 0
        except LedgerError as error:
            return refusal(request, 400, "LedgerUnavailable", str(error))
        try:
            answer = self._send(request)
        except (OSError, http.client.HTTPException) as error:
            return refusal(request, 502, "BadGateway", f"AWS was not reached: {error}")
        if number:
            headers = {name.lower(): value for name, value in answer.headers}
            made = made_in(answer.body, headers) if answer.status < 300 else ()
            self._ledger.after(number, answer.status, made)
        return answer


def refusal(request: Request, status: int, code: str, message: str) -> Answer:
    """An error as the caller's own protocol has it, so that its client shows the sentence."""
    headers = request.lower
    scope = headers.get("authorization", "")
    if (
        "x-amz-target" in headers
        or headers.get("content-type", "").startswith("application/json")
        or "/lambda/" in scope
    ):
        body, kind = json.dumps({"__type": code, "message": message, "Message": message}), "application/json"
    else:
        safe = message.replace("&", "&amp;").replace("<", "&lt;")
        error = f"<Code>{code}</Code><Message>{safe}</Message>"
        bare = "/s3/" in scope
        body = f"<Error>{error}</Error>" if bare else f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
        kind = "text/xml"
    return Answer(status, (("Content-Type", kind), ("x-amzn-ErrorType", code)), body.encode())


def plain(host: str, port: int, seconds: float = 120.0) -> Callable[[Request], Answer]:
    """A `send` for what answers at an address as AWS does: requests go there as they came, so signatures hold."""

    def send(request: Request) -> Answer:
        headers = [(name, value) for name, value in request.headers if name.lower() not in {*_HOP, "expect"}]
        return exchange(http.client.HTTPConnection(host, port, timeout=seconds), request, headers)

    return send


def exchange(connection: http.client.HTTPConnection, request: Request, headers: Iterable[tuple[str, str]]) -> Answer:
    """The answer to a request that is sent with these headers and its length, over a connection that ends with it."""
    try:
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            if name.lower() != "content-length":
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body)
        reply = connection.getresponse()
        return Answer(reply.status, tuple(reply.getheaders()), reply.read())
    finally:
        connection.close()


class _Connection(http.server.BaseHTTPRequestHandler):
    """One connection of a sandbox's: requests one after the other, HTTP/1.1."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True

    def __init__(self, connection: socket.socket, relay: Relay) -> None:
        self._relay = relay
        super().__init__(connection, ("sandbox", 0), None)  # type: ignore[arg-type]

    def _handle(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        answer = self._relay.pass_on(Request(self.command, self.path, tuple(self.headers.items()), body))
        self.send_response_only(answer.status)
        empty = self.command == "HEAD" or answer.status in (204, 304)
        length = next((value for name, value in answer.headers if name.lower() == "content-length"), "0")
        for name, value in answer.headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", length if empty else str(len(answer.body)))
        self.end_headers()
        if not empty:
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _handle  # noqa: N815

    def _body(self) -> bytes | None:
        """The request's body, or None where there is no telling where it ends, or it is too long."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= _BODY_BYTES:
            self.send_error(413)
            return None
        body = self.rfile.read(length)
        return body if len(body) == length else None

    def _chunks(self) -> bytes | None:
        body = bytearray()
        while True:
            try:
                size = int(self.rfile.readline(100).split(b";")[0], 16)
            except ValueError:
                return None
            if not 0 <= size <= _BODY_BYTES - len(body):
                self.send_error(413)
                return None
            body += self.rfile.read(size)
            ending = self.rfile.readline(1000)
            if size == 0:
                while ending not in (b"\r\n", b"\n", b""):  # trailers
                    ending = self.rfile.readline(1000)
                return bytes(body)

    def log_message(self, *_) -> None:
        pass


def _shut(one: socket.socket, how: int) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(how)
