"""Sends a sandbox's requests on to an account, signed with the keys of the learner's session there.

The sandbox itself has made-up keys only: what it signs says which service a request is for, no more. The real ones are
used here, in this process, for the services of the lab and in its Region. The hosts are those of AWS's endpoints
(https://docs.aws.amazon.com/general/latest/gr/rande.html), or an emulator's that plays the account.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import threading
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from cloudkata.engine import REGION
from cloudkata.targets.relay import Answer, Request, exchange
from cloudkata.targets.session import Keys

_SCOPE = re.compile(r"Credential=[^/,]+/\d{8}/([^/,]*)/([a-z0-9-]{1,40})/aws4_request")
_GLOBAL = frozenset({"iam", "cloudfront"})
# What is called without a signature: Cognito's public operations, and the keys that tokens are signed with.
_UNSIGNED = (
    ("AWSCognitoIdentityProviderService.", "cognito-idp"),
    ("AWSCognitoIdentityService.", "cognito-identity"),
)
_POOL_KEYS = re.compile(r"^/[\w-]+/\.well-known/[a-z.-]+$")
# Operations of a service that another of its hosts answers.
_APART = {"AWSStepFunctions.StartSyncExecution": "sync-states", "DynamoDBStreams_20120810.": "streams.dynamodb"}
# Of a request, what is said anew when it is signed and sent again.
_RENEWED = frozenset(
    {"authorization", "x-amz-date", "date", "x-amz-security-token", "host", "content-length", "expect", "connection"}
    | {"transfer-encoding", "x-amz-content-sha256", "accept-encoding", "proxy-connection", "keep-alive", "te"}
)
_SECONDS = 120.0
_CODE = re.compile(rb"<Code>([^<]{1,100})</Code>.{0,20}?<Message>([^<]{0,1000})</Message>", re.DOTALL)
_REMEMBERED = 200
REFUSED = "AccessDenied"  # the code of what the relay itself refuses


@dataclass(frozen=True)
class Trouble:
    """An error that code was answered with: its code and message. `ours`: it was not sent to the account at all."""

    service: str
    code: str
    message: str
    ours: bool = False


def service_of(request: Request) -> tuple[str, str]:
    """(Region, service) that a request is for, by its signature or, without one, by what it asks; "" for neither."""
    headers = request.lower
    if found := _SCOPE.search(headers.get("authorization", "")):
        return found.group(1), found.group(2)
    target = headers.get("x-amz-target", "")
    for start, service in _UNSIGNED:
        if target.startswith(start):
            return REGION, service
    if request.method == "GET" and _POOL_KEYS.match(urlsplit(request.target).path):
        return REGION, "cognito-idp"
    return "", ""


class Sender:
    """Signs a request with `keys` and brings back the answer. `troubles` holds the last errors, the account's and ours.

    `services` are those that code for lab `number` may call. `endpoint`: the URL of an emulator that plays the account,
    or "" for AWS.
    """

    def __init__(self, keys: Keys, services: Collection[str], number: str, endpoint: str = "") -> None:
        from botocore.credentials import Credentials

        self._services, self._number = frozenset(services), number
        self._credentials = Credentials(keys.access_key_id, keys.secret_access_key, keys.session_token or None)
        self._endpoint = endpoint
        self._tls = ssl.create_default_context(cafile=_certificates())
        self._lock = threading.Lock()
        self.troubles: deque[Trouble] = deque(maxlen=_REMEMBERED)

    def refuse(self, request: Request) -> str:
        """Why a request must not go out, or "": those of other services and Regions, and what is no request."""
        region, service = service_of(request)
        why = ""
        if not service:
            why = "this request is signed for no service, and is none that may go without a signature"
        elif service not in self._services and service != "sts":
            why = f"lab {self._number} does not use {service}, so its code may not call it on a real account"
        elif region != REGION:
            why = f"lab {self._number} works in {REGION}, and its code may not call {service} in {region}"
        elif request.lower.get("x-amz-content-sha256", "").startswith("STREAMING-"):
            why = "a body that is signed in parts cannot be sent on to a real account; send it whole"
        if why:
            self._remember(Trouble(service, REFUSED, why, ours=True))
        return why

    def _remember(self, trouble: Trouble) -> None:
        with self._lock:
            self.troubles.append(trouble)

    def __call__(self, request: Request) -> Answer:
        """Raises OSError or http.client.HTTPException when nobody answers."""
        _, service = service_of(request)
        signed = "authorization" in request.lower
        place = urlsplit(self._endpoint or f"https://{host_of(service, request.lower.get('x-amz-target', ''))}")
        headers = {name: value for name, value in request.headers if name.lower() not in _RENEWED}
        url = f"{place.scheme}://{place.netloc}{request.target}"
        if signed:
            headers = self._signed(request, url, headers, service)
        answer = self._exchange(place, request, headers)
        if answer.status >= 400:
            self._remember(_trouble(service, answer))
        return answer

    def _signed(self, request: Request, url: str, headers: dict[str, str], service: str) -> dict[str, str]:
        from botocore.auth import S3SigV4Auth, SigV4Auth
        from botocore.awsrequest import AWSRequest

        made = AWSRequest(request.method, url, headers=headers, data=request.body)
        made.context["payload_signing_enabled"] = True
        kind = S3SigV4Auth if service == "s3" else SigV4Auth
        kind(self._credentials, service, REGION).add_auth(made)
        return {name: str(value) for name, value in made.headers.items()}

    def _exchange(self, place, request: Request, headers: dict[str, str]) -> Answer:
        if place.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                place.hostname, place.port, timeout=_SECONDS, context=self._tls
            )
        else:
            connection = http.client.HTTPConnection(place.hostname, place.port, timeout=_SECONDS)
        others = [(name, value) for name, value in headers.items() if name.lower() != "host"]
        return exchange(connection, request, [("Host", place.netloc), *others])


def host_of(service: str, target: str) -> str:
    """The host name of AWS's endpoint for a service, or for an operation that has one of its own."""
    for start, name in _APART.items():
        if target.startswith(start):
            return f"{name}.{REGION}.amazonaws.com"
    return f"{service}.amazonaws.com" if service in _GLOBAL else f"{service}.{REGION}.amazonaws.com"


def _certificates() -> str | None:
    """botocore's own list of authorities, which is there wherever botocore is."""
    from pathlib import Path

    import botocore

    found = Path(botocore.__file__).with_name("cacert.pem")
    return str(found) if found.is_file() else None


def _trouble(service: str, answer: Answer) -> Trouble:
    headers = {name.lower(): value for name, value in answer.headers}
    code, message = headers.get("x-amzn-errortype", "").split(":")[0], ""
    if found := _CODE.search(answer.body[: 64 << 10]):
        code, message = found.group(1).decode("utf-8", "replace"), found.group(2).decode("utf-8", "replace")
    else:
        try:
            told = json.loads(answer.body[: 64 << 10] or b"{}")
        except ValueError:
            told = {}
        if isinstance(told, dict):
            code = code or str(told.get("__type") or told.get("code") or "")
            message = str(told.get("message") or told.get("Message") or "")
    return Trouble(service, code.rpartition("#")[2] or str(answer.status), message[:1000])
