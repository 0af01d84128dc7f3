"""CloudFront Functions run in the documented runtime, within 10 KB, and can be tried with TestFunction.

AWS documents, below https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ : the runtime and its
key-value stores, see engine/edge/javascript.py; edge-function-restrictions-all.html (the headers a function may
return); functions-event-structure.html (header names are lower case); test-function.html (TestFunction looks at
nothing but the run itself); cloudfront-limits.html (10 KB); and FunctionSizeLimitExceeded in
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateFunction.html .

MiniStack runs functions in a context that holds Node's own objects and lives on, has no stores in it, takes any size
and any header, and knows no TestFunction. Its `_run_function` is replaced. A function that fails is a 503 there
already; what it must not return is a 502 here. Names of headers that are hidden from functions pass them by.
"""

from __future__ import annotations

import asyncio
import base64
import contextvars
import json
import re
from xml.etree.ElementTree import SubElement

from cloudkata.engine.context import Context
from cloudkata.engine.edge import rules
from cloudkata.engine.edge.javascript import NoNode, Programs, Run
from cloudkata.engine.edge.visits import Refused, failure

_CLOUDFRONT = "ministack.services.cloudfront"
CODE_BYTES = 10_240
_EVENT_BYTES = 40_960
# The request as a viewer-request function left it: what a viewer-response function is shown.
_asked: contextvars.ContextVar[dict | None] = contextvars.ContextVar("kata_asked", default=None)
_TEST = re.compile(r"^/2020-05-31/function/([^/]+)/test/?$")


def register(context: Context) -> None:
    programs = Programs()

    async def run_function(original, function_arn, event):
        from ministack.services import cloudfront

        found = cloudfront._functions.get(function_arn.rsplit("/", 1)[-1])
        if not found or not found.get("live_etag"):
            raise cloudfront.CloudFrontFunctionError(f"{function_arn} is not published")
        asked = _asked.get()
        if "response" in event and asked:
            event = {**event, "request": asked["request"]}
        hidden = _hide(event)
        try:
            run = await asyncio.to_thread(_run, programs, cloudfront._function_view(found, "LIVE"), event)
        except NoNode as error:
            raise cloudfront.CloudFrontFunctionError(str(error)) from error
        if run.error:
            raise cloudfront.CloudFrontFunctionError(run.error)
        wrong = _objection(event, run.value)
        if wrong:
            raise Refused(
                502, f"The CloudFront function returned an invalid value: {wrong}.", "FunctionValidationError"
            )
        value = _reveal(event, run.value, hidden)
        if asked is not None and "statusCode" not in value:
            asked["request"] = value
        return value

    async def handle(original, dist, *rest):
        token = _asked.set({})
        try:
            return await original(dist, *rest)
        except Refused as refused:
            return failure(refused)
        finally:
            _asked.reset(token)

    async def request(original, method, path, headers, body, query_params):
        asked = _TEST.match(path) if method == "POST" else None
        if asked is None:
            return await original(method, path, headers, body, query_params)
        return await asyncio.to_thread(_test, programs, asked.group(1), headers, body)

    def sized(original, *arguments):
        return _too_large(arguments[-1]) or original(*arguments)

    context.seams.hook(f"{_CLOUDFRONT}:_run_function", run_function)
    context.seams.hook(f"{_CLOUDFRONT}:handle_viewer_request", handle, order=90)
    context.seams.hook(f"{_CLOUDFRONT}:handle_request", request)
    context.seams.hook(f"{_CLOUDFRONT}:_cf_create_function", sized)
    context.seams.hook(f"{_CLOUDFRONT}:_cf_update_function", sized)


def _run(programs: Programs, view: dict, event: object) -> Run:
    from ministack.core.responses import get_account_id
    from ministack.services import cloudfront, cloudfront_keyvaluestore

    stores, made = {}, {}
    for arn in view.get("kvs_arns", ()):
        store, _ = cloudfront_keyvaluestore._get_store(arn)
        if store is not None:
            stores[arn] = dict(store["items"])
            made[arn] = cloudfront._kvstores[arn.rsplit("/", 1)[-1]]["LastModifiedTime"]
    return programs.run(get_account_id(), view["code"].decode("utf-8", "replace"), event, stores, made)


# --- what goes in and what comes out --------------------------------------------------------------------------------


def _subject(event: dict) -> dict:
    """The part of an event that its function may change."""
    return event["response" if "response" in event else "request"]


def _hide(event: dict) -> dict:
    hidden = {}
    for part in ("request", "response"):
        headers = event.get(part, {}).get("headers", {})
        for name in [name for name in headers if rules.is_hidden(name)]:
            value = headers.pop(name)
            if event.get(part) is _subject(event):
                hidden[name] = value
    return hidden


def _reveal(event: dict, value: dict, hidden: dict) -> dict:
    if "response" not in event and "statusCode" in value:
        return value
    headers = {**(value.get("headers") or {}), **hidden}
    if "response" in event and value.get("body") is not None:
        headers.pop("content-length", None)
    return {**value, "headers": headers}


def _objection(event: dict, value: object) -> str:
    kind = event["context"]["eventType"]
    if not isinstance(value, dict):
        return "it is no object"
    headers = value.get("headers") or {}
    if not isinstance(headers, dict) or not all(
        isinstance(entry, dict) and isinstance(entry.get("value"), str) for entry in headers.values()
    ):
        return "a header is not written as {value: 'text'}"
    made = kind == "viewer-request" and "statusCode" in value
    given = {} if made else _subject(event)["headers"]
    if made or kind == "viewer-response":
        status = value.get("statusCode")
        if not isinstance(status, int) or not 100 <= status <= 599:
            return "statusCode is no HTTP status"
    else:
        query = value.get("querystring")
        if wrong := rules.uri_objection(value.get("uri"), query if isinstance(query, str) else ""):
            return wrong
    return rules.objection(kind, _plain(given), _plain(headers))


def _plain(headers: dict) -> dict:
    return {name: entry.get("value") for name, entry in headers.items()}


# --- operations -----------------------------------------------------------------------------------------------------


def _too_large(body: bytes):
    from ministack.services import cloudfront

    element = cloudfront._parse_body(body)
    code = (cloudfront._text(element, "FunctionCode") or "") if element is not None else ""
    try:
        size = len(base64.b64decode(code))
    except ValueError:
        return None  # MiniStack refuses that itself
    if size <= CODE_BYTES:
        return None
    message = f"The function code is {size} bytes, and {CODE_BYTES} are allowed."
    return cloudfront._error("FunctionSizeLimitExceeded", message, 413)


def _test(programs: Programs, name: str, headers: dict, body: bytes) -> tuple:
    from ministack.services import cloudfront

    found = cloudfront._functions.get(name)
    element = cloudfront._parse_body(body)
    stage = (cloudfront._text(element, "Stage") if element is not None else "") or "DEVELOPMENT"
    if not found or (stage == "LIVE" and not found["live_etag"]):
        return cloudfront._error("NoSuchFunctionExists", "The specified function does not exist.", 404)
    if headers.get("if-match") != found["live_etag" if stage == "LIVE" else "dev_etag"]:
        message = "The If-Match version is missing or not valid for the resource."
        return cloudfront._error("InvalidIfMatchVersion", message, 400)
    try:
        given = base64.b64decode((cloudfront._text(element, "EventObject") or "").encode())
        event = json.loads(given)
    except ValueError:
        return cloudfront._error("InvalidArgument", "The event object is not valid JSON.", 400)
    if len(given) > _EVENT_BYTES or not isinstance(event, dict):
        return cloudfront._error("InvalidArgument", "The event object is not valid.", 400)
    try:
        run = _run(programs, cloudfront._function_view(found, stage), event)
    except NoNode as error:
        return cloudfront._error("TestFunctionFailed", str(error), 500)
    return cloudfront._xml_response("TestResult", lambda root: _write(root, found, stage, event, run))


def _write(root, found: dict, stage: str, event: dict, run: Run) -> None:
    from ministack.services import cloudfront

    modified = found["last_modified_live"] if stage == "LIVE" else found["last_modified_dev"]
    status = "DEPLOYED" if stage == "LIVE" else cloudfront._function_dev_status(found)
    cloudfront._function_summary_builder(found, stage, status, modified)(SubElement(root, "FunctionSummary"))
    SubElement(root, "ComputeUtilization").text = str(run.utilization)
    logs = SubElement(root, "FunctionExecutionLogs")
    for line in run.logs:
        SubElement(logs, "member").text = line
    SubElement(root, "FunctionErrorMessage").text = run.error
    SubElement(root, "FunctionOutput").text = "" if run.error else json.dumps(_output(event, run.value))


def _output(event: dict, value: object) -> dict:
    is_response = "response" in event or (isinstance(value, dict) and "statusCode" in value)
    return {"response" if is_response else "request": value}
