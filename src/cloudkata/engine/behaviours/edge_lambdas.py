"""Lambda@Edge functions run at the four events of a request.

Needs function_environments, edge_cache.

AWS documents:
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-cloudfront-trigger-events.html (when each
event is and is not), .../lambda-event-structure.html , .../lambda-generating-http-responses.html ,
.../edge-function-restrictions-all.html . A viewer-response function does not run when the origin answered 400 or
more, for a custom error page, or for a response that a viewer-request function made. Origin functions do not run on
cache hits. A function that fails is a 503, one that returns what it must not a 502:
.../http-503-service-unavailable.html , .../http-502-bad-gateway.html .

MiniStack keeps the associations and never calls them. Its request path and its fetch from the origin are wrapped. A
change of the status by a viewer-response function is left out without a word: what AWS does then is not documented.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

from cloudkata.engine.context import Context
from cloudkata.engine.edge import lambda_events as events
from cloudkata.engine.edge.cache import Answer
from cloudkata.engine.edge.lambda_events import Request
from cloudkata.engine.edge.settings import Behavior
from cloudkata.engine.edge.visits import Refused, Visit, current, failure, visiting

_CLOUDFRONT = "ministack.services.cloudfront"


def register(context: Context) -> None:
    context.seams.hook(f"{_CLOUDFRONT}:handle_viewer_request", _handle, order=40)
    context.seams.hook(f"{_CLOUDFRONT}:_fetch_from_origin", _fetch, order=50)


# --- viewer events --------------------------------------------------------------------------------------------------


async def _handle(original, dist, method, path, raw_uri, raw_query, headers, body, query_params, client_ip="127.0.0.1"):
    with visiting(dist, path) as visit:
        request = Request(method, raw_uri, raw_query, headers, client_ip, body)
        try:
            if not _refused(visit, request):
                answer = await _viewer_request(visit, request)
                if isinstance(answer, Answer):
                    return _rendered(answer, "LambdaGeneratedResponse from cloudfront")
                request = answer
            parameters = parse_qs(request.query, keep_blank_values=True) if request.query != raw_query else query_params
            result = await original(
                dist, method, path, request.uri, request.query, request.headers, request.body, parameters, client_ip
            )
            return await _viewer_response(visit, request, result)
        except Refused as refused:
            return failure(refused)


def _refused(visit: Visit, request: Request) -> bool:
    """Whether CloudFront answers by itself, before any function."""
    from ministack.services import cloudfront

    secure = request.headers.get("x-forwarded-proto", "http") == "https"
    parsed = visit.behavior.parsed
    return bool(
        cloudfront._check_stacked_distribution(request.headers)
        or cloudfront._check_viewer_protocol_policy(parsed, request.method, secure, request.uri, "", request.headers)
        or cloudfront._check_allowed_methods(parsed, request.method)
    )


async def _viewer_request(visit: Visit, request: Request) -> Request | Answer:
    value = await _call(visit, visit.behavior, "viewer-request", request)
    if value is None:
        return request
    if events.is_response(value.result):
        return events.generated(value.result, "viewer-request")
    return events.changed_request(value.result, request, "viewer-request")


async def _viewer_response(visit: Visit, request: Request, result: tuple) -> tuple:
    status, headers, body = result
    if not visit.answered or visit.answered >= 400 or "viewer-response" not in visit.behavior.lambdas:
        return result
    own = {name: value for name, value in headers.items() if name.lower() in _CLOUDFRONTS_OWN}
    rest = {name.lower(): value for name, value in headers.items() if name not in own}
    before = Answer(status, "", rest, body)
    value = await _call(visit, visit.behavior, "viewer-response", request, before)
    assert value is not None
    return _rendered(events.changed_response(value.result, before, "viewer-response"), own=own)


_CLOUDFRONTS_OWN = frozenset({"via", "x-cache", "x-amz-cf-pop", "x-amz-cf-id", "age"})


def _rendered(answer: Answer, x_cache: str = "", own: dict | None = None) -> tuple:
    from ministack.services import cloudfront

    headers = cloudfront._add_cloudfront_headers(answer.headers, x_cache) if own is None else answer.headers
    return answer.status, {**cloudfront._render_headers(headers, title_case=True), **(own or {})}, answer.body


# --- origin events --------------------------------------------------------------------------------------------------


async def _fetch(original, origin, method, uri, query, headers, body, secure, client_ip, forwarded_for, dist_arn):
    visit = current()
    if visit is None:
        return await original(origin, method, uri, query, headers, body, secure, client_ip, forwarded_for, dist_arn)
    behavior = visit.behavior if visit.fetches < 2 else visit.settings.behavior(uri)
    seen = {"host": origin["domain_name"], "x-forwarded-for": client_ip, **headers}
    request = Request(method, uri, query, seen, client_ip, body, origin)
    value = await _call(visit, behavior, "origin-request", request)
    if value is not None:
        if events.is_response(value.result):
            answer = events.generated(value.result, "origin-request")
            return answer.status, answer.reason, answer.headers, answer.body
        request = events.changed_request(value.result, request, "origin-request")
    sent = dict(request.headers)
    if sent.get("host") == origin["domain_name"] and "host" not in headers:
        sent.pop("host")  # MiniStack then names the origin, which may be another one now
    sent.pop("x-forwarded-for", None)  # it adds that itself
    answer = Answer(
        *await original(
            request.origin,
            method,
            request.uri,
            request.query,
            sent,
            request.body,
            secure,
            client_ip,
            forwarded_for,
            dist_arn,
        )
    )
    value = await _call(visit, behavior, "origin-response", request, answer)
    if value is not None:
        answer = events.changed_response(value.result, answer, "origin-response")
    return answer.status, answer.reason, answer.headers, answer.body


# --- calling --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Value:
    """What a function returned, which may be None."""

    result: object


async def _call(
    visit: Visit, behavior: Behavior, kind: str, request: Request, answer: Answer | None = None
) -> _Value | None:
    """Call the function that is associated with an event, if there is one. Raises Refused when it fails."""
    association = behavior.lambdas.get(kind)
    if association is None:
        return None
    from ministack.core.concurrency import run_reentrant
    from ministack.core.responses import new_uuid

    asked = events.request_object(request, kind, association.include_body)
    response = events.response_object(answer) if answer is not None else None
    event = events.event(kind, visit.distribution, new_uuid(), asked, response)
    reply = await run_reentrant(_invoke, association.arn, event)
    if reply is None or reply.get("error") or reply.get("throttle"):
        raise Refused(
            503, "The Lambda function associated with the CloudFront distribution failed.", "LambdaExecutionError"
        )
    return _Value(reply.get("body"))


def _invoke(arn: str, event: dict) -> dict | None:
    """Run a numbered version; None where it is gone."""
    from ministack.services import lambda_svc

    name, version = arn.split(":")[6:8]
    record, _ = lambda_svc._get_func_record_for_qualifier(name, version)
    return lambda_svc._execute_function(record, event) if record else None
