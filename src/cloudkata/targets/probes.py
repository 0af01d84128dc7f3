"""What a target does, found out by doing it: one yes or no for each behaviour that a check may need."""

from __future__ import annotations

import importlib
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from cloudkata.targets.session import Session

_WAIT_SECONDS = 15.0
_AT_ONCE_SECONDS = 5.0


@dataclass(frozen=True)
class Finding:
    """One behaviour on one target; `seen` says what was observed."""

    behaviour: str
    claim: str
    shown: bool
    seen: str
    seconds: float


class Bench:
    """A fresh account to try things in."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._roles: dict[str, str] = {}
        self._made = 0

    def client(self, service: str):
        return self.session.client(service, self.session.learner)

    def role(self, service: str = "lambda") -> str:
        """The ARN of a role for `service`, made on the first call."""
        if service not in self._roles:
            principal = {"Service": f"{service}.amazonaws.com"}
            trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
            name = f"{self.session.prefix}-probe-{service}"
            document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
            made = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
            self._roles[service] = made["Role"]["Arn"]
        return self._roles[service]

    def permit(self, actions: list[str], resource: str) -> None:
        """Allow the functions' role `actions` on a resource."""
        statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        name = self.role().rpartition("/")[2]
        policy = "probe-" + actions[0].replace(":", "-").replace("*", "all")
        self.client("iam").put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)

    def function(self, source: str, **settings) -> str:
        """A function whose handler is `handler` of `source`, ready to be called; its name."""
        self._made += 1
        name = f"{self.session.prefix}-probe{self._made}"
        functions = self.client("lambda")
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="app.handler",
            Role=self.role(),
            Code={"ZipFile": archive(source)},
            **settings,
        )
        self.ready(name)
        return name

    def ready(self, name: str) -> None:
        """Wait until the function is active and no update runs."""

        def settled() -> bool:
            found = self.client("lambda").get_function_configuration(FunctionName=name)
            return found["State"] == "Active" and found.get("LastUpdateStatus", "Successful") == "Successful"

        self.until(settled)

    def until(self, holds: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + _WAIT_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def call(self, name: str, event=None, **options) -> tuple[object, dict]:
        """(the value answered, the whole reply)."""
        reply = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}), **options)
        return json.loads(reply["Payload"].read() or b"null"), reply

    def refusal(self, operation: Callable[[], object]) -> str:
        """The error code an operation is refused with, or "accepted"."""
        try:
            operation()
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "accepted"


def archive(source: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("app.py", source)
    return buffer.getvalue()


_PROBES: dict[str, tuple[str, Callable[[Bench], tuple[bool, str]]]] = {}
_MORE = (
    "cloudkata.targets.identity_probes",
    "cloudkata.targets.layer_probes",
)  # modules that register probes of their own


def probe(behaviour: str, claim: str):
    """Register a function(bench) -> (shown, what was seen)."""

    def mark(function):
        _PROBES[behaviour] = (claim, function)
        return function

    return mark


def _probes() -> dict[str, tuple[str, Callable[[Bench], tuple[bool, str]]]]:
    for module in _MORE:
        importlib.import_module(module)
    return _PROBES


def known_behaviours() -> frozenset[str]:
    """The behaviours that there is a probe for."""
    return frozenset(_probes())


def examine(session: Session, progress=lambda text: None, only: Iterable[str] | None = None) -> list[Finding]:
    """Try every behaviour on `session`, or those in `only`. What cannot be tried is not shown, with the reason."""
    bench = Bench(session)
    found = []
    probes = _probes()
    for behaviour in probes if only is None else only:
        claim, function = probes[behaviour]
        progress(claim)
        began = time.monotonic()
        try:
            shown, seen = function(bench)
        except Exception as error:  # a target may fail in any way; then it has not shown the behaviour
            shown, seen = False, f"{type(error).__name__}: {error}"[:200]
        found.append(Finding(behaviour, claim, shown, seen, round(time.monotonic() - began, 2)))
    return found


@probe("lambda.invoke", "a function answers")
def _invoke(bench: Bench):
    value, _ = bench.call(
        bench.function("def handler(event, context):\n    return {'twice': event['n'] * 2}\n"), {"n": 21}
    )
    return value == {"twice": 42}, f"answered {value}"


@probe("lambda.error-type", "an exception keeps its type and its stack trace")
def _error_type(bench: Bench):
    value, reply = bench.call(bench.function("def handler(event, context):\n    raise LookupError('gone')\n"))
    shown = reply.get("FunctionError") == "Unhandled" and value.get("errorType") == "LookupError"
    return shown and bool(value.get("stackTrace")), f"errorType {value.get('errorType')}"


_COUNTER = """
calls = 0
def handler(event, context):
    global calls
    calls += 1
    if event.get("fail"):
        raise ValueError(calls)
    return calls
"""


@probe("lambda.environment-reuse", "an environment is used again, also after an exception")
def _reuse(bench: Bench):
    name = bench.function(_COUNTER)
    for event in ({}, {"fail": 1}):
        bench.call(name, event)
    value, _ = bench.call(name)
    return value == 3, f"the third call counted {value}"


_FILES = """
import os
def handler(event, context):
    return {"cwd": os.getcwd(), "pids": sum(name.isdigit() for name in os.listdir("/proc"))}
"""


@probe("lambda.execution-environment", "code runs in /var/task, with no view of the host")
def _files(bench: Bench):
    value, _ = bench.call(bench.function(_FILES))
    return value["cwd"] == "/var/task" and value["pids"] < 20, f"cwd {value['cwd']}, {value['pids']} processes in view"


@probe("lambda.memory-limit", "a function that needs more memory than it has is ended")
def _memory(bench: Bench):
    name = bench.function(
        "def handler(event, context):\n    return len(bytearray(400 << 20))\n", MemorySize=128, Timeout=20
    )
    value, reply = bench.call(name)
    shown = bool(reply.get("FunctionError")) and "signal: killed" in str(value.get("errorMessage"))
    return shown, str(value)[:80]


@probe("lambda.update-conflict", "a second change during an update is refused")
def _conflict(bench: Bench):
    name = bench.function("def handler(event, context):\n    return 1\n")
    functions = bench.client("lambda")
    functions.update_function_configuration(FunctionName=name, Description="one")
    code = bench.refusal(lambda: functions.update_function_configuration(FunctionName=name, Description="two"))
    return code == "ResourceConflictException", code


def _two_versions(bench: Bench) -> str:
    name = bench.function("def handler(event, context):\n    return 'one'\n", Publish=True)
    functions = bench.client("lambda")
    functions.update_function_code(
        FunctionName=name, ZipFile=archive("def handler(event, context):\n    return 'two'\n")
    )
    bench.ready(name)
    functions.publish_version(FunctionName=name)
    return name


@probe("lambda.weighted-alias", "an alias with weights sends calls to both versions")
def _weights(bench: Bench):
    name = _two_versions(bench)
    routing = {"AdditionalVersionWeights": {"2": 0.5}}
    bench.client("lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=routing)
    # with a fair coin, forty calls all go one way once in 5 * 10**11
    seen = {(bench.call(name, Qualifier="live")[0]) for _ in range(40)}
    return seen == {"one", "two"}, f"40 calls answered {sorted(map(str, seen))}"


@probe("lambda.alias-updates", "an alias that is there can be given weights, and be without again")
def _alias_updates(bench: Bench):
    name = _two_versions(bench)
    functions = bench.client("lambda")
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    found = []
    for weights in ({"2": 0.5}, {}):
        functions.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": weights})
        alias = functions.get_alias(FunctionName=name, Name="live")
        found.append((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {}))
    return found == [{"2": 0.5}, {}], f"weights {found}"


@probe("lambda.weight-rules", "a weight for a version that does not exist is refused")
def _weight_rules(bench: Bench):
    name = bench.function("def handler(event, context):\n    return 1\n", Publish=True)
    routing = {"AdditionalVersionWeights": {"9": 0.5}}
    functions = bench.client("lambda")
    code = bench.refusal(
        lambda: functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=routing)
    )
    return code != "accepted", code


@probe("lambda.version-code", "a version's code stays its own, also for download")
def _version_code(bench: Bench):
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    name = _two_versions(bench)
    link = bench.client("lambda").get_function(FunctionName=name, Qualifier="1")["Code"]["Location"]
    content = URLLib3Session().send(AWSRequest("GET", link).prepare()).content
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return b"'one'" in file.read("app.py"), "the archive of version 1 was read"


_START_TYPE = (
    "import os\nKIND = os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\ndef handler(event, context):\n    return KIND\n"
)


@probe("lambda.provisioned-concurrency", "provisioned concurrency starts environments ahead of calls")
def _provisioned(bench: Bench):
    name = bench.function(_START_TYPE, Publish=True)
    functions = bench.client("lambda")
    functions.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)

    def ready() -> bool:
        found = functions.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
        return found["Status"] == "READY"

    bench.until(ready)
    value, _ = bench.call(name, Qualifier="1")
    return value == "provisioned-concurrency", f"initialised as {value}"


@probe("lambda.argument-limits", "a time-out of 901 seconds is refused")
def _limits(bench: Bench):
    code = bench.refusal(lambda: bench.function("def handler(event, context):\n    return 1\n", Timeout=901))
    return code != "accepted", code


@probe("iam.enforced", "a function may only do what its role allows")
def _iam(bench: Bench):
    source = (
        "import boto3\ndef handler(event, context):\n    return boto3.client('dynamodb').list_tables()['TableNames']\n"
    )
    value, reply = bench.call(bench.function(source, Timeout=20))
    shown = bool(reply.get("FunctionError")) and "AccessDenied" in str(value.get("errorMessage"))
    return shown, str(value.get("errorMessage", value) if isinstance(value, dict) else value)[:80]


@probe("clock.settle", "the target can say that nothing is left to do")
def _settle(bench: Bench):
    began = time.monotonic()
    pending = bench.session.clock.settle(10)
    took = time.monotonic() - began  # who does not know waits for a while in any case
    return not pending and took < _AT_ONCE_SECONDS, "; ".join(pending) or f"at rest after {took:.1f} s"


@probe("clock.advance", "time can be moved forward")
def _advance(bench: Bench):
    first = bench.session.clock.advance(0)
    moved = bench.session.clock.advance(3600) - first
    return moved >= 3600, f"moved by {moved:.0f} s"


@probe("requests.log", "the front door tells which requests were made, and whether a secret stood in one")
def _request_log(bench: Bench):
    engine, secret = bench.session.engine, f"kata-{bench.session.prefix}-secret"
    since = engine.requests(1 << 62)["last"]  # type: ignore[attr-defined]
    with engine.watching("secret", secret):  # type: ignore[attr-defined]
        bench.refusal(lambda: bench.client("lambda").get_function_configuration(FunctionName=secret))
    entries = engine.requests(since, bench.session.account)["entries"]  # type: ignore[attr-defined]
    return [entry["carried"] for entry in entries] == [["secret"]], f"{len(entries)} request(s) logged"


from cloudkata.targets import (  # noqa: E402 (they register themselves with what is above)
    edge_probes,  # noqa: F401
    queue_probes,  # noqa: F401
    service_probes,  # noqa: F401
    state_machine_probes,  # noqa: F401
    stream_probes,  # noqa: F401
)
