"""Tells from a request which call of AWS it is, whether it can change anything, and what it names.

Read as AWS reads it: the service from the signature, the operation from X-Amz-Target, Action= or, for REST, the method
and path of botocore's own models. What cannot be read for certain counts as changing.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

_SCOPE = re.compile(r"Credential=[^/,]+/\d{8}/([^/,]*)/([a-z0-9-]{1,40})/aws4_request")
_READS = re.compile(r"(Get|List|Describe|Head|BatchGet|TransactGet|Query|Scan|Lookup|Search|Filter)([A-Z]|$)", re.ASCII)
# Signed for by a name that is not, or not only, the one of the model.
_MODELS = {"apigateway": ("apigateway", "apigatewayv2"), "states": ("stepfunctions",)}
_SAME_PLACE = frozenset({"CopyObject", "UploadPartCopy"})  # told apart from PutObject and UploadPart by a header only
_CARRIES = re.compile(r"(PutObject|UploadPart|Invoke\w*)$")  # what is in the body is data, and nobody's name
# Keys whose values name something; what is secret ends in Secret, Key, Token, Password or Value.
_NAMING = re.compile(r"(name|arn|arns|id|ids|url|identifier|reference|comment|bucket|uuid|layer)$", re.IGNORECASE)
_ELEMENT = re.compile(rb"<(\w{1,80})>([^<]{1,300})</\1>")
_DEEP, _LONG, _WIDE = 4, 300, 50
_BODY_BYTES = 4 << 20  # a request that is longer holds code or data


@dataclass(frozen=True)
class Called:
    """A call: `service` as signed for, `operation` by AWS's name or as METHOD path, `names` of what it is about."""

    service: str
    region: str
    operation: str
    changes: bool
    names: tuple[str, ...]


def read_call(method: str, target: str, headers: dict[str, str], body: bytes) -> Called:
    """What a request is. `target` is its path with the query, `headers` have names in lower case."""
    split = urlsplit(target)
    query = parse_qsl(split.query, keep_blank_values=True)
    signed = _SCOPE.search(headers.get("authorization", ""))
    region, service = signed.groups() if signed else ("", dict(query).get("X-Amz-Credential", "////").split("/")[3])
    form = _form(headers, body)
    told = [headers["x-amz-target"].rpartition(".")[2]] if "x-amz-target" in headers else []
    told += [value for name, value in (*query, *form) if name == "Action"]
    if told:
        sure = len(set(told)) == 1
        names = (*_named(form), *_named(query), *_in_body(body))
        return Called(service, region, told[0][:100], not (sure and _READS.match(told[0])), names)
    operation, labels = _rest_operation(service, method, split.path, {name for name, _ in query})
    changes = method not in ("GET", "HEAD", "OPTIONS")
    told_there = changes and operation and not _CARRIES.match(operation)
    names = (*labels, *(_in_body(body) if told_there else ()))
    return Called(service, region, operation or f"{method} {split.path}"[:200], changes, names)


def made_in(body: bytes, headers: dict[str, str]) -> tuple[str, ...]:
    """The names, ids and ARNs in an answer."""
    place = headers.get("location", "")
    return tuple(dict.fromkeys((*_in_body(body), *([place[:_LONG]] if place else ()))))


def _form(headers: dict[str, str], body: bytes) -> list[tuple[str, str]]:
    if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return []
    return parse_qsl(body[:_BODY_BYTES].decode("utf-8", "replace"), keep_blank_values=True)


def _named(pairs) -> Iterator[str]:
    for key, value in pairs:
        if _NAMING.search(key) and 0 < len(value) <= _LONG:
            yield value


def _in_body(body: bytes) -> Iterator[str]:
    start = body[:_BODY_BYTES].lstrip()
    if start.startswith(b"<"):
        yield from _named((key.decode(), value.decode("utf-8", "replace")) for key, value in _ELEMENT.findall(start))
    elif start.startswith(b"{") and len(body) <= _BODY_BYTES:
        try:
            yield from _walk(json.loads(body), _DEEP)
        except (ValueError, RecursionError):
            return


def _walk(value: object, deep: int, key: str = "") -> Iterator[str]:
    if isinstance(value, str):
        yield from _named([(key, value)])
    elif isinstance(value, dict) and deep:
        for inner, one in list(value.items())[:_WIDE]:
            yield from _walk(one, deep - 1, str(inner))
    elif isinstance(value, list) and deep:
        for one in value[:_WIDE]:
            yield from _walk(one, deep - 1, key)


def _rest_operation(service: str, method: str, path: str, query: set[str]) -> tuple[str, tuple[str, ...]]:
    """(the operation or "", what the path names), by the most particular template that fits."""
    best: tuple[tuple[int, int], str, tuple[str, ...]] | None = None
    for model in _MODELS.get(service, (service,)):
        for verb, pattern, wanted, weight, name in _templates(model):
            if verb == method and wanted <= query and (found := pattern.fullmatch(path)):
                fit = (len(wanted), weight)
                if best is None or fit > best[0]:
                    best = (fit, name, tuple(unquote(group)[:_LONG] for group in found.groups() if group))
    return (best[1], best[2]) if best else ("", ())


@functools.cache
def _templates(model: str) -> list[tuple[str, re.Pattern[str], frozenset[str], int, str]]:
    """The REST operations of a service: method, path, query keys that tell it apart, literal length, name."""
    from botocore.exceptions import UnknownServiceError

    from cloudkata.targets.session import service_model

    try:
        known = service_model(model)
    except (UnknownServiceError, ValueError):
        return []
    if not known["metadata"]["protocol"].startswith("rest-"):
        return []
    found = []
    for name, operation in known["operations"].items():
        if name in _SAME_PLACE:
            continue
        path, _, query = operation["http"]["requestUri"].partition("?")
        parts = re.split(r"\{([^}]+)\}", path.rstrip("/") or "/")
        text = "".join(
            re.escape(part) if place % 2 == 0 else "(.+)" if part.endswith("+") else "([^/]+)"
            for place, part in enumerate(parts)
        )
        shape = known["shapes"].get(operation.get("input", {}).get("shape", ""), {})
        asked = [shape["members"][one] for one in shape.get("required", ())]
        wanted = frozenset(pair.split("=")[0] for pair in query.split("&") if pair)
        wanted |= {one["locationName"] for one in asked if one.get("location") == "querystring"}
        pattern = re.compile(text + ("/?" if not text.endswith("/") else ""))
        weight = sum(len(part) for part in parts[::2])
        found.append((operation["http"]["method"], pattern, wanted, weight, name))
    return found
