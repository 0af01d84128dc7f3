"""The only thing on TCP: an ASGI application in front of MiniStack that decides who gets in, and remembers it.

No admin path by any spelling, no key but those issued (MiniStack takes any twelve-digit key for root), no Host
that is not this machine's loopback, and a log of requests that checks use as evidence.
"""

from __future__ import annotations

import contextlib
import json
import posixpath
import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, unquote

from cloudkata.engine.keys import UNSIGNED, KeyRing
from cloudkata.engine.owners import Owners
from cloudkata.engine.request_log import Call, RequestLog
from cloudkata.engine.watches import Watches

_ADMIN = re.compile(r"(^|/)_(ministack|localstack)(/|$)", re.IGNORECASE)
_HEALTH = frozenset({"/health"})
_BODY_BYTES = 256 << 20
_UPLOAD_BYTES = 64 << 10  # read of an upload at most; who takes it judges its length
# No name below these can be made to lead here by somebody else: API Gateway's are *.execute-api.127.0.0.1.
_HOST = re.compile(
    r"^(([a-z0-9.-]+\.)?(127\.0\.0\.1|localhost)|\[::1\]|[a-z0-9]+\.cloudfront\.net)(:\d+)?$", re.IGNORECASE
)
# Headers that MiniStack trusts from its own children: nobody else may set them.
_INTERNAL_HEADERS = (b"x-ministack-", b"x-kata-")
REQUEST_ID_HEADER = "x-kata-request-id"
# What is no bucket, whatever it looks like: API Gateway, function URLs, Cognito's endpoints and our own links.
_SERVED_UNSIGNED = re.compile(
    r"^/(_aws/|_user_request_|restapis/|_download/|_upload/|oauth2/|login|logout|[^/]+/\.well-known/)", re.IGNORECASE
)
_LINEAGE = re.compile(rb"Lineage=[^;:]*:(\d+)")


def plain_path(path: str) -> str:
    """A path with every escape undone and every detour taken out, for judging what it means."""
    while (decoded := unquote(path)) != path:
        path = decoded
    path = path.replace("\\", "/").split("?")[0]
    return posixpath.normpath("/" + re.sub(r"[\x00-\x20]", "", path).lstrip("/"))


def is_admin_path(path: str) -> bool:
    plain = plain_path(path)
    return bool(_ADMIN.search(plain)) or plain.lower() in _HEALTH


class FrontDoor:
    """Judges each request, passes it on to `app`, and logs it.

    `downloads` maps a token to what gives bytes, `uploads` one to what takes them, once.
    """

    def __init__(
        self, app, keys: KeyRing, clock: Callable[[], float] = time.time, owners: Owners | None = None
    ) -> None:
        self._app = app
        self._keys = keys
        self._clock = clock
        self._owners = owners or Owners()
        self.watches = Watches()
        self.log = RequestLog()
        self.downloads: dict[str, Callable[[], bytes | None]] = {}
        self.uploads: dict[str, Callable[[bytes], object]] = {}

    def via(self, name: str):
        """The same application for what arrives on another listener, named in the log."""

        async def app(scope, receive, send):
            await self(scope, receive, send, via=name)

        return app

    async def __call__(self, scope, receive, send, via: str = "loopback"):
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] not in ("http", "websocket"):
            return None
        headers = _headers(scope)
        refusal, owner = self._judge(scope, headers)
        if refusal is None and scope["path"].startswith("/_download/"):
            return await self._download(scope, send)
        if refusal is None and scope["path"].startswith("/_upload/"):
            return await self._upload(scope, receive, send)
        look, receive = self.watches.look(scope, receive)
        unsigned = ""
        if refusal is None and owner is None:
            unsigned, receive = await self._owners.account(scope, headers, receive)
            owner = (UNSIGNED, unsigned) if unsigned else None
        operation = headers.get("x-amz-target", "").rpartition(".")[2] or f"{scope.get('method', 'WS')} {scope['path']}"
        call = Call(headers, operation)
        request_id: list[bytes] = []

        async def sending(message):
            if message["type"] == "http.response.start":
                call.answered(message)
                message = {**message, "headers": _reply_headers(message.get("headers", ()), request_id)}
            else:
                call.said(message.get("body", b""))
            await send(message)

        try:
            if refusal is not None:
                call.status, call.error = refusal[0], refusal[1]
                await _refuse(scope, receive, send, *refusal)
            else:
                scope = {**scope, "headers": _clean(scope["headers"])}
                with _in_account(unsigned):
                    await self._app(scope, _bounded(receive, call), sending)
        finally:
            key_set, account = owner or ("", "")
            self.log.add(
                time=self._clock(),
                key_set=key_set,
                account=account,
                service=call.service,
                operation=call.operation[:200],
                path=scope["path"][:500],
                status=call.status,
                error=call.error[:200],
                via=via,
                carried=look.carried() if look else (),
            )

    def _judge(self, scope, headers) -> tuple[tuple[int, str, str] | None, tuple[str, str] | None]:
        """(what to refuse with, who asks)."""
        raw = scope.get("raw_path", b"").decode("latin-1")
        if is_admin_path(scope["path"]) or is_admin_path(raw):
            return (403, "AccessDeniedException", "This path is not served here."), None
        if not _HOST.match(headers.get("host", "")):
            return (403, "AccessDeniedException", "This host name is not served here."), None
        try:
            if int(headers.get("content-length") or 0) > _BODY_BYTES:
                return (413, "RequestEntityTooLargeException", "The request body is too large."), None
        except ValueError:
            return (400, "ValidationException", "The content length is not a number."), None
        key_id = self._key_id(scope, headers)
        if not key_id:
            if _is_bucket_level(scope, headers):
                return (403, "AccessDenied", "Access Denied"), None
            return None, None  # MiniStack itself decides what else may be asked without a signature
        owner = self._keys.owner(key_id)
        if owner is None:
            message = "The security token included in the request is invalid."
            return (403, "UnrecognizedClientException", message), None
        return None, owner

    def _key_id(self, scope, headers) -> str:
        """The key as MiniStack will read it, so that the two can never disagree."""
        from ministack.app import extract_access_key_id

        query = parse_qs(scope.get("query_string", b"").decode("utf-8", "replace"), keep_blank_values=True)
        return extract_access_key_id(headers, query) or ""

    async def _download(self, scope, send) -> None:
        found = self.downloads.get(scope["path"].rpartition("/")[2])
        body = found() if found else None
        await _answer(send, 404 if body is None else 200, "application/zip", body or b"")

    async def _upload(self, scope, receive, send) -> None:
        token = scope["path"].rpartition("/")[2]
        if scope.get("method") != "PUT" or token not in self.uploads:
            return await _answer(send, 404, "text/plain", b"")
        body, more = bytearray(), True
        while more and len(body) <= _UPLOAD_BYTES:
            message = await receive()
            if message["type"] != "http.request":
                return None  # it went away before it was through, and may come again
            body += message.get("body", b"")
            more = message.get("more_body", False)
        take = self.uploads.pop(token, None)
        if take is not None:
            take(bytes(body))
        return await _answer(send, 200 if take is not None else 404, "text/plain", b"")


def _in_account(account: str):
    """What MiniStack works in until a key says otherwise."""
    if not account:
        return contextlib.nullcontext()
    from ministack.core.responses import get_region, request_scope

    return request_scope(account, get_region())


def _is_bucket_level(scope, headers) -> bool:
    """Whether MiniStack would take an unsigned request for S3 and for no object: it lets anybody make a bucket."""
    from ministack.app import _extract_s3_vhost_bucket, detect_service

    path = scope["path"]
    if scope["type"] != "http" or _SERVED_UNSIGNED.match(path):
        return False
    query = parse_qs(scope.get("query_string", b"").decode("utf-8", "replace"), keep_blank_values=True)
    if detect_service(scope["method"], path, headers, query) != "s3":
        return False
    if _extract_s3_vhost_bucket(headers.get("host", "")):
        path = f"/bucket{path}"
    bucket, _, key = path.lstrip("/").partition("/")
    if not bucket:
        return True
    return not key and scope["method"] not in ("GET", "HEAD", "OPTIONS", "POST")  # POST: an upload from a form


def _headers(scope) -> dict[str, str]:
    from ministack.core.sigv4 import decode_header_value

    found: dict[str, str] = {}
    for name, value in scope.get("headers", ()):
        key = name.decode("latin-1").lower()
        text = decode_header_value(value)
        if key in found:
            text = found[key] + ("; " if key == "cookie" else ", ") + text
        found[key] = text
    return found


def _clean(headers) -> list[tuple[bytes, bytes]]:
    """Without headers that only the engine may set; the depth of a call chain is read from the trace header."""
    kept = [(name, value) for name, value in headers if not name.lower().startswith(_INTERNAL_HEADERS)]
    for name, value in headers:
        if name.lower() == b"x-amzn-trace-id" and (found := _LINEAGE.search(value)):
            kept.append((b"x-ministack-invoke-depth", found.group(1)))
    return kept


def _reply_headers(headers, request_id: list[bytes]) -> list[tuple[bytes, bytes]]:
    """An invocation's own request id replaces the one MiniStack made for the HTTP request."""
    for name, value in headers:
        if name.lower() == REQUEST_ID_HEADER.encode():
            request_id.append(value)
    if not request_id:
        return list(headers)
    replaced = {b"x-amzn-requestid", b"x-amz-request-id", REQUEST_ID_HEADER.encode()}
    kept = [(name, value) for name, value in headers if name.lower() not in replaced]
    return [*kept, (b"x-amzn-requestid", request_id[0])]


def _bounded(receive, call: Call):
    """`receive`, cut off where a body without a length grows past the limit; `call` sees what passes."""
    seen = 0

    async def receiving():
        nonlocal seen
        message = await receive()
        call.sent(message.get("body", b""))
        seen += len(message.get("body", b""))
        return {"type": "http.disconnect"} if seen > _BODY_BYTES else message

    return receiving


async def _answer(send, status: int, kind: str, body: bytes) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _refuse(scope, receive, send, status: int, code: str, message: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return None
    headers = dict(scope["headers"])
    if b"application/x-www-form-urlencoded" in headers.get(b"content-type", b""):  # the query protocol: IAM, STS, SNS
        code = "InvalidClientTokenId" if code == "UnrecognizedClientException" else code
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        return await _answer(send, status, "text/xml", f"<ErrorResponse>{error}</ErrorResponse>".encode())
    if "/s3/" in headers.get(b"authorization", b"").decode("latin-1"):
        code = "InvalidAccessKeyId" if code == "UnrecognizedClientException" else code
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return await _answer(send, status, "application/xml", body.encode())
    return await _answer(
        send, status, "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message}).encode()
    )
