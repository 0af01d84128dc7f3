"""The triggers alone, SRP against a server's side of the protocol, and the app against a Cognito that is played."""

import base64
import hashlib
import hmac
import importlib.util
import secrets
import sys
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

ROOT = Path(__file__).parents[1]
POOL, PASSWORD = "us-east-1_Club12345", "Correct-horse-7"


def load(name, monkeypatch=None, **modules):
    """A file of the solution as a module; `modules` are what it imports from beside it."""
    for other, module in modules.items():
        monkeypatch.setitem(sys.modules, other, module)
    spec = importlib.util.spec_from_file_location(f"lab11_{Path(name).stem}", ROOT / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


srp = load("srp.py")


def sign_up_event(**attributes):
    return {"request": {"userAttributes": attributes}, "response": {"autoConfirmUser": False}}


@pytest.mark.parametrize("email", ["ada@photoclub.example", "Ada@PhotoClub.EXAMPLE", "a@b@photoclub.example"])
def test_a_member_goes_on_unconfirmed(email):
    event = sign_up_event(email=email)
    assert load("app/pre_sign_up.py").handler(event, None) is event
    assert event["response"] == {"autoConfirmUser": False}


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"email": ""},
        {"email": "ada@myphotoclub.example"},
        {"email": "ada@sub.photoclub.example"},
    ],
)
def test_anybody_else_is_refused(attributes):
    with pytest.raises(ValueError, match="photo club"):
        load("app/pre_sign_up.py").handler(sign_up_event(**attributes), None)


@pytest.mark.parametrize(("groups", "wanted"), [(["a", "editors"], "editor"), (["a"], "member"), ([], "member")])
def test_the_claim_follows_the_groups(groups, wanted):
    request = {"groupConfiguration": {"groupsToOverride": groups}, "clientMetadata": {"membership": "editor"}}
    event = load("app/pre_token.py").handler({"request": request, "response": {}}, None)
    assert event["response"] == {"claimsOverrideDetails": {"claimsToAddOrOverride": {"membership": wanted}}}


class Server:
    """The server's side of SRP-6a, written from its definition: it knows a verifier, and no password."""

    def __init__(self, password):
        self.salt = secrets.randbits(128)
        inner = hashlib.sha256(f"Club12345ada:{password}".encode()).digest()
        x = srp.number(srp.padded(self.salt), inner)
        self.verifier = pow(srp.G, x, srp.N)
        self.secret = secrets.randbits(1024)
        k = srp.number(srp.padded(srp.N), srp.padded(srp.G))
        self.public = (k * self.verifier + pow(srp.G, self.secret, srp.N)) % srp.N
        self.block = base64.b64encode(secrets.token_bytes(32)).decode()

    def challenge(self):
        return {
            "SALT": format(self.salt, "x"),
            "SRP_B": format(self.public, "x"),
            "SECRET_BLOCK": self.block,
            "USER_ID_FOR_SRP": "ada",
        }

    def accepts(self, public_value, proof):
        public = int(public_value, 16)
        u = srp.number(srp.padded(public), srp.padded(self.public))
        shared = pow(public * pow(self.verifier, u, srp.N), self.secret, srp.N)
        extracted = hmac.digest(srp.padded(u), srp.padded(shared), "sha256")
        key = hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]
        message = b"Club12345ada" + base64.b64decode(self.block) + proof["TIMESTAMP"].encode()
        wanted = hmac.digest(key, message, "sha256")
        return hmac.compare_digest(wanted, base64.b64decode(proof["PASSWORD_CLAIM_SIGNATURE"]))


@pytest.mark.parametrize(("typed", "accepted"), [(PASSWORD, True), (PASSWORD + "x", False)])
def test_the_proof_convinces_a_server_that_knows_the_verifier(typed, accepted):
    client, server = srp.Srp(POOL), Server(PASSWORD)
    proof = client.proof(typed, server.challenge())
    assert server.accepts(client.public_value, proof) is accepted


def test_an_unsafe_answer_of_the_server_is_refused():
    challenge = {**Server(PASSWORD).challenge(), "SRP_B": format(srp.N, "x")}
    with pytest.raises(ValueError, match="not safe"):
        srp.Srp(POOL).proof(PASSWORD, challenge)


class Idp:
    """Answers a sign-in, and remembers what it was asked."""

    def __init__(self):
        self.server, self.asked = Server(PASSWORD), []

    def initiate_auth(self, **request):
        self.asked.append(request)
        return {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": self.server.challenge()}

    def respond_to_auth_challenge(self, **request):
        self.asked.append(request)
        public = self.asked[0]["AuthParameters"]["SRP_A"]
        if not self.server.accepts(public, request["ChallengeResponses"]):
            raise PermissionError("NotAuthorizedException")
        return {"AuthenticationResult": {"IdToken": "i", "AccessToken": "a", "RefreshToken": "r"}}


def app(monkeypatch, idp):
    outputs = {"UserPoolId": POOL, "ClientId": "client"}
    return load("client.py", monkeypatch, srp=srp), SimpleNamespace(outputs=outputs, client=lambda service: idp)


def test_signing_in_takes_two_requests_without_the_password(monkeypatch):
    idp = Idp()
    client, lab = app(monkeypatch, idp)
    assert client.sign_in(lab, "ada", PASSWORD) == {"IdToken": "i", "AccessToken": "a", "RefreshToken": "r"}
    assert [request.get("AuthFlow") or request["ChallengeName"] for request in idp.asked] == [
        "USER_SRP_AUTH",
        "PASSWORD_VERIFIER",
    ]
    assert PASSWORD not in repr(idp.asked)


def test_a_wrong_password_is_an_exception(monkeypatch):
    client, lab = app(monkeypatch, Idp())
    with pytest.raises(PermissionError):
        client.sign_in(lab, "ada", "Wrong-horse-7")


def test_credentials_are_texts(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        identities = boto3.client("cognito-identity", region_name="us-east-1")
        pool = identities.create_identity_pool(IdentityPoolName="p", AllowUnauthenticatedIdentities=False)
        outputs = {"UserPoolId": POOL, "IdentityPoolId": pool["IdentityPoolId"]}
        lab = SimpleNamespace(outputs=outputs, region="us-east-1", client=lambda service: identities)
        found = load("client.py", monkeypatch, srp=srp).credentials(lab, "a.token.signed")
    assert sorted(found) == ["AccessKeyId", "IdentityId", "SecretKey", "SessionToken"]
    assert all(isinstance(value, str) for value in found.values())
