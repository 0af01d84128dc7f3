"""Mapping templates shape what a Lambda or MOCK integration is sent, and what it answers.

AWS documents: the request template for the request's content type makes the integration's request; without one the
body is passed through; the integration response is the one whose selectionPattern matches the function's errorMessage
or the mock's statusCode, else the one without a pattern; its template and parameters make the method's response
(https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html). The language is Velocity
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html).

MiniStack sends a function the proxy event, answers 200 to errors, and returns templates as they are written. Its
`_invoke_lambda_custom_v1` is replaced and its `_invoke_mock_v1` only says that a mock was reached. A template that
fails is a 500. Templates for SQS are still MiniStack's.

Needs function_environments.
"""

from __future__ import annotations

import asyncio
import contextvars
import json

from cloudkata.engine.apis.mapping import FAILED, Answer, Call, respond, select, template_for
from cloudkata.engine.apis.renderer import Renderer, TemplateError
from cloudkata.engine.context import Context

_MODULE = "ministack.services.apigateway_v1"
_authorizer: contextvars.ContextVar[dict | None] = contextvars.ContextVar("kata_authorizer", default=None)


class _Mock:
    """A MOCK integration was reached; what it answers is made where one may wait."""

    def __init__(self, integration: dict) -> None:
        self.integration = integration


def register(context: Context) -> None:
    from ministack.services import apigateway_v1 as rest

    renderer = Renderer(context)

    async def execute(
        original, request, api_id, stage_name, method, path, headers, body, query_params, account, region
    ):
        token = _authorizer.set(None)
        try:
            found = await original(
                request, api_id, stage_name, method, path, headers, body, query_params, account, region
            )
            if not isinstance(found, _Mock):
                return found
            call = _call(request, method, path, body, account, _authorizer.get())
        finally:
            _authorizer.reset(token)
        return await asyncio.to_thread(_mock, renderer, found.integration, call)

    async def authorize(original, *args):
        error, authorizer = await original(*args)
        _authorizer.set(authorizer)
        return error, authorizer

    async def function(original, integration, api_id, stage_name, stage, resource, path, method, headers, body,
                       query_params, path_params, **more):  # fmt: skip
        request = {
            "api_id": api_id, "stage_name": stage_name, "stage": stage, "headers": headers or {},
            "query_params": query_params or {}, "path_params": path_params or {}, "resource_path": resource["path"],
            "request_id": rest.new_uuid(),
        }  # fmt: skip
        account, region = more["owner_account_id"], more["owner_region"]
        call = _call(request, method, path, body, account, more.get("authorizer_context"))
        try:
            event = await asyncio.to_thread(_event, renderer, integration, call)
            reference = rest._extract_lambda_ref_from_integration_uri(integration.get("uri", ""))
            result, error = await rest._call_lambda_raw(reference, event, account_id=account, region=region)
            if error or result.get("throttle"):
                return FAILED
            return await asyncio.to_thread(_answer, renderer, integration, call, result)
        except (TemplateError, ValueError):
            return FAILED

    context.seams.hook(f"{_MODULE}:_execute_in_scope", execute, order=45)
    context.seams.hook(f"{_MODULE}:_authorize_request_v1", authorize)
    context.seams.hook(f"{_MODULE}:_invoke_lambda_custom_v1", function, order=90)
    context.seams.hook(f"{_MODULE}:_invoke_mock_v1", lambda original, integration: _Mock(integration))


def _call(request: dict, method: str, path: str, body: bytes, account: str, authorizer: dict | None) -> Call:
    single = {name: value if isinstance(value, str) else value[-1] for name, value in request["headers"].items()}
    query = {name: value[-1] if isinstance(value, list) else value for name, value in request["query_params"].items()}
    return Call(
        (body or b"").decode("utf-8", "replace"),
        {"path": request["path_params"], "querystring": query, "header": single},
        {
            "accountId": account,
            "apiId": request["api_id"],
            "authorizer": authorizer or {},
            "httpMethod": method,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": single.get("user-agent", "")},
            "path": f"/{request['stage_name']}{path}",
            "requestId": request["request_id"],
            "resourcePath": request["resource_path"],
            "stage": request["stage_name"],
        },
        request["stage"].get("variables") or {},
    )


def _request(renderer: Renderer, integration: dict, call: Call) -> str:
    template = template_for(integration.get("requestTemplates"), call.header("content-type"))
    if template is None:
        return call.body
    return renderer.render(template, call.body, call.params, call.context, call.variables).text


def _event(renderer: Renderer, integration: dict, call: Call):
    """The function's event. Raises TemplateError, and ValueError where it is no JSON."""
    return json.loads(_request(renderer, integration, call) or "{}")


def _answer(renderer: Renderer, integration: dict, call: Call, result: dict) -> Answer:
    payload = result.get("body")
    text = "" if payload is None and not result.get("error") else json.dumps(payload, ensure_ascii=False)
    error = str((payload or {}).get("errorMessage", "")) if result.get("error") and isinstance(payload, dict) else None
    response = select(integration.get("integrationResponses"), error)
    if response is None:
        return FAILED if integration.get("integrationResponses") else (200, dict(FAILED[1]), text.encode())
    return respond(renderer, response, text, call)


def _mock(renderer: Renderer, integration: dict, call: Call) -> Answer:
    try:
        status = str(json.loads(_request(renderer, integration, call))["statusCode"])
        response = select(integration.get("integrationResponses"), status)
        return FAILED if response is None else respond(renderer, response, "", call)
    except (TemplateError, ValueError, KeyError, TypeError):
        return FAILED
