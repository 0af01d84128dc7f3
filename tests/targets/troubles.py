"""AWS's delays and refusals, put between a client and an engine that has none: lists that lag, deletions that are refused
for a while or take their time.
"""

from __future__ import annotations

import io
import json
import random
import re
import threading
import time
from dataclasses import dataclass, field

from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.httpsession import URLLib3Session

from cloudkata.targets.session import Session, plain_client

REFUSALS = (
    ("ResourceInUseException", 400),
    ("ConflictException", 409),
    ("ThrottlingException", 400),
    ("TooManyRequestsException", 429),
    ("DependencyViolation", 400),
    ("DeleteConflict", 409),
    ("InternalServerError", 500),
    ("OperationAborted", 409),
)
_LISTS = re.compile(r"(List|Describe|Get)\w+(s|Queues|Apis)$")
_DELETES = re.compile(r"Delete|Remove|Detach|Schedule")


class _Raw(io.BytesIO):
    def stream(self, *_, **__):
        yield self.getvalue()


def answer(url: str, status: int, headers: dict, body: bytes) -> AWSResponse:
    return AWSResponse(url, status, headers, _Raw(body))


def refusing(protocol: str, url: str, code: str, status: int, message: str = "try again later") -> AWSResponse:
    """An error in a service's own protocol."""
    if protocol.startswith(("json", "rest-json", "smithy")):
        body = json.dumps({"__type": code, "message": message, "Message": message}).encode()
        return answer(url, status, {"x-amzn-ErrorType": code}, body)
    error = f"<Code>{code}</Code><Message>{message}</Message>"
    text = error if protocol == "s3" else f"<Error>{error}</Error>"
    wrapped = f"<Error>{error}</Error>" if protocol == "s3" else f"<ErrorResponse>{text}</ErrorResponse>"
    return answer(url, status, {}, wrapped.encode())


@dataclass
class Troubles:
    """What is in the way of a client. `refusals`: how often each deletion is refused first, at most. `behind`: how many
    seconds a list lags. `slow`: seconds that a table takes to go. `disabling`: seconds until a distribution is disabled
    everywhere. `replicated`: functions whose replicas are still there.
    """

    seed: int
    refusals: int = 0
    behind: float = 0.0
    slow: float = 0.0
    disabling: float = 0.0
    replicated: str = ""
    denied: str = ""  # operations that nobody may call
    seen: list[str] = field(default_factory=list)
    _left: dict = field(default_factory=dict)
    _history: dict = field(default_factory=dict)
    _going: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random, self._http, self._lock = random.Random(self.seed), URLLib3Session(), threading.RLock()
        self._began = time.monotonic()

    def client(self, session: Session):
        """A Sweep's `client` of a session that has these troubles."""
        made: dict = {}

        def client(service: str, region: str = ""):
            if service not in made:
                once = Config(retries={"total_max_attempts": 1, "mode": "standard"}, inject_host_prefix=False)
                made[service] = plain_client(service, session.region, session.endpoint, session.checks, once)
                model = made[service].meta.service_model
                protocol = "s3" if service == "s3" else model.protocol
                made[service].meta.events.register(
                    "before-send", lambda request, event_name, **_: self._between(protocol, event_name, request)
                )
            return made[service]

        return client

    def _between(self, protocol: str, event: str, request):
        with self._lock:
            service, operation = event.split(".")[-2:]
            self.seen.append(operation)
            if self.denied and re.fullmatch(self.denied, operation):
                return refusing(protocol, request.url, "AccessDeniedException", 403, "you may not")
            if self.replicated and operation == "DeleteFunction" and re.search(self.replicated, request.url):
                text = "Lambda was unable to delete it because it is a replicated function."
                return refusing(protocol, request.url, "InvalidParameterValueException", 400, text)
            if _DELETES.match(operation) and (refused := self._refuse(protocol, operation, request)):
                return refused
            if self.slow and operation == "DeleteTable":
                return self._delete_slowly(protocol, request)
            if operation == "ListTables":
                self._let_go()
            if self.disabling and operation == "GetDistribution":
                return self._disabling(request)
            if self.behind and _LISTS.match(operation):
                return self._lagging((service, operation, request.url, _bytes(request.body)), request)
            return None

    def _refuse(self, protocol: str, operation: str, request):
        key = (operation, request.url, _bytes(request.body))
        left = self._left.setdefault(key, self._random.randint(0, self.refusals))
        if not left:
            return None
        self._left[key] -= 1
        return refusing(protocol, request.url, *self._random.choice(REFUSALS))

    def _sent(self, request) -> tuple:
        found = self._http.send(request)
        return found.status_code, dict(found.headers), found.content

    def _lagging(self, key: tuple, request):
        history, now = self._history.setdefault(key, []), time.monotonic()
        history.append((now, self._sent(request)))
        old = [found for at, found in history if at <= now - self.behind]
        if not old and now < self._began + self.behind:  # before anything was made
            status, headers, body = history[0][1]
            return answer(request.url, status, headers, _emptied(body))
        return answer(request.url, *(old[-1] if old else history[0][1]))

    def _delete_slowly(self, protocol: str, request):
        name = json.loads(request.body)["TableName"]
        if name in self._going:
            return refusing(protocol, request.url, "ResourceInUseException", 400, "Table is being deleted")
        self._going[name] = (time.monotonic() + self.slow, request)
        body = {"TableDescription": {"TableName": name, "TableStatus": "DELETING"}}
        return answer(request.url, 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode())

    def _let_go(self) -> None:
        for name, (until, request) in list(self._going.items()):
            if time.monotonic() > until:
                self._sent(request)
                self._going.pop(name)

    def _disabling(self, request):
        status, headers, body = self._sent(request)
        if time.monotonic() < self._began + self.disabling:
            body = body.replace(b"<Status>Deployed</Status>", b"<Status>InProgress</Status>")
        return answer(request.url, status, headers, body)


def _bytes(body) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body or b"")


def _emptied(body: bytes) -> bytes:
    """A list's answer without what is in the list."""
    if body.lstrip().startswith(b"{"):
        return json.dumps(
            {key: [] if isinstance(value, list) else value for key, value in json.loads(body).items()}
        ).encode()
    return re.sub(rb"<(Items|Roles|Users|Buckets|Topics|Policies|member)>.*</\1>", b"", body, flags=re.DOTALL)
