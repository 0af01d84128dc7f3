"""The account target: a real AWS account that was allowed once by hand, for attempts under the lab's own policy.

The profile's keys are used here and nowhere else: for the checks, and to assume the lab's role. Learner code has
made-up keys; its calls leave its sandbox through the relay, which writes down what may change something, and are signed
with the role's session (targets/relay.py, targets/signing.py). Time is real, and nobody looks at AWS from behind.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cloudkata.course.find import CourseError
from cloudkata.engine.remote import EngineError
from cloudkata.sandbox.isolation import isolation
from cloudkata.targets.endpoint import NoEngine, RealTime, lasting_token
from cloudkata.targets.lab_roles import SESSION_SECONDS, LabPolicy, assume, boundary_arn, must_be_current
from cloudkata.targets.ledger import Ledger, LedgerError, read_ledger
from cloudkata.targets.permission import must_be_allowed
from cloudkata.targets.profile import DENIED, Profile, explained
from cloudkata.targets.relay import Relay
from cloudkata.targets.sandbox import sentence, sweep_account
from cloudkata.targets.session import Keys, Session
from cloudkata.targets.signing import Sender, Trouble
from cloudkata.targets.sweep import GONE

NAME = "account"
# Real seconds that a check may wait, by why it waits. A distribution takes minutes to be everywhere.
PATIENCE = {"call": 30.0, "propagation": 90.0, "poll": 180.0, "edge": 900.0}
SETTLE_SECONDS = 30.0
LONGEST_WAIT_SECONDS = 150.0
VISIBLE_SECONDS = 30.0
SLACK = 10.0
_PORT = 8443  # on a sandbox's own loopback
_MADE_UP = Keys("AKIAMADEUPMADEUPMADE", "made-up-the-relay-signs-with-others-now")
_PLAYED_WAITER_POLL = 0.1
# What only the engine in this program can show: nobody moves AWS's clock or reads its log of requests.
_LACKS = {
    "clock.advance": "nobody can move AWS's clock",
    "clock.settle": "AWS does not tell whether something is left to do",
    "requests.log": "AWS does not show who asked what within the time of a check",
    "cognito.resign": "nobody else can sign a user pool's tokens",
    "lambda.layer-permissions": "there is one account here, and it takes two",
}
_THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|ProvisionedThroughput|LimitExceeded")
_EXPIRED = re.compile(r"ExpiredToken|RequestExpired|InvalidClientTokenId|UnrecognizedClient")
_BROKEN = re.compile(r"InternalFailure|InternalError|InternalServer|ServiceUnavailable|ServiceExc|^5\d\d$|BadGateway")
_BUSY = re.compile(r"ResourceInUse|ResourceConflict|ConcurrentModification|OperationAborted|TooManyUpdates")
_WHAT = re.compile(r"not authorized to perform: ([a-z0-9-]+:\w+)(?: on resource: (\S+))?")


@dataclass(frozen=True)
class AccountSession(Session):
    """A session in a real account."""

    number: str = ""  # of the lab
    profile: Profile | None = field(default=None, repr=False, compare=False)
    relay: Relay | None = field(default=None, repr=False, compare=False)
    sender: Sender | None = field(default=None, repr=False, compare=False)
    ends: float = 0.0  # when the learner's keys do, in seconds since the epoch

    def requests(self, since: int = 0) -> list[dict]:
        """No request is known: there is no front door of ours."""
        return []

    def environment(self) -> dict[str, str]:
        """Where the relay is, and keys that are good for nothing."""
        return super().environment() | {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": _MADE_UP.access_key_id,
            "AWS_SECRET_ACCESS_KEY": _MADE_UP.secret_access_key,
            "AWS_SESSION_TOKEN": "made-up",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        }

    @contextlib.contextmanager
    def way(self, listener: socket.socket, name: str):
        assert self.relay is not None
        with self.relay.serve(listener):
            yield

    def fault(self) -> str:
        """What of the account made what failed, if something did."""
        assert self.profile is not None
        if time.time() > self.ends:
            return f"the session of an hour that code has in account {self.profile.place} is over"
        try:
            with explained(self.profile.name):
                self.profile.client("sts").get_caller_identity()
        except (CourseError, EngineError) as error:
            return str(error)
        return ""

    def excuse(self, error: str) -> str:
        """A sentence where the last error that the account gave for `error` is not one of the learner's making."""
        assert self.sender is not None and self.ledger is not None
        if self.ledger.problem:
            return self.ledger.problem
        for trouble in reversed(self.sender.troubles):
            if trouble.code in error and (why := _why(trouble, self.number)):
                return why
        return ""

    def _make_client(self, service: str, keys: Keys):
        assert self.profile is not None
        if keys == self.checks and not self.endpoint:
            return self.profile.client(service)  # which renews its keys
        return super()._make_client(service, keys)


def _why(trouble: Trouble, number: str) -> str:
    if trouble.ours:
        return f"{trouble.message}; on the embedded engine it can be graded"
    said = f"AWS said {trouble.code} of {trouble.service}"
    if trouble.code in DENIED:
        found = _WHAT.search(trouble.message)
        what = found.group(1) if found else f"a call of {trouble.service}"
        where = f" on {found.group(2)}" if found and found.group(2) else ""
        return (
            f"on a real account code for lab {number} may make the calls of its solution only, on what lab.name(...) "
            f"named, and {what}{where} is none of them; on the embedded engine it can be graded"
        )
    if _EXPIRED.search(trouble.code):
        return f"the session of an hour that code has on the account is over: {said}"
    if _THROTTLED.search(trouble.code):
        return f"{said}: the account has had too many requests, or its quota is used up; try again later"
    if _BROKEN.search(trouble.code):
        return f"{said}, which is not the code's doing; try again later"
    if _BUSY.search(trouble.code):
        return f"{said}: {trouble.message or 'something is still being changed'}; try again in a minute"
    return ""


class AccountTarget:
    """Hands out sessions in a real account, and takes down in the end what they left.

    Use as a context manager. Raises on entering: CourseError where the account was not allowed, is not prepared for the
    lab, or code cannot be isolated here; EngineError where AWS does not answer.
    """

    name = NAME

    def __init__(self, profile: Profile, policy: LabPolicy, *, keep: bool = False) -> None:
        self.profile, self.policy = profile, policy
        self.left: list[str] = []  # what could not be taken down, as sentences
        self.kept: list[tuple[str, str]] = []  # (account, prefix) of what was to stay
        self.say: Callable[[str], None] = lambda text: None  # told what taking down waits for
        self._keep = keep
        self._sessions: list[AccountSession] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> AccountTarget:
        if not isolation().full:
            raise CourseError(
                f"code cannot be isolated here ({isolation().reason}), so it could read your own keys: "
                "nothing is run on a real account"
            )
        must_be_allowed(self.profile)
        must_be_current(self.profile, self.policy)
        return self

    def __exit__(self, *_) -> None:
        try:
            self._stack.close()  # nothing more is sent
        finally:
            while self._sessions:
                session = self._sessions.pop()
                if self._keep:
                    self.kept.append((session.account, session.prefix))
                else:
                    self.left += self._take_down(session)

    def _take_down(self, session: AccountSession) -> list[str]:
        """Sweep what the ledger tells of; a sentence for each thing that is not gone yet."""
        assert session.ledger is not None
        written = read_ledger(session.ledger.path)
        items = sweep_account(self.profile, [written], say=self.say) if written else []
        return [sentence(item) for item in items if item.state != GONE]

    def lacks(self, behaviours: Iterable[str]) -> dict[str, str]:
        """Those of `behaviours` that nobody can show on AWS; all others are what they are made after."""
        return {name: _LACKS[name] for name in behaviours if name in _LACKS}

    def session(self, number: str) -> AccountSession:
        """A new prefix in the account for one attempt at lab `number`. Raises CourseError or EngineError."""
        prefix = f"kata{number}-{secrets.token_hex(2)}"
        began = time.time()
        keys = assume(self.profile, self.policy, prefix)
        try:
            ledger = Ledger(self.profile.account, self.profile.region, prefix, number)
        except LedgerError as error:
            raise EngineError(str(error)) from error
        self._stack.callback(ledger.close)
        sender = Sender(keys, self.policy.services, number, self.profile.endpoint)
        relay = self._stack.enter_context(Relay(ledger, sender, sender.refuse))
        made = AccountSession(
            target=self.name,
            endpoint=self.profile.endpoint,
            region=self.profile.region,
            account=self.profile.account,
            prefix=prefix,
            learner=keys,
            checks=self.profile.keys(),
            port=_PORT,
            patience=dict(PATIENCE),
            clock=RealTime(SETTLE_SECONDS, LONGEST_WAIT_SECONDS),
            waiter_poll=_PLAYED_WAITER_POLL if self.profile.endpoint else 0.0,
            slack=SLACK,
            visible_after=VISIBLE_SECONDS,
            boundary=boundary_arn(self.profile.account),
            engine=NoEngine(),
            ledger=ledger,
            number=number,
            profile=self.profile,
            relay=relay,
            sender=sender,
            ends=began + SESSION_SECONDS,
        )
        self._sessions.append(made)
        return made

    def lasting(self, number: str) -> AccountSession:
        """The same place for lab `number` whenever this user asks for it, with the profile's own keys and no ledger.

        It is for what this program deploys itself; no code of a learner's may have it.
        """
        keys = self.profile.keys()
        return AccountSession(
            target=self.name,
            endpoint=self.profile.endpoint,
            region=self.profile.region,
            account=self.profile.account,
            prefix=f"kata{number}-{lasting_token(self.profile.account, number)[-4:]}",
            learner=keys,
            checks=keys,
            port=_PORT,
            patience=dict(PATIENCE),
            clock=RealTime(SETTLE_SECONDS, LONGEST_WAIT_SECONDS),
            waiter_poll=_PLAYED_WAITER_POLL if self.profile.endpoint else 0.0,
            slack=SLACK,
            visible_after=VISIBLE_SECONDS,
            engine=NoEngine(),
            number=number,
            profile=self.profile,
            ends=float("inf"),
        )
