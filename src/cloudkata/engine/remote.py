"""An engine that runs, as asked by whoever may open its control socket."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import dataclass
from pathlib import Path


class EngineError(Exception):
    """The engine did not start, died, or refused what was asked of it."""


@dataclass(frozen=True)
class IssuedKey:
    """A key for one account of the engine."""

    account: str
    access_key_id: str
    secret_access_key: str


class Remote:
    """The engine whose folder is `state` and whose front door is on `port`; somebody else may have started it."""

    def __init__(self, state: Path, port: int) -> None:
        self.state = state
        self.port = port

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether it answers."""
        try:
            self.status()
        except EngineError:
            return False
        return True

    @property
    def fault(self) -> str:
        """Why its answers cannot be relied on any more, or ""."""
        return "" if self.alive else "the engine ended"

    def ask(self, method: str, path: str, body: dict | None = None, seconds: float = 60.0) -> dict:
        """A request to the control socket. Raises EngineError when the engine is gone or refuses."""
        import http.client

        connection = http.client.HTTPConnection("engine")
        try:
            connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.sock.settimeout(seconds)
            connection.sock.connect(str(self.state / "admin.sock"))
            connection.request(method, path, json.dumps(body or {}))
            reply = connection.getresponse()
            answer = json.loads(reply.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EngineError(f"the engine does not answer: {error}") from error
        finally:
            connection.close()
        if reply.status != 200:
            raise EngineError(f"the engine refused: {answer.get('error')}")
        return answer

    def issue(self, key_set: str, account: str = "") -> IssuedKey:
        """A new key of a set ("learner", "functions", "checks") for `account`, or for a new one."""
        answer = self.ask("POST", "/keys", {"set": key_set, "account": account})
        return IssuedKey(answer["account"], answer["id"], answer["secret"])

    def settle(self, seconds: float = 30.0) -> list[str]:
        """Wait until the engine has nothing left to do; what is still pending after `seconds` of real time."""
        return self.ask("POST", "/settle", {"seconds": seconds}, seconds + 10)["pending"]

    def advance(self, seconds: float) -> float:
        """Move AWS time forward; the new time in seconds since the epoch."""
        return self.ask("POST", "/advance", {"seconds": seconds})["now"]

    moves = True  # advance() is there

    def wait(self, seconds: float) -> None:
        """Let AWS time pass: it is moved."""
        self.advance(seconds)

    def set_factor(self, factor: float) -> None:
        self.ask("POST", "/factor", {"factor": factor})

    @contextlib.contextmanager
    def paced(self, factor: float):
        """Have AWS time run `factor` times as fast as real time for as long as the context lasts."""
        before = self.status()["factor"]
        self.set_factor(factor)
        try:
            yield
        finally:
            self.set_factor(before)

    def requests(self, since: int = 0, account: str = "") -> dict:
        """The request log: {"last": number, "entries": [...]}."""
        return self.ask("GET", f"/log?since={since}&account={account}")

    @contextlib.contextmanager
    def watching(self, name: str, text: str):
        """Have the log name `name` in `carried` of each request that has `text` in it, in any usual form."""
        self.ask("POST", "/watch", {"name": name, "text": text})
        try:
            yield
        finally:
            self.ask("POST", "/unwatch", {"name": name})

    def messages(self, account: str) -> list[dict]:
        """What services sent by mail on behalf of an account, oldest first: {"to": [...], "subject", "text"}."""
        return self.ask("GET", f"/messages?account={account}")["messages"]

    def resigned(self, token: str, claims: dict) -> str:
        """A user pool's token with some claims changed, signed by the pool again: one that has expired, for example."""
        return self.ask("POST", "/resign", {"token": token, "claims": claims})["token"]

    def status(self) -> dict:
        return self.ask("GET", "/status")

    @contextlib.contextmanager
    def way(self, listener: socket.socket, name: str):
        """Have the front door answer `listener` (from a sandbox of ours) for as long as the context lasts."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                with listener:
                    connection.settimeout(10)
                    connection.connect(str(self.state / "ways.sock"))
                    socket.send_fds(connection, [name.encode()[:200] or b"?"], [listener.fileno()])
                taken = connection.recv(1)
            except OSError as error:
                raise EngineError(f"the engine does not answer: {error}") from error
            if taken != b"1":
                raise EngineError("the engine did not take the sandbox's listener")
            yield
