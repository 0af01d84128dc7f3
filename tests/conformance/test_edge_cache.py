"""What a distribution keeps, for how long, and under which key."""

import pytest
from edge import KEEP_A_DAY, KEEP_NOTHING, NO_CLOUDFRONT, allow, site

pytestmark = [pytest.mark.behaviour("edge_cache"), pytest.mark.not_localstack(NO_CLOUDFRONT)]


def policy(made, name="p", least=0, default=3600, most=86400, headers=(), cookies=(), queries=()):
    """The id of a cache policy of one's own."""

    def chosen(kind, values):
        block = {f"{kind}Behavior": "whitelist" if values else "none"}
        names = {"Header": "Headers", "Cookie": "Cookies", "QueryString": "QueryStrings"}[kind]
        return block | ({names: {"Quantity": len(values), "Items": list(values)}} if values else {})

    parameters = {
        "EnableAcceptEncodingGzip": False,
        "HeadersConfig": chosen("Header", headers),
        "CookiesConfig": chosen("Cookie", cookies),
        "QueryStringsConfig": chosen("QueryString", queries),
    }
    config = {"Name": name, "MinTTL": least, "DefaultTTL": default, "MaxTTL": most}
    config["ParametersInCacheKeyAndForwardedToOrigin"] = parameters
    return made.cloudfront.create_cache_policy(CachePolicyConfig=config)["CachePolicy"]["Id"]


@pytest.fixture
def kept(aws):
    """A distribution with the managed policy that keeps answers for a day."""
    made = site(aws)
    made.update(CachePolicyId=KEEP_A_DAY)
    return made


# Seconds: the shared engine's clock runs ten times as fast as this machine's, so the margins are wide.
MARGIN = 500


def test_the_second_request_is_answered_from_the_cache(kept):
    kept.put("a.txt", "old")
    kept.get("/a.txt")
    kept.put("a.txt", "new")
    assert kept.get("/a.txt").text == "old"


def test_a_hit_says_so(kept):
    kept.put("a.txt")
    first, second = kept.get("/a.txt"), kept.get("/a.txt")
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("Miss from cloudfront", "Hit from cloudfront")


def test_a_hit_says_how_old_it_is(kept):
    kept.put("a.txt")
    kept.get("/a.txt")
    kept.account.advance(10_000)
    assert 10_000 <= int(kept.get("/a.txt").headers.get("age", "0")) < 10_000 + MARGIN


@pytest.mark.ministack
def test_nothing_is_kept_with_the_policy_that_keeps_nothing(kept):
    kept.update(CachePolicyId=KEEP_NOTHING)
    kept.put("a.txt", "old")
    kept.get("/a.txt")
    kept.put("a.txt", "new")
    assert kept.get("/a.txt").text == "new"


@pytest.mark.ministack
def test_no_store_is_respected(kept):
    kept.put("a.txt", "old", CacheControl="no-store")
    kept.update(CachePolicyId=policy(kept, least=0))
    kept.get("/a.txt")
    kept.put("a.txt", "new")
    assert kept.get("/a.txt").text == "new"


def test_a_minimum_ttl_wins_over_no_store(kept):
    kept.put("a.txt", "old", CacheControl="no-store")
    kept.update(CachePolicyId=policy(kept, least=60))
    kept.get("/a.txt")
    kept.put("a.txt", "new")
    assert kept.get("/a.txt").text == "old"


@pytest.mark.parametrize(
    ("control", "limits", "seconds"),
    [
        ("", {"default": 5000}, 5000),
        ("", {"default": 5000, "least": 8000}, 8000),
        ("max-age=3000", {}, 3000),
        ("max-age=3000, s-maxage=7000", {}, 7000),
        ("max-age=3000", {"least": 6000}, 6000),
        ("max-age=50000", {"default": 1000, "most": 9000}, 9000),
    ],
)
def test_an_answer_is_kept_for_as_long_as_header_and_policy_say(kept, control, limits, seconds):
    kept.update(CachePolicyId=policy(kept, **limits))
    kept.put("a.txt", "old", **({"CacheControl": control} if control else {}))
    kept.get("/a.txt")
    kept.put("a.txt", "new")
    kept.account.advance(seconds - MARGIN)
    before = kept.get("/a.txt").text
    kept.account.advance(2 * MARGIN)
    assert (before, kept.get("/a.txt").text) == ("old", "new")


def test_what_has_not_changed_is_kept_again(kept):
    kept.update(CachePolicyId=policy(kept, default=5000))
    kept.put("a.txt", "same")
    kept.get("/a.txt")
    kept.account.advance(6000)
    kept.get("/a.txt")
    kept.put("a.txt", "new")
    assert kept.get("/a.txt").text == "same"


def test_only_named_query_strings_make_another_object(kept):
    kept.update(CachePolicyId=policy(kept, queries=["size"]))
    kept.put("a.txt", "old")
    kept.get("/a.txt?size=1&x=1")
    kept.put("a.txt", "new")
    assert (kept.get("/a.txt?x=2&size=1").text, kept.get("/a.txt?size=2&x=1").text) == ("old", "new")


def test_only_named_headers_make_another_object(kept):
    kept.update(CachePolicyId=policy(kept, headers=["X-Language"]))
    kept.put("a.txt", "old")
    kept.get("/a.txt", {"X-Language": "en", "X-Other": "1"})
    kept.put("a.txt", "new")
    english = kept.get("/a.txt", {"X-Language": "en", "X-Other": "2"})
    french = kept.get("/a.txt", {"X-Language": "fr", "X-Other": "1"})
    assert (english.text, french.text) == ("old", "new")


def test_only_named_cookies_make_another_object(kept):
    kept.update(CachePolicyId=policy(kept, cookies=["group"]))
    kept.put("a.txt", "old")
    kept.get("/a.txt", {"Cookie": "group=a; visit=1"})
    kept.put("a.txt", "new")
    same = kept.get("/a.txt", {"Cookie": "visit=2; group=a"})
    other = kept.get("/a.txt", {"Cookie": "group=b; visit=1"})
    assert (same.text, other.text) == ("old", "new")


@pytest.mark.parametrize("path", ["/a/b.txt", "/a/*", "/*"])
def test_an_invalidation_drops_what_its_path_names(kept, path):
    for key in ("a/b.txt", "c.txt"):
        kept.put(key, "old")
        kept.get(f"/{key}")
        kept.put(key, "new")
    before = kept.get("/a/b.txt").text
    batch = {"Paths": {"Quantity": 1, "Items": [path]}, "CallerReference": path}
    kept.cloudfront.create_invalidation(DistributionId=kept.id, InvalidationBatch=batch)
    other = "new" if path == "/*" else "old"
    assert (before, kept.get("/a/b.txt").text, kept.get("/c.txt").text) == ("old", "new", other)


def test_an_error_is_kept_for_its_own_minimum_ttl(kept):
    error = {"ErrorCode": 404, "ErrorCachingMinTTL": 3000}
    kept.update(CachePolicyId=KEEP_A_DAY, CustomErrorResponses={"Quantity": 1, "Items": [error]})
    kept.account.client("s3").delete_bucket(Bucket=kept.bucket)
    kept.get("/a.txt")  # 404: there is no bucket
    kept.account.client("s3").create_bucket(Bucket=kept.bucket)
    allow(kept, {"s3:GetObject": "/*"})
    kept.put("a.txt")
    kept.account.advance(3000 - MARGIN)
    before = kept.get("/a.txt").status
    kept.account.advance(2 * MARGIN)
    assert (before, kept.get("/a.txt").status) == (404, 200)


@pytest.mark.ministack
def test_a_403_without_cache_control_is_not_kept(kept):
    allow(kept, {"s3:GetObject": "/*"})
    before = kept.get("/a.txt").status
    kept.put("a.txt")
    assert (before, kept.get("/a.txt").status) == (403, 200)


def test_a_head_is_answered_from_what_a_get_left(kept):
    kept.put("a.txt", "old")
    kept.get("/a.txt")
    kept.put("a.txt", "another length")
    found = kept.get("/a.txt", method="HEAD")
    assert (found.headers["content-length"], found.body) == ("3", b"")


def test_a_tag_is_compared_with_what_is_kept(kept):
    kept.put("a.txt", "old")
    tag = kept.get("/a.txt").headers["etag"]
    kept.put("a.txt", "new")
    assert kept.get("/a.txt", {"If-None-Match": tag}).status == 304


@pytest.mark.ministack
def test_two_distributions_share_nothing(aws):
    one, two = site(aws), site(aws)
    for made, text in ((one, "one"), (two, "two")):
        made.update(CachePolicyId=KEEP_A_DAY)
        made.put("a.txt", text)
        made.get("/a.txt")
    assert (one.get("/a.txt").text, two.get("/a.txt").text) == ("one", "two")
