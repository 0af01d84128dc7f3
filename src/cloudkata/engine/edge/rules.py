"""Headers that edge functions do not see or must not touch; whoever does gets a 502.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html
"""

from __future__ import annotations

_DISALLOWED = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "trailer",
        "upgrade",
        "x-accel-buffering",
        "x-accel-charset",
        "x-accel-limit-rate",
        "x-accel-redirect",
        "x-amzn-auth",
        "x-amzn-cf-billing",
        "x-amzn-cf-id",
        "x-amzn-cf-xff",
        "x-amzn-errortype",
        "x-amzn-fle-profile",
        "x-amzn-header-count",
        "x-amzn-header-order",
        "x-amzn-lambda-integration-tag",
        "x-amzn-requestid",
        "x-cache",
        "x-forwarded-proto",
        "x-real-ip",
    }
)
_DISALLOWED_BEGINNINGS = ("x-amz-cf-", "x-edge-")
_READ_ONLY = {
    "viewer-request": frozenset({"content-length", "host", "transfer-encoding", "via"}),
    "origin-request": frozenset(
        {
            "accept-encoding",
            "content-length",
            "if-modified-since",
            "if-none-match",
            "if-range",
            "if-unmodified-since",
            "transfer-encoding",
            "via",
        }
    ),
    "origin-response": frozenset({"transfer-encoding", "via"}),
    "viewer-response": frozenset({"warning", "via"}),
}
URI_LENGTH = 8_192


def is_hidden(name: str) -> bool:
    """Whether a header is "not exposed to edge functions". `name` is lower case."""
    return name in _DISALLOWED or name.startswith(_DISALLOWED_BEGINNINGS)


def objection(event_type: str, before: dict, after: dict) -> str:
    """What is wrong with the headers that a function returned, or nothing. Values are compared as they are.

    `before` are those it was given. A response that a function made itself has had none.
    """
    for name in after:
        if name != name.lower():
            return f"the header name {name} is not in lower case"
        if is_hidden(name):
            return f"the header {name} is not allowed"
    for name in _READ_ONLY[event_type]:
        if before.get(name) != after.get(name):
            return f"the header {name} is read-only"
    return ""


def uri_objection(uri: object, query: object) -> str:
    """What is wrong with a path and a query string that a function returned, or nothing."""
    if not isinstance(uri, str) or not uri.startswith("/"):
        return "the uri does not begin with a slash"
    if not isinstance(query, str) or any(sign <= " " or sign in "#\x7f" for sign in query):
        return "the querystring has a character that it must not have"
    if len(uri) + len(query) >= URI_LENGTH:
        return f"uri and querystring together are longer than {URI_LENGTH - 1} characters"
    return ""
