"""The edge's cache: what it may keep, for how long, and under which key. Times are AWS's, in seconds.

One edge location stands for all of them: AWS has hundreds, each with a cache of its own.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from cloudkata.engine.edge.settings import Settings, Ttl

_BYTES = 128 << 20  # of all bodies; beyond that the one used longest ago goes, as "CloudFront might evict"
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
_ERRORS_ALWAYS = frozenset({404, 405, 414, 429, 500, 501, 502, 503, 504})
_ERRORS_WITH_AGE = frozenset({400, 403, 412, 415})
_NEVER = frozenset({206, 304})

Key = tuple


@dataclass(frozen=True)
class Answer:
    """What an origin answered, as MiniStack hands it on: header values are texts, or lists where one came twice."""

    status: int
    reason: str
    headers: dict
    body: bytes


@dataclass(frozen=True)
class Kept:
    answer: Answer
    since: float
    until: float


class Cache:
    """Kept answers by key; a key begins with the distribution's id, the path and the query string. Thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Key) -> Kept | None:
        """What is kept, expired or not."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Key, answer: Answer, now: float, seconds: float) -> None:
        with self._lock:
            self._drop(key)
            self._kept[key] = Kept(answer, now, now + seconds)
            self._bytes += len(answer.body)
            while self._bytes > _BYTES and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))

    def extend(self, key: Key, now: float, seconds: float) -> None:
        """Let what is kept serve longer."""
        with self._lock:
            if key in self._kept:
                self._kept[key] = replace(self._kept[key], until=now + seconds)

    def invalidate(self, distribution: str, paths: list[str]) -> None:
        """Drop what the paths of an invalidation name; `*` at the end of one stands for anything."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == distribution]:
                if any(_names(path, *key[1:3]) for path in paths):
                    self._drop(key)

    def _drop(self, key: Key) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._bytes -= len(gone.answer.body)


def _names(path: str, uri: str, query: str) -> bool:
    """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html"""
    path = path if path.startswith("/") else f"/{path}"
    full = f"{uri}?{query}" if query else uri
    return full.startswith(path[:-1]) if path.endswith("*") else full == path


def key(distribution: str, uri: str, query: str, headers: dict, parsed: dict) -> Key:
    """What tells two objects apart: the path, and those query strings, headers and cookies that the policy names.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-the-cache-key.html
    What only an origin request policy names is forwarded, but not part of the key.
    """
    from ministack.services import cloudfront

    header, cookie, parameter = cloudfront._forwarding_predicates({**parsed, "origin_request_policy_id": None})
    named = [part for part in query.split("&") if part and all(parameter(name) for name in _parameters(part))]
    cookies = cloudfront._event_cookies_from_header(str(headers.get("cookie", "")))
    return (
        distribution,
        uri,
        "&".join(named),
        tuple(sorted((name, str(value)) for name, value in headers.items() if name != "cookie" and header(name))),
        tuple(sorted((name, entry["value"]) for name, entry in cookies.items() if cookie(name))),
    )


def _parameters(part: str) -> list[str]:
    return [name for name, _ in parse_qsl(part, keep_blank_values=True)]


def forwards_every_header(parsed: dict) -> bool:
    """Then CloudFront "never caches the associated objects" (Expiration.html)."""
    return not parsed["cache_policy_id"] and "*" in ((parsed["forwarded_values"] or {}).get("headers") or [])


def lifetime(answer: Answer, ttl: Ttl, settings: Settings, now: float) -> float:
    """Seconds for which an answer may be kept; 0 if not at all.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
    """
    directives = _directives(answer.headers)
    age = next((directives[name] for name in ("s-maxage", "max-age") if directives.get(name) is not None), None)
    if answer.status in _NEVER:
        return 0
    if answer.status >= 400:
        return _lifetime_of_error(answer.status, age, settings)
    if {"no-store", "no-cache", "private"} & directives.keys():
        return ttl.least
    if age is None and (expires := _expires(answer.headers)) is not None:
        age = expires - now
    if age is None:
        return max(ttl.default, ttl.least)
    return max(ttl.least, min(age, ttl.most))


def _lifetime_of_error(status: int, age: float | None, settings: Settings) -> float:
    if status in _ERRORS_ALWAYS or (status in _ERRORS_WITH_AGE and age is not None):
        return max(settings.ttl_of_error(status), age or 0)
    return 0


def _directives(headers: dict) -> dict[str, float | None]:
    value = headers.get("cache-control", "")
    found: dict[str, float | None] = {}
    for part in (", ".join(value) if isinstance(value, list) else str(value)).lower().split(","):
        name, _, number = part.strip().partition("=")
        digits = re.fullmatch(r'"?(\d+)"?', number.strip())
        if name:
            found[name.strip()] = float(digits.group(1)) if digits else None
    return found


def _expires(headers: dict) -> float | None:
    try:
        return parsedate_to_datetime(str(headers["expires"])).timestamp()
    except (KeyError, ValueError):
        return None
