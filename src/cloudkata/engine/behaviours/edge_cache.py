"""CloudFront keeps what origins answer, for as long and under the key that the cache policy says.

AWS documents: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html (minimum, default
and maximum TTL with Cache-Control and Expires), .../understanding-the-cache-key.html , .../HTTPStatusCodes.html
(errors are kept for the error caching minimum TTL; an expired object serves while its origin answers 5xx),
.../Invalidation.html , .../RangeGETs.html . GET and HEAD only. TTLs run on the AWS clock; an Expires header is judged
by it as well.

MiniStack asks the origin each time and says "Miss from cloudfront". Its fetch from the origin is wrapped, the rest of
its request path is its own. Where the documents are silent: a request with a Range goes to the origin, and several
simultaneous requests for one object do too.
"""

from __future__ import annotations

from dataclasses import replace

from cloudkata.engine.context import Context
from cloudkata.engine.edge import cache
from cloudkata.engine.edge.cache import Answer, Cache, Kept, Key
from cloudkata.engine.edge.visits import Visit, current, visiting

_CLOUDFRONT = "ministack.services.cloudfront"


def register(context: Context) -> None:
    kept = Cache()
    now = context.clock.now

    async def handle(original, dist, method, path, *rest):
        with visiting(dist, path) as visit:
            status, headers, body = await original(dist, method, path, *rest)
        if visit.answered:
            headers = _say_where_from(headers, status, visit)
        return status, headers, body

    async def fetch(original, origin, method, uri, query, headers, *rest):
        visit = current()
        if visit is None:
            return await original(origin, method, uri, query, headers, *rest)
        visit.fetches += 1
        page = visit.fetches > 1  # a custom error page, which is fetched after the answer it replaces
        behavior = visit.settings.behavior(uri) if page else visit.behavior
        name = cache.key(visit.distribution["Id"], uri, query, headers, behavior.parsed)
        found = kept.get(name) if method in ("GET", "HEAD") and "range" not in headers else None
        if found is not None and found.until > now():
            answer = _serve(found, method, headers)
            _note(visit, answer.status, page, cached=True, age=int(now() - found.since))
            return answer.status, answer.reason, answer.headers, answer.body
        asked = _revalidation(headers, found)
        answer = Answer(*await original(origin, method, uri, query, asked, *rest))
        answer, again = _renewed(kept, name, found, answer, visit, now())
        if method == "GET" and "range" not in headers and not again:
            _keep(kept, name, answer, visit, behavior, page, now())
        if again:
            answer = _serve(replace(found, answer=answer), method, headers)
        _note(visit, answer.status, page, cached=again)
        return answer.status, answer.reason, answer.headers, answer.body

    def invalidate(original, dist_id, body):
        from ministack.services import cloudfront

        before = len(cloudfront._invalidations.get(dist_id, ()))
        answer = original(dist_id, body)
        for made in cloudfront._invalidations.get(dist_id, ())[before:]:  # none for a repeated CallerReference
            kept.invalidate(dist_id, made["InvalidationBatch"]["Paths"]["Items"])
        return answer

    context.seams.hook(f"{_CLOUDFRONT}:handle_viewer_request", handle, order=60)
    context.seams.hook(f"{_CLOUDFRONT}:_fetch_from_origin", fetch, order=10)
    context.seams.hook(f"{_CLOUDFRONT}:_create_invalidation", invalidate)


def _serve(found: Kept, method: str, headers: dict) -> Answer:
    """What a viewer gets of something kept: its tag may be enough, and HEAD wants no body."""
    answer = found.answer
    tag = answer.headers.get("etag")
    if answer.status == 200 and tag and headers.get("if-none-match") == tag:
        return replace(answer, status=304, reason="Not Modified", body=b"")
    return replace(answer, body=b"") if method == "HEAD" else answer


def _revalidation(headers: dict, found: Kept | None) -> dict:
    """An expired object asks whether it has changed; any other request for it wants the object itself."""
    tag = found.answer.headers.get("etag") if found and found.answer.status == 200 else None
    if tag is None:
        return headers
    return {name: value for name, value in headers.items() if not name.startswith("if-")} | {"if-none-match": tag}


def _renewed(
    kept: Cache, name: Key, found: Kept | None, answer: Answer, visit: Visit, now: float
) -> tuple[Answer, bool]:
    """(what to serve, whether it is what was kept): not changed, or an origin in trouble."""
    if found is None or found.answer.status >= 400:
        return answer, False
    if answer.status == 304:
        kept.put(name, found.answer, now, found.until - found.since)
        return found.answer, True
    if answer.status >= 500:
        kept.extend(name, now, visit.settings.ttl_of_error(answer.status))
        return found.answer, True
    return answer, False


def _keep(kept: Cache, name: Key, answer: Answer, visit: Visit, behavior, page: bool, now: float) -> None:
    if cache.forwards_every_header(behavior.parsed):
        return
    seconds = cache.lifetime(answer, behavior.ttl, visit.settings, now)
    if page:  # a custom error page is kept as long as the error it stands for
        seconds = visit.settings.ttl_of_error(visit.answered)
    if seconds > 0:
        kept.put(name, answer, now, seconds)


def _note(visit: Visit, status: int, page: bool, *, cached: bool, age: int = 0) -> None:
    if not page:
        visit.answered, visit.cached, visit.age = status, cached, age


def _say_where_from(headers: dict, status: int, visit: Visit) -> dict:
    if not str(headers.get("X-Cache", "")).startswith("Miss"):
        return headers
    if status >= 400:
        return {**headers, "X-Cache": "Error from cloudfront"}
    if visit.cached:
        return {**headers, "X-Cache": "Hit from cloudfront", "Age": str(visit.age)}
    return {**headers, "X-Cache": "Miss from cloudfront"}
