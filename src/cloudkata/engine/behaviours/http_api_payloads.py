"""A function behind an HTTP API gets the payload format that its integration names, with cookies and stage variables.

AWS documents
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html): format 2.0
has `cookies` ("all cookie headers in the request are combined with commas and added to the cookies field") and
`stageVariables`; format 1.0 has the shape of a REST API's event, with `multiValueHeaders`, and wants an answer with a
`statusCode`, which may have `multiValueHeaders`.

MiniStack always sends format 2.0, without cookies and stage variables, and takes any answer. The event is reshaped on
its way to the function, and the answer on its way back. Our choice: the cookie header is in `cookies` alone.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from cloudkata.engine.context import Context

_MODULE = "ministack.services.apigateway"
_MALFORMED = {
    "statusCode": 500,
    "headers": {"Content-Type": "application/json"},
    "body": '{"message":"Internal Server Error"}',
}


@dataclass(frozen=True)
class _Shape:
    """What is done to the event, and to the function's answer."""

    event: Callable[[dict], dict]
    answer: Callable[[dict], dict]


_shape: contextvars.ContextVar[_Shape | None] = contextvars.ContextVar("kata_payload_shape", default=None)


def register(context: Context) -> None:
    from ministack.services import apigateway as http

    async def invoke(original, integration, api_id, stage, *args, **kwargs):
        variables = http._get_stage_variables(api_id, stage) or None
        first = str(integration.get("payloadFormatVersion")) == "1.0"
        shape = _Shape(lambda event: _first(event, variables), _strict) if first else _second(variables)
        token = _shape.set(shape)
        try:
            return await original(integration, api_id, stage, *args, **kwargs)
        finally:
            _shape.reset(token)

    async def call(original, function, record, event, **kwargs):
        shape = _shape.get()
        if shape is None:
            return await original(function, record, event, **kwargs)
        return shape.answer(await original(function, record, shape.event(event), **kwargs))

    context.seams.hook(f"{_MODULE}:_invoke_lambda_proxy", invoke)
    context.seams.hook(f"{_MODULE}:run_reentrant", call)


def _second(variables: dict | None) -> _Shape:
    def event(made: dict) -> dict:
        headers = {name: value for name, value in made["headers"].items() if name != "cookie"}
        more: dict = {"headers": headers}
        if "cookie" in made["headers"]:
            more["cookies"] = [cookie.strip() for cookie in made["headers"]["cookie"].split(";") if cookie.strip()]
        if variables:
            more["stageVariables"] = variables
        return made | more

    return _Shape(event, lambda result: result)


def _first(event: dict, variables: dict | None) -> dict:
    """The event of format 1.0, from that of format 2.0."""
    context = event["requestContext"]
    http = context["http"]
    query = parse_qs(event["rawQueryString"], keep_blank_values=True)
    resource = context["routeKey"].partition(" ")[2] or context["routeKey"]
    made = {
        "version": "1.0",
        "resource": resource,
        "path": event["rawPath"],
        "httpMethod": http["method"],
        "headers": event["headers"],
        "multiValueHeaders": {name: [value] for name, value in event["headers"].items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": {
            "accountId": context["accountId"],
            "apiId": context["apiId"],
            "domainName": context["domainName"],
            "extendedRequestId": context["requestId"],
            "httpMethod": http["method"],
            "identity": {"sourceIp": http["sourceIp"], "userAgent": http["userAgent"]},
            "path": http["path"],
            "protocol": http["protocol"],
            "requestId": context["requestId"],
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(context["timeEpoch"] / 1000)),
            "requestTimeEpoch": context["timeEpoch"],
            "resourceId": context["routeKey"],
            "resourcePath": resource,
            "stage": context["stage"],
        },
        "pathParameters": event.get("pathParameters"),
        "stageVariables": variables,
        "body": event.get("body"),
        "isBase64Encoded": event["isBase64Encoded"],
    }
    authorizer = context.get("authorizer") or {}
    if "jwt" in authorizer:
        made["requestContext"]["authorizer"] = authorizer["jwt"]
    elif "lambda" in authorizer:
        made["requestContext"]["authorizer"] = authorizer["lambda"]
    elif "iam" in authorizer:
        made["requestContext"]["identity"] |= {"userArn": authorizer["iam"].get("userArn")}
    return made


def _strict(result: dict) -> dict:
    """An answer of format 1.0 as MiniStack sends it on; one without a status is malformed."""
    if result.get("error") or result.get("throttle"):
        return result
    body = result.get("body")
    if not isinstance(body, dict) or "statusCode" not in body:
        return {**result, "body": _MALFORMED}
    several = body.get("multiValueHeaders") or {}
    headers = {name: value for name, value in (body.get("headers") or {}).items() if name not in several}
    plain = {name: value for name, value in body.items() if name not in ("multiValueHeaders", "cookies")}
    return {**result, "body": {**plain, "headers": {**headers, **several}}}
