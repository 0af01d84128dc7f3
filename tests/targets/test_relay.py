"""A sandbox's way out to an account: nothing goes out that is not in the ledger, whatever the code inside does."""

import contextlib
import http.client
import socket
import threading

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cloudkata.deployment.learner import deploy
from cloudkata.targets import calls as reading
from cloudkata.targets import ledger as ledgers
from cloudkata.targets.calls import read_call
from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.ledger import Ledger, read_ledger
from cloudkata.targets.relay import Answer, Relay, plain
from cloudkata.targets.session import service_model

SIGNED = "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as started:
        yield started


@contextlib.contextmanager
def relaying(tmp_path, send, **more):
    """(a port that is relayed, the ledger)."""
    made = Ledger("123456789012", "us-east-1", "kata14-ab12", "14", folder=tmp_path)
    listener = socket.create_server(("127.0.0.1", 0))
    with Relay(made, send, **more) as relay, relay.serve(listener):
        yield listener.getsockname()[1], made
    made.close()


def client(service, port, session):
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=session.learner.access_key_id,
        aws_secret_access_key=session.learner.secret_access_key,
        config=Config(retries={"max_attempts": 1, "mode": "standard"}),
    )


def test_calls_pass_as_they_are_and_those_that_change_something_are_written_down(target, tmp_path):
    session = target.session("14")
    with relaying(tmp_path, plain("127.0.0.1", session.port)) as (port, made):
        sqs, s3, iam = (client(service, port, session) for service in ("sqs", "s3", "iam"))
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sqs.list_queues()
        s3.create_bucket(Bucket="kata-relayed")
        s3.put_object(Bucket="kata-relayed", Key="a/b", Body=b"x" * 100_000)
        assert s3.get_object(Bucket="kata-relayed", Key="a/b")["Body"].read() == b"x" * 100_000
        s3.head_object(Bucket="kata-relayed", Key="a/b")
        s3.delete_object(Bucket="kata-relayed", Key="a/b")
        role = iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        calls = read_ledger(made.path).calls
    assert [(call.service, call.operation) for call in calls] == [
        ("sqs", "CreateQueue"),
        ("s3", "CreateBucket"),
        ("s3", "PutObject"),
        ("s3", "DeleteObject"),
        ("iam", "CreateRole"),
    ]
    assert calls[0].names == ("q",) and calls[0].made == (url,) and calls[0].status == 200
    assert "kata-relayed" in calls[1].names and role in calls[4].made


def test_the_line_is_on_disk_before_the_call_goes_out(tmp_path):
    seen = []

    def send(request):
        seen.append([call.names for call in read_ledger(next(tmp_path.iterdir())).calls])
        return Answer(200, (), b"{}")

    with relaying(tmp_path, send) as (port, _):
        ask(port, "POST", "/", {"x-amz-target": "AmazonSQS.CreateQueue"}, b'{"QueueName": "q"}')
    assert seen == [[("q",)]]


def ask(port, method, path, headers=None, body=b""):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {}, encode_chunked="Transfer-Encoding" in (headers or {}))
        reply = connection.getresponse()
        return reply.status, reply.read()


def test_what_cannot_be_written_down_is_not_sent_and_the_code_is_told_why(target, tmp_path, monkeypatch):
    session, sent = target.session("14"), []

    def full(*_):
        raise ledgers.LedgerError("No space left on device")

    with relaying(tmp_path, sent.append) as (port, made):
        monkeypatch.setattr(made, "_append", full)
        for service, call in {
            "sqs": lambda c: c.create_queue(QueueName="q"),
            "iam": lambda c: c.create_role(RoleName="r", AssumeRolePolicyDocument="{}"),
            "s3": lambda c: c.create_bucket(Bucket="kata-b"),
            "lambda": lambda c: c.delete_function(FunctionName="f"),
            "cloudfront": lambda c: c.delete_function(Name="f", IfMatch="e"),
        }.items():
            with pytest.raises(ClientError, match=r"was not sent: No space left on device|call would make"):
                call(client(service, port, session))
        assert sent == [] and "No space left" in made.problem


def test_what_may_not_go_out_is_refused_before_the_ledger(tmp_path):
    with relaying(tmp_path, None, refuse=lambda request: "not allowed here") as (port, made):
        status, body = ask(port, "POST", "/", {"x-amz-target": "AmazonSQS.CreateQueue"}, b"{}")
        assert status == 403 and b"not allowed here" in body and read_ledger(made.path).calls == ()


def test_where_aws_is_not_reached_the_call_is_told_without_an_answer(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port_of_nobody = free.getsockname()[1]
    with relaying(tmp_path, plain("127.0.0.1", port_of_nobody)) as (port, made):
        assert ask(port, "POST", "/", {"x-amz-target": "AmazonSQS.CreateQueue"}, b'{"QueueName": "q"}')[0] == 502
        (call,) = read_ledger(made.path).calls
        assert call.status == 0


def test_a_call_that_is_on_its_way_when_the_way_ends_is_waited_for(tmp_path):
    gone_out, go_on = threading.Event(), threading.Event()

    def send(request):
        gone_out.set()
        go_on.wait(20)
        return Answer(200, (), b'{"QueueUrl": "url"}')

    with relaying(tmp_path, send) as (port, made):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/", b'{"QueueName": "q"}', {"x-amz-target": "AmazonSQS.CreateQueue"})
        assert gone_out.wait(20)
        connection.close()  # as a killed child does
        threading.Timer(0.2, go_on.set).start()
    assert read_ledger(made.path).calls[0].made == ("url",)


@pytest.mark.parametrize(
    "body",
    [
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"\0\0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_request_is_not_sent(tmp_path, body):
    sent = []
    with relaying(tmp_path, sent.append) as (port, _), socket.create_connection(("127.0.0.1", port), 10) as raw:
        raw.sendall(body)
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(1000):
            pass
    assert sent == []


def test_chunks_are_put_together(tmp_path):
    sent = []
    with relaying(tmp_path, lambda request: sent.append(request.body) or Answer(200, ())) as (port, _):
        assert ask(port, "PUT", "/b/k", {"Transfer-Encoding": "chunked"}, iter([b"ab", b"c" * 5000]))[0] == 200
    assert sent == [b"ab" + b"c" * 5000]


SNEAKY = """
import http.client

def deploy(lab):
    lab.client("sqs").create_queue(QueueName=lab.name("open"))
    # a request made by hand: no hook in this process is asked
    from botocore import auth, awsrequest, credentials
    import os
    keys = credentials.Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    request = awsrequest.AWSRequest("POST", os.environ["AWS_ENDPOINT_URL"] + "/", headers={
        "X-Amz-Target": "AmazonSQS.CreateQueue", "Content-Type": "application/x-amz-json-1.0"},
        data='{"QueueName": "%s"}' % lab.name("hidden"))
    auth.SigV4Auth(keys, "sqs", "us-east-1").add_auth(request)
    place = os.environ["AWS_ENDPOINT_URL"].split("//")[1]
    raw = http.client.HTTPConnection(place)
    raw.request("POST", "/", request.data, dict(request.headers))
    assert raw.getresponse().status == 200
"""


@pytest.mark.isolated("without a sandbox there is a way past the parent")
@pytest.mark.isolated("without namespaces code is not relayed")
def test_code_that_goes_around_boto3_is_in_the_ledger_too(target, tmp_path):
    from accounts import ledgered

    folder = tmp_path / "lab"
    folder.mkdir()
    tmp_path.chmod(0o755)
    (folder / "deploy.py").write_text(SNEAKY)
    with ledgered(target.session("14"), "14", tmp_path) as (session, made):
        deployment = deploy(folder, session)
        assert deployment.error == ""
        names = [call.names[0] for call in read_ledger(made.path).calls]
    assert names == [f"{session.prefix}-open", f"{session.prefix}-hidden"]
    assert [call.operation for call in deployment.calls] == ["CreateQueue", "CreateQueue"]


@pytest.mark.parametrize(
    ("service", "method", "path", "headers", "body", "operation", "changes"),
    [
        ("lambda", "POST", "/2015-03-31/functions", {}, b'{"FunctionName": "f"}', "CreateFunction", True),
        ("lambda", "GET", "/2015-03-31/functions/f", {}, b"", "GetFunction", False),
        ("lambda", "POST", "/2015-03-31/functions/f/versions", {}, b"{}", "PublishVersion", True),
        ("apigateway", "POST", "/restapis", {}, b'{"name": "f"}', "CreateRestApi", True),
        ("apigateway", "POST", "/v2/apis", {}, b'{"name": "f"}', "CreateApi", True),
        ("s3", "PUT", "/f?policy", {}, b"{}", "PutBucketPolicy", True),
        ("s3", "PUT", "/f", {}, b"", "CreateBucket", True),
        ("dynamodb", "POST", "/", {"x-amz-target": "D.GetItem"}, b'{"TableName": "f"}', "GetItem", False),
        ("iam", "POST", "/", FORM, b"Action=CreateRole&RoleName=f", "CreateRole", True),
        ("iam", "POST", "/", FORM, b"Action=GetRole&RoleName=f", "GetRole", False),
        # two operations at once: AWS takes one of them, and who knows which
        ("sqs", "POST", "/?Action=ListQueues", {**FORM}, b"Action=CreateQueue&QueueName=f", "ListQueues", True),
        ("sqs", "GET", "/?Action=CreateQueue&QueueName=f", {}, b"", "CreateQueue", True),
        ("nothing", "POST", "/f", {}, b"", "POST /f", True),
        ("cloudfront", "POST", "/2020-05-31/function", {}, b"<C><Name>f</Name></C>", "CreateFunction", True),
    ],
)
def test_a_request_is_read_as_aws_reads_it(service, method, path, headers, body, operation, changes):
    found = read_call(method, path, {"authorization": SIGNED.format(service), **headers}, body)
    assert (found.service, found.operation, found.changes) == (service, operation, changes)
    assert "f" in found.names or service == "nothing"


def test_no_values_are_written_down():
    body = (
        b'{"FunctionName": "f", "Environment": {"Variables": {"PASSWORD": "s", "API_KEY": "s"}}, "SecretString": "s"}'
    )
    found = read_call("POST", "/2015-03-31/functions", {"authorization": SIGNED.format("lambda")}, body)
    assert found.names == ("f",)
    for path, service in (("/2015-03-31/functions/f/invocations", "lambda"), ("/v1/orders", "execute-api")):
        found = read_call("POST", path, {"authorization": SIGNED.format(service)}, b'{"name": "somebody"}')
        assert found.changes and "somebody" not in found.names


def test_a_request_is_read_the_same_after_a_client_has_changed_its_own_model(target):
    session = target.session("14")
    service_model.cache_clear()
    reading._templates.cache_clear()
    session.client("s3", session.learner).create_bucket(Bucket=f"{session.prefix}-changed")
    assert read_call("PUT", "/f", {"authorization": SIGNED.format("s3")}, b"").operation == "CreateBucket"
