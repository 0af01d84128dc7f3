"""An engine, somebody else's account on it, and the two places that attacks run in: a function and a child."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import secrets
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from cloudkata.engine.packages import runtime_packages
from cloudkata.engine.process import Engine
from cloudkata.sandbox.isolation import isolation
from cloudkata.sandbox.launch import Program, start

HERE = Path(__file__).parent
FUNCTION = (
    "import attacks\ndef handler(event, context):\n    return getattr(attacks, event['attack'])(**event['arguments'])\n"
)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
PLACES = ("function", "child")


def archive(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return buffer.getvalue()


def client(engine: Engine, key, service: str, **options):
    config = Config(
        retries={"total_max_attempts": 1}, inject_host_prefix=False, read_timeout=30, s3={"addressing_style": "path"}
    )
    return boto3.client(
        service,
        endpoint_url=engine.endpoint,
        region_name="us-east-1",
        config=config,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        **options,
    )


def make_role(engine: Engine, key, name: str) -> str:
    iam = client(engine, key, "iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    return role


def make_function(engine: Engine, key, name: str, files: dict[str, str | bytes], **options) -> dict:
    arguments = {
        "Runtime": "python3.12",
        "Handler": "app.handler",
        "Timeout": 60,
        "MemorySize": 3008,
        "Role": f"arn:aws:iam::{key.account}:role/attacker",
        **options,
    }
    lambda_ = client(engine, key, "lambda")
    made = lambda_.create_function(FunctionName=name, Code={"ZipFile": archive(files)}, **arguments)
    assert until(lambda: lambda_.get_function_configuration(FunctionName=name)["State"] == "Active")
    return made


def invoke(engine: Engine, key, name: str, event) -> tuple[str | None, object]:
    """(FunctionError, payload)."""
    reply = client(engine, key, "lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return reply.get("FunctionError"), json.loads(reply["Payload"].read() or b"null")


def fetch(engine: Engine, key, path: str, service: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """A signed GET from the front door, so that it is asked in the account of `key`: (status, body)."""
    request = AWSRequest("GET", f"{engine.endpoint}{path}", headers=headers)
    SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), service, "us-east-1").add_auth(request)
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", engine.port, timeout=20)) as link:
        link.request("GET", path, headers=dict(request.headers))
        with link.getresponse() as reply:
            return reply.status, reply.read().decode("latin-1")


def until(condition, seconds: float = 10.0, every: float = 0.02):
    """What `condition` comes to, asked again and again until it is true or the time is over."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (found := condition()) and time.monotonic() < deadline:
        pause.wait(every)
    return found


@pytest.fixture(scope="session", autouse=True)
def full_isolation():
    if not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed; `make proof` does not go without it")
    found = isolation()
    assert found.full, f"these tests say nothing without isolation: {found.reason}"


@pytest.fixture(scope="session")
def engine():
    with Engine.start() as running:
        yield running


@pytest.fixture(scope="session")
def learner(engine):
    key = engine.issue("learner")
    make_role(engine, key, "attacker")
    make_function(engine, key, "attacker", {"app.py": FUNCTION, "attacks.py": (HERE / "attacks.py").read_text()})
    return key


@dataclass(frozen=True)
class Victim:
    """Somebody else's account, and what lies in it."""

    key: object
    marker: str
    queue: str
    role: str
    secret: str
    topic: str
    function: str
    machine: str

    def untouched(self, engine: Engine) -> bool:
        found = client(engine, self.key, "dynamodb").get_item(TableName="kept", Key={"id": {"S": "1"}})
        return found.get("Item", {}).get("marker", {}).get("S") == self.marker


@pytest.fixture(scope="session")
def victim(engine):
    key = engine.issue("checks")
    marker = secrets.token_hex(12)

    def use(service: str):
        return client(engine, key, service)

    use("dynamodb").create_table(
        TableName="kept",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    use("dynamodb").put_item(TableName="kept", Item={"id": {"S": "1"}, "marker": {"S": marker}})
    bucket = use("s3")
    bucket.create_bucket(Bucket=f"kept-{key.account}")
    bucket.put_object(Bucket=f"kept-{key.account}", Key="marker", Body=marker.encode())
    queue = use("sqs").create_queue(QueueName="kept")["QueueUrl"]
    use("sqs").send_message(QueueUrl=queue, MessageBody=marker)
    secret = use("secretsmanager").create_secret(Name="kept", SecretString=marker)["ARN"]
    use("ssm").put_parameter(Name="/kept", Value=marker, Type="String")
    topic = use("sns").create_topic(Name="kept")["TopicArn"]
    role = make_role(engine, key, "attacker")
    function = make_function(engine, key, "kept", {"app.py": f"def handler(event, context): return '{marker}'"})
    machine = use("stepfunctions").create_state_machine(
        name="kept",
        roleArn=role,
        definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": marker, "End": True}}}),
    )
    return Victim(key, marker, queue, role, secret, topic, function["FunctionArn"], machine["stateMachineArn"])


class Child:
    """A sandboxed program of ours, as deploy.py is run."""

    def __init__(self, engine: Engine, key) -> None:
        self._ends = contextlib.ExitStack()
        readonly = {"/var/attack": str(HERE)}
        readonly |= {f"/var/runtime/{name}": path for name, path in runtime_packages().items()}
        env = {
            "AWS_ENDPOINT_URL": engine.endpoint,
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "HOME": "/tmp",
            "TMPDIR": "/tmp",
        }  # noqa: S108 (inside)
        program = Program(
            module="child",
            readonly=readonly,
            env=env,
            cwd="/tmp",
            port=engine.port,  # noqa: S108 (inside)
            path_last=["/var/attack", "/var/runtime"],
        )
        self._output, write = os.pipe()
        self._ends.callback(os.close, self._output)
        self.sandboxed = start(program, stdout=write, stderr=write)
        os.close(write)
        self._ends.callback(self.sandboxed.kill)
        self._ends.enter_context(engine.way(self.sandboxed.receive_listener(20), "child"))
        os.set_blocking(self._output, False)

    def run(self, attack: str, arguments: dict, seconds: float = 60.0):
        """(answer or None, what it printed); None where it did not answer in time or has ended."""
        control = self.sandboxed.control
        try:
            control.sendall(json.dumps({"attack": attack, "arguments": arguments}).encode() + b"\n")
        except OSError:
            return None, "it has ended"
        said, answer = b"", b""
        deadline = time.monotonic() + seconds
        waiting = select.poll()
        waiting.register(control, select.POLLIN)
        waiting.register(self._output, select.POLLIN)
        while not answer.endswith(b"\n") and (left := deadline - time.monotonic()) > 0:
            ready = dict(waiting.poll(left * 1000))
            if self._output in ready:
                chunk = os.read(self._output, 65536)
                said = (said + chunk)[:100_000]
                if not chunk:
                    waiting.unregister(self._output)
            if control.fileno() in ready:
                chunk = control.recv(65536)
                answer += chunk
                if not chunk:
                    break
        return (json.loads(answer) if answer.endswith(b"\n") else None), said.decode("latin-1")

    def close(self) -> None:
        self._ends.close()


@pytest.fixture(scope="session")
def lasting_child(engine, learner):
    made = Child(engine, learner)
    yield made
    made.close()


@pytest.fixture
def child(engine, learner):
    """A child of its own, for attacks that it does not survive."""
    made = Child(engine, learner)
    yield made
    made.close()


@pytest.fixture(params=PLACES)
def inside(request, engine, learner, lasting_child):
    """Runs one attack inside and returns what it reports; fails when it does not come back with an answer."""

    def in_function(attack: str, **arguments):
        error, answer = invoke(engine, learner, "attacker", {"attack": attack, "arguments": arguments})
        assert error is None, answer
        return answer

    def in_child(attack: str, **arguments):
        answer, said = lasting_child.run(attack, arguments)
        assert answer is not None, said
        return answer

    return in_function if request.param == "function" else in_child


def _two_sockets_on_one_port() -> tuple[socket.socket, socket.socket]:
    """A stream and a datagram socket; the port that is free for one may be taken for the other."""
    while True:
        streams, datagrams = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        streams.bind(("127.0.0.1", 0))
        try:
            datagrams.bind(streams.getsockname())
        except OSError:
            streams.close()
            datagrams.close()
        else:
            return streams, datagrams


class Listener:
    """Somebody else's service on this machine's own loopback, which nothing from inside may reach."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._streams, self._datagrams = _two_sockets_on_one_port()
        self._streams.listen(64)
        self.port = self._streams.getsockname()[1]
        for serve in (self._accept, self._receive):
            threading.Thread(target=serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._streams.accept()
            except OSError:
                return
            with link:
                link.settimeout(2)
                try:
                    self.heard.append(link.recv(2000) or b"(connected)")
                    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nreached")
                except OSError:
                    self.heard.append(b"(connected)")

    def _receive(self) -> None:
        while True:
            try:
                data, sender = self._datagrams.recvfrom(2000)
                self.heard.append(data)
                self._datagrams.sendto(b"reached", sender)
            except OSError:
                return

    def close(self) -> None:
        for link in (self._streams, self._datagrams):
            link.shutdown(socket.SHUT_RDWR) if link is self._streams else None
            link.close()


@pytest.fixture
def listener():
    made = Listener()
    yield made
    made.close()


@pytest.fixture(scope="session")
def bystander():
    """A process of the host, with a secret in its environment, on its command line and in its memory."""
    secret = "bystander-" + secrets.token_hex(16)
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()", secret],
        stdin=subprocess.PIPE,
        env={**os.environ, "BYSTANDER": secret},
    ) as process:
        process.secret = secret
        yield process
        process.stdin.close()
