"""The endpoint target, on a MiniStack without anything of ours and on servers that only pretend."""

import contextlib
import http.server
import socket
import threading
import time

import pytest
from botocore.exceptions import ClientError

from cloudkata.course import CourseError
from cloudkata.deployment.learner import deploy
from cloudkata.engine.remote import EngineError
from cloudkata.targets import endpoint
from cloudkata.targets.endpoint import EndpointTarget, place_of
from cloudkata.targets.probes import Bench
from cloudkata.targets.sweep import found

WHO = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
REFUSED = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>"


@contextlib.contextmanager
def pretending(status: int, body: str):
    """(the URL of a server that answers everything the same, the requests' headers that it saw)."""
    seen: list = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append(dict(self.headers))
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("127.0.0.1:4566", "is not the URL of an endpoint"),
        ("ftp://127.0.0.1", "is not the URL of an endpoint"),
        ("http://", "is not the URL of an endpoint"),
        ("http://127.0.0.1:99999", "is not a URL"),
        ("http://[::1", "is not a URL"),
        ("http://127.0.0.1:4566/admin", "more than a host and a port"),
        ("http://me:secret@127.0.0.1:4566", "more than a host and a port"),
        ("https://sts.us-east-1.amazonaws.com", "is AWS itself"),
    ],
)
def test_what_is_no_endpoint_is_said(url, said):
    with pytest.raises(CourseError, match=said) as caught:
        place_of(url)
    assert "secret@" not in str(caught.value) or "more than" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://localhost:4566/", ("http://127.0.0.1:4566", "127.0.0.1", 4566, True)),
        ("http://emulator:4566", ("http://emulator:4566", "emulator", 4566, False)),
        ("https://127.0.0.1:4566", ("https://127.0.0.1:4566", "127.0.0.1", 4566, False)),
        ("http://127.0.0.1", ("http://127.0.0.1:80", "127.0.0.1", 80, False)),
        ("http://[::1]:4566", ("http://[::1]:4566", "::1", 4566, False)),
    ],
)
def test_a_place_is_reached_directly_where_a_sandbox_can_have_its_address(url, place):
    made = place_of(url)
    assert (made.url, made.host, made.port, made.direct) == place


def test_nobody_there_is_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        pytest.raises(EngineError, match=f"nobody answers at http://127.0.0.1:{port}"),
        EndpointTarget(f"http://127.0.0.1:{port}"),
    ):
        pass


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, "<html>hello</html>", "does not answer as AWS does"),
        (200, "not even that", "does not answer as AWS does"),
        (404, "<html>gone</html>", "does not answer as AWS does"),
        (200, WHO.format("me"), "it names no account"),
        (403, REFUSED, "does not take made-up keys .InvalidClientTokenId."),
    ],
)
def test_who_is_not_an_emulator_is_a_sentence(status, body, said):
    with pretending(status, body) as (url, _), pytest.raises(EngineError, match=said), EndpointTarget(url):
        pass


def test_the_users_own_keys_are_never_sent(monkeypatch, tmp_path):
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = AKIAMINE\naws_secret_access_key = mine\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAALSOMINE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    monkeypatch.setenv("AWS_PROFILE", "default")
    with pretending(200, WHO.format("000000000000")) as (url, seen), EndpointTarget(url, keep=True) as target:
        session = target.session("00")
        session.client("sts", session.learner).get_caller_identity()
    assert len(seen) == 2
    assert not [headers for headers in seen if "MINE" in headers["Authorization"]]


def test_where_all_share_an_account_there_is_no_second_one():
    with pretending(200, WHO.format("000000000000")) as (url, _), EndpointTarget(url, keep=True) as target:
        one, other = target.session("00"), target.session("00")
    assert one.account == other.account == "000000000000"
    assert one.elsewhere is None and one.prefix != other.prefix


def test_each_session_has_an_account_of_its_own(emulator):
    with EndpointTarget(emulator) as target:
        one, other = target.session("00"), target.session("00")
        one.client("sqs", one.learner).create_queue(QueueName=f"{one.prefix}-q")
        assert one.client("sqs", one.checks).list_queues()["QueueUrls"]
        assert not other.client("sqs", other.checks).list_queues().get("QueueUrls")
        assert one.client("sts", one.checks).get_caller_identity()["Account"] == one.account


def put_up(session) -> None:
    """One of many kinds, some of them without the attempt's prefix."""
    bench = Bench(session)
    bench.function("def handler(event, context):\n    return 1\n")
    queue = bench.client("sqs").create_queue(QueueName="mine")["QueueUrl"]
    arn = bench.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    bench.client("lambda").create_event_source_mapping(FunctionName=f"{session.prefix}-probe1", EventSourceArn=arn)
    bench.client("s3").create_bucket(Bucket=f"{session.prefix}-b")
    bench.client("s3").put_object(Bucket=f"{session.prefix}-b", Key="a/b", Body=b"x")
    bench.client("kinesis").create_stream(StreamName="mine", ShardCount=1)
    bench.client("cognito-idp").create_user_pool(PoolName="mine")
    bench.client("apigateway").create_rest_api(name="mine")
    bench.client("apigatewayv2").create_api(Name="mine", ProtocolType="HTTP")
    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    bench.client("dynamodb").create_table(
        TableName="mine",
        KeySchema=key,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def test_what_an_attempt_deployed_is_taken_down(emulator):
    with EndpointTarget(emulator) as target:
        session = target.session("00")
        put_up(session)
        kinds = {item.kind for item in found(session, everything=True)}
        assert kinds >= {"function", "queue", "event source mapping", "bucket", "stream", "user pool", "REST API"}
        assert kinds >= {"HTTP API", "table", "role"}
    assert target.left == []
    assert found(session, everything=True) == []


def test_in_a_shared_account_only_what_bears_the_prefix_is(emulator):
    with EndpointTarget(emulator) as target:
        target._shared_account = endpoint._new_account()
        session = target.session("00")
        sqs = session.client("sqs", session.learner)
        for name in (f"{session.prefix}-q", "somebody-elses"):
            sqs.create_queue(QueueName=name)
    left = sqs.list_queues()["QueueUrls"]
    assert [url.rpartition("/")[2] for url in left] == ["somebody-elses"]


def test_what_is_to_be_kept_stays_and_is_named(emulator):
    with EndpointTarget(emulator, keep=True) as target:
        session = target.session("00")
        session.client("sqs", session.learner).create_queue(QueueName=f"{session.prefix}-q")
    assert target.kept == [(session.account, session.prefix)]
    assert [item.kind for item in found(session)] == ["queue"]


def refusing(**_):
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "DeleteRole")


def test_what_cannot_be_taken_down_is_named(emulator, monkeypatch):
    with EndpointTarget(emulator) as target:
        session = target.session("00")
        roles = session.client("iam", session.checks)
        roles.create_role(RoleName=f"{session.prefix}-r", AssumeRolePolicyDocument="{}")
        monkeypatch.setattr(roles, "delete_role", refusing)
    assert len(target.left) == 1 and target.left[0].startswith(f"role {session.prefix}-r: ")


DEPLOY = """
import socket

def deploy(lab):
    lab.client("sqs").create_queue(QueueName=lab.name("q"))
    try:
        socket.create_connection(("127.0.0.1", {port}), 3).close()
        lab.outputs["Other"] = "reached"
    except OSError:
        lab.outputs["Other"] = "refused"
"""


@pytest.mark.isolated("only a sandbox keeps code in")
@pytest.mark.parametrize("direct", [True, False])
def test_learner_code_reaches_the_endpoint_and_nothing_else(emulator, tmp_path, monkeypatch, direct):
    if not direct:
        monkeypatch.setattr(endpoint, "_FIRST_FREE_PORT", 1 << 16)
    with socket.create_server(("127.0.0.1", 0)) as other, EndpointTarget(emulator) as target:
        tmp_path.chmod(0o755)
        (tmp_path / "deploy.py").write_text(DEPLOY.format(port=other.getsockname()[1]))
        session = target.session("00")
        assert (session.endpoint == emulator) is direct
        deployment = deploy(tmp_path, session)
        assert (deployment.error, deployment.outputs) == ("", {"Other": "refused"})
        queues = session.client("sqs", session.checks).list_queues()["QueueUrls"]
        assert [url.rpartition("/")[2] for url in queues] == [f"{session.prefix}-q"]


def test_an_endpoint_has_no_control_socket(emulator, monkeypatch):
    monkeypatch.setattr(endpoint, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr("cloudkata.targets.probes._AT_ONCE_SECONDS", 0.1)
    with EndpointTarget(emulator) as target:
        session = target.session("00")
        assert session.requests() == [] and session.services() == []
        with pytest.raises(LookupError, match="the check must need"):
            session.engine.resigned("token", {})
        with pytest.raises(LookupError, match=r"clock\.advance"):
            session.clock.advance(1)
        with pytest.raises(LookupError, match=r"clock\.advance"), session.clock.paced(10.0):
            pass
        with session.clock.paced(1.0):
            pass
        began = time.monotonic()
        session.clock.wait(0.2)
        assert time.monotonic() - began >= 0.2 and not session.clock.moves
        with pytest.raises(LookupError, match="must need"):
            session.clock.wait(3600)
        assert set(target.lacks(["clock.advance", "clock.settle", "requests.log", "lambda.invoke"])) == {
            "clock.advance",
            "clock.settle",
            "requests.log",
        }


def test_an_endpoint_that_ended_is_the_fault(tmp_path):
    from plain_ministack import ministack

    with contextlib.ExitStack() as stack:
        url = stack.enter_context(ministack(tmp_path))
        with EndpointTarget(url, keep=True) as target:
            session = target.session("00")
            assert session.fault() == ""
            stack.close()
            assert session.fault().startswith("nobody answers at")


def test_a_probe_is_not_taken_in_by_an_emulator_that_does_less(emulator):
    less = ["lambda.batching-window", "lambda.message-groups"]
    with EndpointTarget(emulator) as target:
        assert set(target.lacks(less)) == set(less)
