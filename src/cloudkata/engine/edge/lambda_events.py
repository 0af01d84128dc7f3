"""What Lambda@Edge functions are given and what they may return.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html ,
.../lambda-generating-http-responses.html , .../edge-function-restrictions-all.html . Headers inside the engine are
MiniStack's: a name in lower case, and a text or a list of texts.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from cloudkata.engine.edge import rules
from cloudkata.engine.edge.cache import Answer
from cloudkata.engine.edge.visits import Refused

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
_GENERATED_BYTES = {"viewer-request": 40 << 10, "origin-request": 1 << 20}
_BODY_BYTES = {"viewer-request": 40 << 10, "origin-request": 1 << 20}


@dataclass(frozen=True)
class Request:
    """A request as CloudFront has it at one of the events; `origin` is MiniStack's, at origin events only."""

    method: str
    uri: str
    query: str
    headers: dict
    client_ip: str
    body: bytes = b""
    origin: dict | None = None


def event(kind: str, distribution: dict, request_id: str, request: dict, response: dict | None = None) -> dict:
    config = {
        "distributionDomainName": distribution["DomainName"],
        "distributionId": distribution["Id"],
        "eventType": kind,
        "requestId": request_id,
    }
    cf = {"config": config, "request": request}
    return {"Records": [{"cf": cf if response is None else {**cf, "response": response}}]}


def request_object(request: Request, kind: str, include_body: bool) -> dict:
    made = {
        "clientIp": request.client_ip,
        "headers": _to_lists(request.headers),
        "method": request.method,
        "querystring": request.query,
        "uri": request.uri,
    }
    if request.origin is not None:
        made["origin"] = _origin_object(request.origin)
    if include_body:
        limit = _BODY_BYTES.get(kind, 0)
        made["body"] = {
            "action": "read-only",
            "data": base64.b64encode(request.body[:limit]).decode(),
            "encoding": "base64",
            "inputTruncated": len(request.body) > limit,
        }
    return made


def response_object(answer: Answer) -> dict:
    return {
        "status": str(answer.status),
        "statusDescription": answer.reason,
        "headers": _to_lists(answer.headers),
    }


def _to_lists(headers: dict) -> dict:
    return {
        name: [
            {"key": _standard_case(name), "value": str(one)} for one in (value if isinstance(value, list) else [value])
        ]
        for name, value in headers.items()
        if not rules.is_hidden(name)
    }


def _standard_case(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def _origin_object(origin: dict) -> dict:
    common = {
        "customHeaders": _to_lists({name.lower(): value for name, value in origin["custom_headers"]}),
        "domainName": origin["domain_name"],
        "path": origin["origin_path"],
    }
    if origin["s3_bucket"]:
        method = "origin-access-identity" if origin["oai_id"] else "none"
        return {"s3": {**common, "authMethod": method, "region": "us-east-1"}}
    secure = origin["protocol_policy"] == "https-only"
    return {
        "custom": {
            **common,
            "keepaliveTimeout": 5,
            "port": origin["https_port"] if secure else origin["http_port"],
            "protocol": "https" if secure else "http",
            "readTimeout": origin["read_timeout"],
            "sslProtocols": ["TLSv1.2"],
        }
    }


# --- what comes back ------------------------------------------------------------------------------------------------


def invalid(what: str) -> Refused:
    return Refused(502, f"The Lambda function result failed validation: {what}.", "LambdaValidationError")


def is_response(value: object) -> bool:
    return isinstance(value, dict) and "status" in value


def changed_request(value: object, before: Request, kind: str) -> Request:
    """The request that a function returned. Raises Refused where it is none, or changes what it must not."""
    if not isinstance(value, dict):
        raise invalid("it returned neither a request nor a response")
    headers = _from_lists(value.get("headers"), before.headers, kind)
    uri, query = value.get("uri"), value.get("querystring", "")
    if wrong := rules.uri_objection(uri, query):
        raise invalid(wrong)
    if value.get("method") != before.method:
        raise invalid("the method is read-only")
    origin = before.origin and _changed_origin(value.get("origin"), before.origin)
    return Request(before.method, uri, query, headers, before.client_ip, _body(value.get("body"), before, kind), origin)


def _body(value: object, before: Request, kind: str) -> bytes:
    if not isinstance(value, dict) or value.get("action") != "replace":
        return before.body
    return _decoded(value.get("data"), value.get("encoding"), _BODY_BYTES.get(kind, 0))


def generated(value: dict, kind: str) -> Answer:
    """The response that a function of a request event made itself. Raises Refused."""
    status = _status(value)
    headers = _from_lists(value.get("headers", {}), {}, "")
    body = _decoded(value.get("body"), value.get("bodyEncoding", "text"), _GENERATED_BYTES[kind])
    if status == 204 and body and kind == "viewer-request":
        raise invalid("a response with the status 204 has a body")
    if len(body) + len(json.dumps(value.get("headers", {}))) > _GENERATED_BYTES[kind]:
        raise invalid("the response is too large")
    return Answer(status, str(value.get("statusDescription", "")), headers, body)


def changed_response(value: object, before: Answer, kind: str) -> Answer:
    """The response that a function returned. Raises Refused. Viewer-response cannot change the status."""
    if not is_response(value):
        raise invalid("it returned no response")
    assert isinstance(value, dict)
    status = _status(value) if kind == "origin-response" else before.status
    headers = _from_lists(value.get("headers"), before.headers, kind)
    body = before.body
    if value.get("body") is not None:
        body = _decoded(value["body"], value.get("bodyEncoding", "text"), _GENERATED_BYTES["origin-request"])
        headers.pop("content-length", None)
    return Answer(status, str(value.get("statusDescription", before.reason)), headers, body)


def _status(value: dict) -> int:
    try:
        status = int(value["status"])
    except (KeyError, ValueError, TypeError) as error:
        raise invalid("the status is no number") from error
    if not 200 <= status <= 599:
        raise invalid("the status is not between 200 and 599")
    return status


def _decoded(data: object, encoding: object, limit: int) -> bytes:
    if data is None:
        return b""
    if not isinstance(data, str) or encoding not in ("text", "base64"):
        raise invalid("the body is not a text with the encoding text or base64")
    try:
        body = data.encode() if encoding == "text" else base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise invalid("the body is not valid base64") from error
    if len(body) > limit:
        raise invalid("the body is too large")
    return body


def _from_lists(value: object, before: dict, kind: str) -> dict:
    """Headers as MiniStack has them; those that functions never see pass by."""
    if not isinstance(value, dict):
        raise invalid("the headers are no object")
    made: dict = {}
    for name, entries in value.items():
        if not isinstance(entries, list) or not all(
            isinstance(entry, dict) and isinstance(entry.get("value"), str) for entry in entries
        ):
            raise invalid(f"the header {name} is not a list of {{key, value}}")
        if any(str(entry.get("key", name)).lower() != name.lower() for entry in entries):
            raise invalid(f"the header {name} has another name in its key")
        if len(entries) == 1:
            made[name] = entries[0]["value"]
        elif entries:
            made[name] = [entry["value"] for entry in entries]
    seen = {name: value for name, value in before.items() if not rules.is_hidden(name)}
    wrong = rules.objection(kind, seen, made) if kind else rules.objection("viewer-request", made, made)
    if wrong:
        raise invalid(wrong)
    return made | {name: value for name, value in before.items() if rules.is_hidden(name)}


def _changed_origin(value: object, before: dict) -> dict:
    """MiniStack's origin with what a function changed of it."""
    if not isinstance(value, dict) or len(value) != 1 or not ({"s3", "custom"} & value.keys()):
        raise invalid("the origin is neither s3 nor custom")
    from ministack.services import cloudfront

    kind, wanted = next(iter(value.items()))
    if value == _origin_object(before):
        return before
    try:
        domain = str(wanted["domainName"])
        custom = [(entry["key"], entry["value"]) for all_ in wanted.get("customHeaders", {}).values() for entry in all_]
        made = {**before, "domain_name": domain, "origin_path": str(wanted.get("path", "")), "custom_headers": custom}
        if kind == "s3":
            return {**made, "s3_bucket": cloudfront._s3_origin_bucket(domain)}
        port, secure = int(wanted["port"]), wanted["protocol"] == "https"
        policy = "https-only" if secure else "http-only"
        timeout = int(wanted.get("readTimeout", 30))
    except (KeyError, TypeError, ValueError) as error:
        raise invalid("the origin lacks a field, or has a wrong one") from error
    return {
        **made,
        "s3_bucket": None,
        "oac_id": "",
        "http_port": port,
        "https_port": port,
        "protocol_policy": policy,
        "read_timeout": timeout,
    }
