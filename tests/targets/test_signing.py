"""What leaves for AWS: to which hosts, over TLS, signed with the session's keys and nothing of the sandbox's."""

import datetime
import ipaddress
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import botocore.session
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cloudkata.course import find_course
from cloudkata.targets import signing
from cloudkata.targets.lab_roles import lab_policies
from cloudkata.targets.relay import Request
from cloudkata.targets.session import Keys
from cloudkata.targets.signing import Sender, host_of, service_of

COURSE = find_course(Path(__file__))
SERVICES = sorted({service for policy in lab_policies(COURSE) for service in policy.services})
MODELS = {"states": "stepfunctions"}  # signed for by another name than the model's
KEYS = Keys("ASIASESSIONSESSION12", "the-sessions-secret", "the-sessions-token")


def request(service="lambda", region="us-east-1", method="GET", target="/2015-03-31/functions/", **headers) -> Request:
    scope = f"AWS4-HMAC-SHA256 Credential=AKIAMADEUP/20260101/{region}/{service}/aws4_request, Signature=made-up"
    given = {"Authorization": scope, "Host": "127.0.0.1:8443", "X-Amz-Security-Token": "made-up", **headers}
    return Request(method, target, tuple((name, value) for name, value in given.items() if value), b"{}")


@pytest.mark.parametrize("service", SERVICES)
def test_hosts_are_those_that_aws_has_for_the_services_of_the_labs(service):
    made = botocore.session.Session().create_client(
        MODELS.get(service, service), region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    theirs = made.meta.endpoint_url.removeprefix("https://")
    assert host_of(service, "") in (theirs, theirs.replace("s3.", "s3.us-east-1."))


def test_operations_with_a_host_of_their_own_go_there():
    assert host_of("states", "AWSStepFunctions.StartSyncExecution") == "sync-states.us-east-1.amazonaws.com"
    assert host_of("states", "AWSStepFunctions.StartExecution") == "states.us-east-1.amazonaws.com"
    assert host_of("dynamodb", "DynamoDBStreams_20120810.GetRecords") == "streams.dynamodb.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (request(), ""),
        (request("ec2"), "lab 00 does not use ec2"),
        (request(region="eu-west-1"), "lab 00 works in us-east-1"),
        (request("../../evil"), "signed for no service"),
        (request("evil.example.com/"), "signed for no service"),
        (request(Authorization=""), "signed for no service"),
        (request(**{"X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}), "signed in parts"),
        (request("sts"), ""),
    ],
)
def test_what_does_not_belong_to_the_lab_is_refused(asked, said):
    sender = Sender(KEYS, ["lambda", "iam"], "00")
    why = sender.refuse(asked)
    assert said in why if said else why == ""
    assert [trouble.message for trouble in sender.troubles] == ([why] if why else [])


def test_public_operations_of_cognito_go_without_a_signature():
    asked = request(Authorization="", **{"X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth"})
    assert service_of(asked) == ("us-east-1", "cognito-idp")
    keys = request(Authorization="", target="/us-east-1_abc/.well-known/jwks.json")
    assert service_of(keys) == ("us-east-1", "cognito-idp")
    assert Sender(KEYS, ["lambda"], "00").refuse(keys)


def certificate(folder: Path, host: str) -> Path:
    """A certificate that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(host), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{host}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def pretended_aws(tmp_path, monkeypatch):
    """A server that bears the name of Lambda's endpoint; (what it saw, whom it was asked for)."""
    seen, dialled = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(dict(self.headers))
            body = json.dumps({"message": "Rate exceeded"}).encode()
            self.send_response(429)
            self.send_header("x-amzn-ErrorType", "TooManyRequestsException")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    file = certificate(tmp_path, "lambda.us-east-1.amazonaws.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    connect = socket.create_connection

    def dial(address, *rest, **more):
        dialled.append(address)
        return connect(server.server_address, *rest, **more)

    monkeypatch.setattr(socket, "create_connection", dial)
    monkeypatch.setattr(signing, "_certificates", lambda: str(file))
    yield seen, dialled, file
    server.shutdown()
    server.server_close()


def test_a_request_goes_to_aws_over_tls_with_the_sessions_signature(pretended_aws):
    seen, dialled, _ = pretended_aws
    sender = Sender(KEYS, ["lambda"], "00")
    answer = sender(request(**{"X-Other": "kept"}))
    assert (answer.status, dialled) == (429, [("lambda.us-east-1.amazonaws.com", 443)])
    (headers,) = seen
    assert headers["Host"] == "lambda.us-east-1.amazonaws.com" and headers["X-Other"] == "kept"
    assert f"Credential={KEYS.access_key_id}/" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == KEYS.session_token and "made-up" not in str(headers)
    assert [(one.code, one.message) for one in sender.troubles] == [("TooManyRequestsException", "Rate exceeded")]


def test_who_only_pretends_to_be_aws_gets_nothing(pretended_aws, monkeypatch, tmp_path):
    seen, _, _ = pretended_aws
    other = certificate(tmp_path, "somebody.example.com")
    monkeypatch.setattr(signing, "_certificates", lambda: str(other))
    with pytest.raises(ssl.SSLCertVerificationError):
        Sender(KEYS, ["lambda"], "00")(request())
    assert seen == []


def test_without_an_endpoint_the_authorities_are_botocores_own():
    assert signing._certificates().endswith("botocore/cacert.pem")
