"""The endpoint target: LocalStack, MiniStack or anything else that answers as AWS does at a URL.

It is somebody else's program, so there is no control socket: no request log, no clock to move, nobody who knows whether
work is pending. Keys are made up here; the user's own are never read. LocalStack and MiniStack take an access key of
twelve digits for the account of that number, so each attempt has an account of its own there
(https://docs.localstack.cloud/aws/capabilities/config/credentials/); elsewhere it has a prefix alone.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import platform
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cloudkata.course.find import CourseError
from cloudkata.engine import REGION
from cloudkata.engine.remote import EngineError
from cloudkata.targets.forwarder import Forwarder
from cloudkata.targets.probes import examine
from cloudkata.targets.session import Keys, Session
from cloudkata.targets.sweep import sweep

# Real seconds that a check may wait, by why it waits: no clock is sped up there.
_PATIENCE = {"call": 10.0, "propagation": 20.0, "poll": 60.0, "edge": 60.0}
SETTLE_SECONDS = 6.0  # how long settle() waits, where nobody can say that nothing is left to do
LONGEST_WAIT_SECONDS = 75.0
_WAITER_POLL = 0.1
PROBING = "0x"  # stands for the lab's number where things are only tried
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0  # an emulator may load a service when it is first asked
_SECRET = "made-up"  # noqa: S105 (emulators do not look at it)
_FIRST_FREE_PORT = 1024  # below it a sandbox cannot listen
_REFUSED = ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AccessDenied")


@dataclass(frozen=True)
class Place:
    """Where an endpoint is."""

    url: str
    host: str
    port: int
    tls: bool

    @property
    def direct(self) -> bool:
        """Whether a sandbox can have it under the very address that it has outside."""
        return self.host == "127.0.0.1" and not self.tls and self.port >= _FIRST_FREE_PORT


def place_of(url: str) -> Place:
    """The place that a URL names. Raises CourseError with a sentence for people."""
    try:
        found = urlsplit(url)
        host, port = found.hostname or "", found.port
    except ValueError as error:
        raise CourseError(f"{url!r} is not a URL: {error}") from None
    example = "expected one like http://127.0.0.1:4566"
    if found.scheme not in ("http", "https") or not host:
        raise CourseError(f"{url!r} is not the URL of an endpoint: {example}")
    if found.path not in ("", "/") or found.query or found.fragment or found.username:
        raise CourseError(f"{url!r} has more than a host and a port: {example}")
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
        raise CourseError(f"{host} is AWS itself; the endpoint target is for emulators, such as LocalStack")
    tls = found.scheme == "https"
    host = "127.0.0.1" if host == "localhost" else host
    port = port or (443 if tls else 80)
    shown = f"[{host}]" if ":" in host else host
    return Place(f"{found.scheme}://{shown}:{port}", host, port, tls)


class RealTime:
    """The clock of a target that nobody can move. `longest`: what wait() still sits through, in seconds."""

    moves = False

    def __init__(self, settle: float, longest: float) -> None:
        self._settle, self._longest = settle, longest

    def wait(self, seconds: float) -> None:
        """Wait in real time, where that is not too long to sit through."""
        if seconds > self._longest:
            raise LookupError(f"{seconds:g} seconds cannot be waited for; the check must need clock.advance")
        time.sleep(seconds)

    def settle(self, seconds: float) -> list[str]:
        """Wait as long as is documented for a target that cannot say when it is at rest."""
        time.sleep(min(seconds, self._settle))
        return []

    def advance(self, seconds: float) -> float:
        raise LookupError("this target's clock cannot be moved; the check must need clock.advance")

    @contextlib.contextmanager
    def paced(self, factor: float):
        """Time passes as it does: anything else cannot be had."""
        if factor != 1.0:
            raise LookupError("this target's time cannot be sped up; the check must need clock.advance")
        yield


class NoEngine:
    """What stands where an engine's control socket would: asking for it is a mistake of the check."""

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        raise LookupError(f"this target has no control socket, so there is no {name}; the check must need what has it")


@dataclass(frozen=True)
class EndpointSession(Session):
    """A session on somebody else's emulator."""

    number: str = ""  # of the lab
    forwarder: Forwarder | None = field(default=None, repr=False, compare=False)
    look: Callable[[], str] = lambda: ""

    def fault(self) -> str:
        return self.look()

    def requests(self, since: int = 0) -> list[dict]:
        """No request is known: there is no front door of ours."""
        return []

    @contextlib.contextmanager
    def way(self, listener: socket.socket, name: str):
        assert self.forwarder is not None
        with self.forwarder.serve(listener):
            yield


class EndpointTarget:
    """Hands out sessions on an endpoint that runs already, and takes down in the end what they left.

    Use as a context manager, as often as there are attempts: what was found out about the endpoint is kept.
    Raises CourseError for what is no URL, and on entering EngineError where nobody answers as AWS does.
    """

    name = "endpoint"

    def __init__(self, url: str, *, keep: bool = False) -> None:
        self.place = place_of(url)
        self.left: list[str] = []  # what could not be taken down, as sentences
        self.kept: list[tuple[str, str]] = []  # (account, prefix) of what was to stay
        self._keep = keep
        self._tried: dict[str, str] = {}
        self._sessions: list[EndpointSession] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> EndpointTarget:
        try:
            self._forwarder = self._stack.enter_context(Forwarder(self.place.host, self.place.port, self.place.tls))
            self._url, self._port = self._address()
            self._shared_account = self._who_answers()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        try:
            while self._sessions:
                session = self._sessions.pop()
                if session.number == PROBING or not self._keep:
                    self.left += sweep(session, everything=not self._shared_account)
                else:
                    self.kept.append((session.account, session.prefix))
        finally:
            self._stack.close()

    def _address(self) -> tuple[str, int]:
        """The URL and the port by which checks and sandboxes reach the endpoint."""
        if self.place.direct:
            return self.place.url, self.place.port
        listener = socket.create_server(("127.0.0.1", 0))
        self._stack.enter_context(self._forwarder.serve(listener))
        port = listener.getsockname()[1]
        return f"http://127.0.0.1:{port}", port

    def _who_answers(self) -> str:
        """The account that everybody shares, or "" where a key's own number is its account. Raises EngineError."""
        number = _new_account()
        problem, found = ask_who(self.place, self._url, number)
        if problem:
            raise EngineError(problem)
        return "" if found == number else found

    def _look(self) -> str:
        return ask_who(self.place, self._url, _new_account())[0]

    def lacks(self, behaviours: Iterable[str]) -> dict[str, str]:
        """Those of `behaviours` that this target does not show, with what was seen; tried in another session."""
        unknown = [name for name in behaviours if name not in self._tried]
        for finding in examine(self.session(PROBING), only=unknown) if unknown else ():
            self._tried[finding.behaviour] = "" if finding.shown else finding.seen or "nothing"
        return {name: self._tried[name] for name in behaviours if self._tried[name]}

    def session(self, number: str) -> EndpointSession:
        """A new account, or in a shared one a new prefix, for one attempt at lab `number`."""
        made = self._session(number, _new_account(), secrets.token_hex(2))
        self._sessions.append(made)
        return made

    def lasting(self, number: str) -> EndpointSession:
        """The same place for lab `number` whenever this user asks for it; it is not taken down in the end."""
        digest = lasting_token(self.place.url, number)
        return self._session(number, str(int(digest[:16], 16) % (9 * 10**11) + 10**11), digest[-4:])

    def _session(self, number: str, own_account: str, token: str) -> EndpointSession:
        account = self._shared_account or own_account
        return EndpointSession(
            target=self.name,
            endpoint=self._url,
            region=REGION,
            account=account,
            prefix=f"kata{number}-{token}",
            learner=Keys(own_account, _SECRET),  # where all share an account, twelve digits of nobody's
            checks=Keys(own_account, f"{_SECRET}-too"),
            port=self._port,
            patience=dict(_PATIENCE),
            clock=RealTime(SETTLE_SECONDS, LONGEST_WAIT_SECONDS),
            waiter_poll=_WAITER_POLL,
            engine=NoEngine(),
            elsewhere=None if self._shared_account else lambda: self.session(PROBING),
            number=number,
            forwarder=self._forwarder,
            look=self._look,
        )


def lasting_token(place: str, number: str) -> str:
    """64 hexadecimal digits that are this user's alone, for lab `number` at a place."""
    return hashlib.sha256(f"{getpass.getuser()} {platform.node()} {place} {number}".encode()).hexdigest()


def _new_account() -> str:
    return str(secrets.randbelow(9 * 10**11) + 10**11)


def ask_who(place: Place, url: str, number: str) -> tuple[str, str]:
    """(why the endpoint cannot be used or "", whose account the key `number` is for)."""
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError
    from botocore.parsers import ResponseParserError

    from cloudkata.targets.session import plain_client

    if not place.direct and (problem := _unreachable(place)):
        return problem, ""
    options = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _ANSWER_SECONDS}
    config = Config(retries={"max_attempts": 1, "mode": "standard"}, **options)
    try:
        found = plain_client("sts", REGION, url, Keys(number, _SECRET), config).get_caller_identity()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _REFUSED:
            why = "it takes only keys that it issued itself"
            return f"{place.url} does not take made-up keys ({code}): {why}, so it cannot be graded on", ""
        return f"{place.url} does not answer as AWS does: {code or 'an error without a code'}", ""
    except (ConnectTimeoutError, ReadTimeoutError):
        return f"{place.url} does not answer: nothing came back in time", ""
    except (BotoCoreError, ResponseParserError, KeyError) as error:  # the last for other XML than AWS's
        if _unreachable(place):
            return _unreachable(place), ""
        return f"{place.url} does not answer as AWS does: {type(error).__name__}", ""
    account = found.get("Account", "")
    if not (account.isdigit() and len(account) == 12):
        return f"{place.url} does not answer as AWS does: it names no account", ""
    return "", account


def _unreachable(place: Place) -> str:
    """A sentence when no connection to a place can be made, or ""."""
    try:
        with socket.create_connection((place.host, place.port), _CONNECT_SECONDS):
            return ""
    except socket.gaierror:
        return f"there is no host {place.host}"
    except OSError as error:
        return f"nobody answers at {place.url}: {error.strerror or error}; start the emulator first"
