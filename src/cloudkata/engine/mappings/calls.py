"""Public operations of the services, asked for inside the engine's process: no HTTP, no signature, the same handlers.

They run on the event loop, as every request does, so that no two of them are ever in each other's way.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from dataclasses import dataclass

from cloudkata.engine.context import Context
from cloudkata.engine.front_door import REQUEST_ID_HEADER

_LONGEST_SECONDS = 1000.0  # of real time; an invocation takes 900 at most


class CallError(Exception):
    """A service refused a call: `code` is the error's name."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Answer:
    """What came of Invoke: `status` as in HTTP, `error` as in X-Amz-Function-Error or nothing, the payload's text."""

    status: int
    error: str
    payload: bytes
    version: str
    request_id: str


class Calls:
    """Calls in one account and Region; from any thread but the event loop's."""

    def __init__(self, context: Context, account: str, region: str) -> None:
        self._context, self._account, self._region = context, account, region

    def _run(self, module: str, method: str, path: str, headers: dict, body: bytes, **options):
        from ministack.core.responses import request_scope

        service = importlib.import_module(f"ministack.services.{module}")

        async def scoped():
            with request_scope(self._account, self._region):
                return await service.handle_request(method, path, headers, body, {}, **options)

        assert self._context.loop is not None
        return asyncio.run_coroutine_threadsafe(scoped(), self._context.loop).result(_LONGEST_SECONDS)

    def json(self, module: str, target: str, arguments: dict) -> dict:
        """An operation of a service with a JSON protocol; `target` as in X-Amz-Target. Raises CallError."""
        body = json.dumps(arguments).encode()
        status, _, answer = self._run(module, "POST", "/", {"x-amz-target": target}, body)
        found = json.loads(answer or b"{}")
        if status >= 300:
            raise CallError(str(found.get("__type", "")).rpartition("#")[2], str(found.get("message", "")))
        return found

    def other(self, module: str, method: str, path: str, headers: dict, body: bytes, **options) -> None:
        """A request in any other protocol; `options` are the handler's own. Raises CallError."""
        status, _, answer = self._run(module, method, path, headers, body, **options)
        if status >= 300:
            text = answer if isinstance(answer, str) else bytes(answer or b"").decode("utf-8", "replace")
            raise CallError(str(status), text)

    def invoke(self, function_arn: str, payload: bytes) -> Answer:
        """Invoke a function, or the alias or version that its ARN names, and wait for the answer."""
        path = f"/2015-03-31/functions/{function_arn}/invocations"
        headers = {"content-length": str(len(payload)), "x-amz-invocation-type": "RequestResponse"}
        status, found, body = self._run("lambda_svc", "POST", path, headers, payload)
        names = {name.lower(): value for name, value in found.items()}
        return Answer(
            status,
            names.get("x-amz-function-error", ""),
            body.encode() if isinstance(body, str) else bytes(body or b""),
            names.get("x-amz-executed-version", "$LATEST"),
            names.get(REQUEST_ID_HEADER, ""),
        )

    def role_of(self, function_arn: str) -> str:
        """The execution role of a function. Raises CallError."""
        path = f"/2015-03-31/functions/{function_arn}/configuration"
        status, _, body = self._run("lambda_svc", "GET", path, {}, b"")
        found = json.loads(body or b"{}")
        if status >= 300:
            raise CallError(str(found.get("__type", status)), str(found.get("message", "")))
        return found["Role"]
