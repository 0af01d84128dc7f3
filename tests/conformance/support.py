"""What the conformance tests share: an account's clients, code archives, polling, and the code of a refusal."""

from __future__ import annotations

import base64
import io
import json
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

_POLL_SECONDS = 0.02
_PATIENCE = 20.0
# On bare MiniStack a test waits for what never comes. MiniStack looks at everything once a second, so that what it
# does do is there long before this.
BARE_SECONDS = 5.0
_bare_seconds: list[float] = []


class NeverHappened(Exception):
    """What a test waited for did not come: no assertion, so no proof that something is missing."""


@dataclass(frozen=True)
class Answer:
    """One synchronous invocation."""

    payload: Any
    error: str
    version: str
    request_id: str
    log: str


@dataclass(frozen=True)
class Account:
    """A fresh account on a target."""

    endpoint: str
    number: str
    access_key_id: str
    secret_access_key: str
    advance: Callable[[float], float] | None = None  # AWS time, where the target's can be moved
    _clients: dict = field(default_factory=dict, compare=False, repr=False)

    def client(self, service: str, **settings):
        """A boto3 client that retries nothing and validates nothing: the service must."""
        key = (service, *sorted(settings.items()))
        if key not in self._clients:
            self._clients[key] = _client(self, service, settings)
        return self._clients[key]

    def close(self) -> None:
        """Close the clients' connections; the account can be used again."""
        while self._clients:
            self._clients.popitem()[1].close()

    @property
    def lambda_(self):
        return self.client("lambda")

    def role(self, name: str = "runs") -> str:
        """The ARN of an execution role, made on the first call."""
        iam = self.client("iam")
        statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        try:
            return iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"]
        except iam.exceptions.EntityAlreadyExistsException:
            return iam.get_role(RoleName=name)["Role"]["Arn"]

    def allow(self, *actions: str, role: str = "runs") -> None:
        """Let an execution role do `actions` anywhere."""
        self.role(role)
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
        self.client("iam").put_role_policy(RoleName=role, PolicyName="may", PolicyDocument=json.dumps(policy))

    def function(self, source: str | Mapping[str, str | bytes], name: str = "f", **arguments) -> str:
        """Create a function with `handle` in app.py and wait until it is Active; its name."""
        self.create(source, name, **arguments)
        self.settled(name)
        return name

    def create(self, source, name: str = "f", **arguments) -> dict:
        """CreateFunction with defaults for what a test does not care about."""
        arguments = {"Runtime": "python3.12", "Handler": "app.handle", "Timeout": 10} | arguments
        role = arguments.pop("Role", None) or self.role()
        return self.lambda_.create_function(
            FunctionName=name, Role=role, Code={"ZipFile": archive(source)}, **arguments
        )

    def settled(self, name: str = "f") -> dict:
        """The configuration once neither a creation nor an update is under way."""

        def look():
            found = self.lambda_.get_function_configuration(FunctionName=name)
            busy = found["State"] == "Pending" or found.get("LastUpdateStatus") == "InProgress"
            return None if busy else found

        return eventually(look)

    def version(self, source, name: str = "f") -> str:
        """Put new code into a function and publish it; the version's number."""
        self.lambda_.update_function_code(FunctionName=name, ZipFile=archive(source))
        self.settled(name)
        return self.publish(name)

    def publish(self, name: str = "f") -> str:
        number = self.lambda_.publish_version(FunctionName=name)["Version"]
        eventually(
            lambda: self.lambda_.get_function_configuration(FunctionName=name, Qualifier=number)["State"] == "Active"
        )
        return number

    def invoke(self, event=None, name: str = "f", **arguments) -> Answer:
        """Invoke and read everything there is to read."""
        answer = self.lambda_.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail", **arguments)
        text = answer["Payload"].read()
        return Answer(
            json.loads(text) if text else None,
            answer.get("FunctionError", ""),
            answer.get("ExecutedVersion", ""),
            answer["ResponseMetadata"]["RequestId"],
            base64.b64decode(answer.get("LogResult", "")).decode(),
        )


def _client(account: Account, service: str, settings: Mapping):
    options = {"retries": {"max_attempts": 0}, "parameter_validation": False, "read_timeout": 60} | settings
    return boto3.client(
        service,
        endpoint_url=account.endpoint,
        region_name="us-east-1",
        aws_access_key_id=account.access_key_id,
        aws_secret_access_key=account.secret_access_key,
        config=Config(**options),
    )


def archive(source: str | Mapping[str, str | bytes]) -> bytes:
    """A .zip of the files given, the same bytes at any time; a text alone is app.py."""
    files = {"app.py": source} if isinstance(source, str) else source
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for path, content in files.items():
            member = zipfile.ZipInfo(path)
            member.external_attr = 0o644 << 16
            file.writestr(member, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def download(url: str) -> tuple[int, bytes]:
    """What a plain GET of `url` gives: status and body."""
    try:
        with urllib.request.urlopen(url, timeout=30) as reply:  # noqa: S310 (the target's own)
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def returning(value) -> str:
    """The source of a function that always returns `value`."""
    return f"def handle(event, context):\n    return {value!r}\n"


def eventually(look: Callable[[], Any], patience: float = _PATIENCE):
    """The first true value of `look`. Raises NeverHappened after `patience` seconds."""
    until = time.monotonic() + patience
    while not (found := look()):
        if time.monotonic() > until:
            raise NeverHappened(f"{look} did not come true in {patience:g} seconds")
        time.sleep(_POLL_SECONDS)
    return found


def wait_for_bare() -> None:
    """Have `within` wait for BARE_SECONDS at most, and `stays` for as many at least."""
    _bare_seconds.append(BARE_SECONDS)


def within(look: Callable[[], Any], seconds: float) -> Any:
    """The first true value of `look`, or the last one after `seconds`: for the test's own assertion."""
    until = time.monotonic() + min([seconds, *_bare_seconds])
    while not (found := look()) and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    return found


def stays(look: Callable[[], Any], seconds: float) -> bool:
    """Whether `look` is true all the time for `seconds`: for the test's own assertion."""
    until = time.monotonic() + max([seconds, *_bare_seconds])
    while (found := bool(look())) and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    return found


def refusal(call: Callable[[], Any]) -> tuple[str, int]:
    """The error code and HTTP status that a call is refused with; ("", 200-something) when it is not."""
    try:
        answer = call()
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    _read(answer)
    return "", answer["ResponseMetadata"]["HTTPStatusCode"]


def _read(answer: dict) -> None:
    """Read a payload that nobody looks at, so that its connection is given back."""
    if "Payload" in answer:
        answer["Payload"].read()


def message(call: Callable[[], Any]) -> str:
    """The text of the error that a call is refused with, or nothing."""
    try:
        _read(call())
    except ClientError as error:
        return error.response["Error"].get("Message") or error.response.get("message", "")
    return ""
