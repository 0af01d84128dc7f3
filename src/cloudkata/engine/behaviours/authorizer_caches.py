"""What an authorizer answered is kept for 0 to 3,600 seconds of AWS time, and can be flushed.

AWS documents: authorizerResultTtlInSeconds is 300 by default for a REST API and 3,600 at most, 0 switches caching off
(https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html,
https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-authorizers.html); FlushStageAuthorizersCache
and, for HTTP APIs, ResetAuthorizersCache empty a stage's cache
(https://docs.aws.amazon.com/apigateway/latest/api/API_FlushStageAuthorizersCache.html).

MiniStack takes any number, knows neither operation, and lets entries end by the machine's time. Its caches are replaced
by ones that look at the engine's clock, which can be moved.
"""

from __future__ import annotations

import re
import time

from cloudkata.engine.context import Context

LONGEST_SECONDS = 3600
_TTL = "authorizerResultTtlInSeconds"
_REST, _HTTP = "ministack.services.apigateway_v1", "ministack.services.apigateway"
_FLUSH = r"/([^/]+)/stages/([^/]+)/cache/authorizers/?$"
_FLUSHES = {_REST: re.compile("^/restapis" + _FLUSH), _HTTP: re.compile("^/v2/apis" + _FLUSH)}


class _Cache(dict):
    """(end by the machine's time, ...) by key; `get` knows only what has not ended by the engine's clock."""

    def __init__(self, clock) -> None:
        super().__init__()
        self._clock = clock
        self._ends: dict = {}

    def __setitem__(self, key, value) -> None:
        self._ends[key] = self._clock.now() + value[0] - time.time()
        super().__setitem__(key, value)

    def __delitem__(self, key) -> None:
        self._ends.pop(key, None)
        super().__delitem__(key)

    def get(self, key, default=None):
        return super().get(key, default) if self._ends.get(key, 0.0) > self._clock.now() else default

    def flush(self, scope: tuple, api_id: str, stage: str) -> None:
        """Drop what one stage of an API has. Keys are (account, Region, API, authorizer, stage, identity)."""
        for key in [key for key in self if (key[:2], key[2], key[4]) == (scope, api_id, stage)]:
            del self[key]


def register(context: Context) -> None:
    from ministack.services import apigateway as http
    from ministack.services import apigateway_v1 as rest

    caches = {_REST: _Cache(context.clock), _HTTP: _Cache(context.clock)}

    def flusher(module, error, done):
        async def handle(original, method, path, headers, body, query_params):
            found = _FLUSHES[module.__name__].match(path)
            if method != "DELETE" or not found:
                return await original(method, path, headers, body, query_params)
            api_id, stage = found.groups()
            if stage not in module.stages_for_api(api_id):
                return error("NotFoundException", "Invalid stage identifier specified", 404)
            caches[module.__name__].flush((module.get_account_id(), module.get_region()), api_id, stage)
            return done, {}, b""

        return handle

    def limited(error, asked):
        """For an operation whose last argument is the request's data; `asked` finds the TTL in it."""

        def operate(original, *args):
            seconds = asked(args[-1])
            if seconds is not None and not _in_range(seconds):
                message = f"Authorizer result TTL must be between 0 and {LONGEST_SECONDS} seconds"
                return error("BadRequestException", message, 400)
            return original(*args)

        return operate

    for name, module, error, done in ((_REST, rest, rest._v1_error, 202), (_HTTP, http, http._apigw_error, 204)):
        context.seams.replace(f"{name}:_authorizer_cache", caches[name])
        context.seams.hook(f"{name}:handle_request", flusher(module, error, done))
        context.seams.hook(f"{name}:_create_authorizer", limited(error, lambda data: data.get(_TTL)))
    context.seams.hook(f"{_REST}:_update_authorizer", limited(rest._v1_error, _patched))
    context.seams.hook(f"{_HTTP}:_update_authorizer", limited(http._apigw_error, lambda data: data.get(_TTL)))


def _in_range(seconds) -> bool:
    return str(seconds).isascii() and str(seconds).isdigit() and int(seconds) <= LONGEST_SECONDS


def _patched(data: dict):
    """The TTL that the patch operations of UpdateAuthorizer set, if they do."""
    changes = [entry for entry in data.get("patchOperations") or [] if entry.get("path") == f"/{_TTL}"]
    return changes[-1].get("value") if changes else None
