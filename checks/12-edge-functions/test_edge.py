"""Lab 12: what a viewer of the distribution sees.

The checks put their own objects into the bucket behind the distribution, with names and contents drawn afresh.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from urllib.parse import urlsplit

from cloudkata.checking import check, expect

YEAR = 31_536_000
MINUTE = 60
ERROR_PAGE = "There is no such page"


class Site:
    """The distribution as its viewers see it, and the bucket behind it as its owner does."""

    def __init__(self, lab) -> None:
        self.lab = lab
        self.cloudfront = lab.client("cloudfront")
        found = self.cloudfront.get_distribution(Id=lab.outputs["DistributionId"])["Distribution"]
        self.domain, self.config = found["DomainName"], found["DistributionConfig"]

    @property
    def bucket(self) -> str:
        domains = [origin["DomainName"] for origin in self.config["Origins"]["Items"]]
        found = [domain.partition(".s3")[0] for domain in domains if ".s3" in domain]
        expect("the distribution's origins", domains).meets(
            bool(found), "a bucket among them", why="The pages come from the bucket that deploy.py makes."
        )
        return found[0]

    def put(self, key: str, text: str) -> None:
        """Put an object below site/."""
        s3 = self.lab.client("s3")
        s3.put_object(Bucket=self.bucket, Key=f"site/{key}", Body=text.encode(), ContentType="text/html")

    def get(self, path: str, headers=None):
        return self.lab.get(f"https://{self.domain}{path}", headers)

    def behavior(self, pattern: str = "") -> dict:
        found = [one for one in self.config["CacheBehaviors"].get("Items", []) if one["PathPattern"] == pattern]
        return found[0] if found else self.config["DefaultCacheBehavior"]

    def functions(self, behavior: dict) -> dict[str, str]:
        """The names of a behaviour's CloudFront functions, by event."""
        items = behavior["FunctionAssociations"].get("Items", [])
        return {one["EventType"]: one["FunctionARN"].rpartition("/")[2] for one in items}


def fresh(lab) -> str:
    """A name that nothing in the bucket has."""
    return f"{lab.draw.word()}-{lab.draw.word()}"


def secured(what: str, page, why: str) -> None:
    """Expect the three security headers."""
    transport = page.headers.get("strict-transport-security", "")
    age = next((part.strip()[8:] for part in transport.split(";") if part.strip().startswith("max-age=")), "")
    expect(f"strict-transport-security of {what}", transport).meets(
        age.isdigit() and int(age) >= YEAR, "a max-age of a year or more", why=why
    )
    expect(f"x-content-type-options of {what}", page.headers.get("x-content-type-options")).equals("nosniff", why=why)
    expect(f"x-frame-options of {what}", page.headers.get("x-frame-options", "").upper()).equals("DENY", why=why)


def serves(site: Site, path: str, text: str, why: str, headers=None):
    """Expect a 200 with this text; the page."""
    page = site.get(path, headers)
    expect(f"the status of {path}", page.status).equals(200, why=why)
    expect(f"the body of {path}", page.text).contains(text, why=why)
    return page


# --- rewrite ---


@check(task="rewrite", needs=("cloudfront.functions", "cloudfront.lambda-edge"), cards=("lambda-edge-region-vpc",))
def test_serves_the_index(lab):
    """An address that ends with a slash shows that folder's index.html, and stays as it is."""
    site = Site(lab)
    for name in (fresh(lab), f"{fresh(lab)}/{fresh(lab)}"):
        text = fresh(lab)
        site.put(f"{name}/index.html", text)
        serves(site, f"/{name}/", text, "The object is site/…/index.html, and only the request to the bucket says so.")


@check(task="rewrite", needs=("cloudfront.functions", "cloudfront.lambda-edge"))
def test_serves_files(lab):
    """Any other address shows the object of that name below site/."""
    site = Site(lab)
    name, text = f"{fresh(lab)}.txt", fresh(lab)
    site.put(name, text)
    serves(site, f"/{name}", text, "Everything the site shows lies below site/ in the bucket.")


# --- normalise ---


@check(
    task="normalise",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.cache"),
    after=("12.serves-the-index",),
)
def test_redirects_to_the_slash(lab):
    """A page without its slash is redirected for good to the address with it, and the query string comes along."""
    site = Site(lab)
    name, text, value = fresh(lab), fresh(lab), lab.draw.word()
    site.put(f"{name}/index.html", text)
    for query in ("", f"page={value}", f"tag={value}&tag=b&page=2"):
        asked = f"/{name}" + (f"?{query}" if query else "")
        page = site.get(asked)
        expect(f"the status of {asked}", page.status).meets(
            page.status in (301, 308), "301 or 308", why="The old address is wrong for ever: search engines replace it."
        )
        goal = urlsplit(page.headers.get("location", ""))
        expect(f"where {asked} leads", page.headers.get("location")).meets(
            goal.path == f"/{name}/" and goal.netloc in ("", site.domain),
            f"/{name}/ on the same host",
            why="The page's one address ends with a slash.",
        )
        expect(f"the query string of where {asked} leads", goal.query).meets(
            sorted(goal.query.split("&")) == sorted(query.split("&")),
            query or "nothing",
            why="What follows the question mark is part of what was asked for.",
        )
    serves(site, f"/{name}/?page={value}", text, "An address that is right already is not redirected.")


@check(
    task="normalise",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.cache"),
    after=("12.redirects-to-the-slash",),
)
def test_secures_redirects(lab):
    """A redirect carries the security headers too."""
    why = "Viewer-response functions do not run for what a viewer-request function answers itself."
    secured("a redirect", Site(lab).get(f"/{fresh(lab)}"), why)


@check(
    task="normalise",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.cache"),
    after=("12.serves-the-index",),
)
def test_leaves_campaigns_out_of_the_cache(lab):
    """Addresses that differ in utm_ parameters alone share one copy in the cache; other parameters still count."""
    site = Site(lab)
    name, old, new = fresh(lab), fresh(lab), fresh(lab)
    site.put(f"{name}/index.html", old)
    serves(site, f"/{name}/?page=2&utm_source=letter", old, "The first request fetches the page.")
    site.put(f"{name}/index.html", new)
    for query in ("page=2&utm_source=poster", "page=2", "utm_campaign=a&page=2&utm_medium=b"):
        serves(site, f"/{name}/?{query}", old, "The copy of the first request answers: the page is the same one.")
    serves(site, f"/{name}/?page=3&utm_source=letter", new, "Another page is another object in the cache.")


@check(
    task="normalise",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.cache"),
    after=("12.serves-the-index",),
)
def test_runs_what_is_published(lab):
    """What was written last is published, and viewers are served by the published stage alone."""
    site = Site(lab)
    names = {*site.functions(site.behavior()).values(), *site.functions(site.behavior("/members/*")).values()}
    first = site.functions(site.behavior()).get("viewer-request", "")
    expect("the viewer-request function of the public pages", first).meets(
        bool(first), "a CloudFront function", why="It is the one that runs before the cache is asked."
    )
    for name in sorted(names):
        live, written = (
            site.cloudfront.get_function(Name=name, Stage=stage)["FunctionCode"].read()
            for stage in ("LIVE", "DEVELOPMENT")
        )
        expect(f"the published code of {name}", live.decode("utf-8", "replace")).meets(
            live == written, "the code that was written last", why="UpdateFunction changes the DEVELOPMENT stage only."
        )
    path = f"/{fresh(lab)}"
    before = site.get(path)
    tried = try_in_development(site, first, path)
    after = tried.pop("seen")
    expect("what the DEVELOPMENT stage answers in a test", tried).equals(
        {"statusCode": 418}, why="The check has put another function there, to see whom viewers get."
    )
    expect(f"the answer to {path} while another function is in DEVELOPMENT", after.status).equals(
        before.status, why="Only the LIVE stage serves viewers."
    )


def try_in_development(site: Site, name: str, path: str) -> dict:
    """What TestFunction and a viewer get while DEVELOPMENT holds another function; it is put back afterwards."""
    described = site.cloudfront.describe_function(Name=name, Stage="DEVELOPMENT")
    code = site.cloudfront.get_function(Name=name, Stage="DEVELOPMENT")["FunctionCode"].read()
    config = described["FunctionSummary"]["FunctionConfig"]
    other = b"function handler(event) { return { statusCode: 418 }; }"
    change = {"Name": name, "FunctionConfig": config}
    site.cloudfront.update_function(IfMatch=described["ETag"], FunctionCode=other, **change)
    tag = site.cloudfront.describe_function(Name=name, Stage="DEVELOPMENT")["ETag"]
    try:
        event = {
            "version": "1.0",
            "context": {"eventType": "viewer-request"},
            "viewer": {"ip": "198.51.100.7"},
            "request": {"method": "GET", "uri": path, "querystring": {}, "headers": {}, "cookies": {}},
        }
        tested = site.cloudfront.test_function(
            Name=name, IfMatch=tag, Stage="DEVELOPMENT", EventObject=json.dumps(event).encode()
        )
        output = json.loads(tested["TestResult"]["FunctionOutput"] or "{}")
        return {**output.get("response", {}), "seen": site.get(path)}
    finally:
        site.cloudfront.update_function(IfMatch=tag, FunctionCode=code, **change)


# --- headers ---


def hits(site: Site, path: str, text: str) -> list:
    """A page from the bucket and the same from the cache, proved by an object that has changed meanwhile."""
    site.put(f"{path.strip('/')}/index.html", text)
    first = serves(site, path, text, "The first request fetches the page.")
    site.put(f"{path.strip('/')}/index.html", "changed")
    return [first, *(serves(site, path, text, "The copy in the cache answers.") for _ in range(2))]


@check(
    task="headers",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.cache"),
    after=("12.serves-the-index",),
)
def test_secures_what_succeeds(lab):
    """A page carries the security headers, whether it comes from the bucket or from the cache."""
    pages = hits(Site(lab), f"/{fresh(lab)}/", fresh(lab))
    for what, page in zip(("a miss", "a hit", "another hit"), pages, strict=True):
        secured(
            what, page, "Viewer-response runs for hits and for misses, as long as the origin's answer was no error."
        )


@check(
    task="headers",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.cache"),
    after=("12.serves-the-index",),
)
def test_marks_every_answer(lab):
    """Each answer has an x-request-id of its own, hits too."""
    pages = hits(Site(lab), f"/{fresh(lab)}/", fresh(lab))
    ids = [page.headers.get("x-request-id", "") for page in pages]
    expect("x-request-id of a miss and two hits", ids).meets(
        len(set(ids) - {""}) == len(ids),
        "three different ids",
        why="Viewer-response runs for each answer; whatever runs before the cache leaves one value in it for all.",
    )


@check(
    task="headers",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.cache"),
    after=("12.serves-the-index",),
)
def test_marks_no_error(lab):
    """Viewer-response marks a page, but no error of the bucket, no custom error page and no redirect."""
    site = Site(lab)
    name, text = fresh(lab), fresh(lab)
    site.put(f"{name}/index.html", text)
    site.put(f"drafts/{name}/index.html", text)
    good = serves(site, f"/{name}/", text, "A page that is there.")
    expect("x-request-id of a page", good.headers.get("x-request-id", "")).meets(
        bool(good.headers.get("x-request-id")), "an id", why="headers.js runs at viewer-response of this page."
    )
    for what, path in (("a 403", f"/drafts/{name}/"), ("the error page", f"/no-{name}/"), ("a redirect", f"/{name}")):
        expect(f"x-request-id of {what}", site.get(path).headers.get("x-request-id")).equals(
            None, why="Only headers.js gives that id, and for this answer no viewer-response function runs."
        )


# --- errors ---


@check(
    task="errors",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.cache"),
    after=("12.serves-the-index",),
)
def test_secures_errors_of_the_origin(lab):
    """What the bucket refuses carries the security headers, as a page does that it allows."""
    site = Site(lab)
    name, text = fresh(lab), fresh(lab)
    site.put(f"drafts/{name}/index.html", text)
    site.put(f"{name}/index.html", text)
    why = "Origin-response sees every answer of the origin; viewer-response none of 400 and above."
    serves(site, f"/{name}/", text, "A page that is allowed is shown.")
    page = site.get(f"/drafts/{name}/")
    expect("whether a draft is shown", text in page.text).equals(False, why="The bucket's policy denies drafts.")
    secured("a draft", page, why)


@check(
    task="errors",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.cache"),
    after=("12.serves-the-index",),
)
def test_secures_the_error_page(lab):
    """Instead of what is missing, the error page is shown, with the security headers."""
    page = Site(lab).get(f"/{fresh(lab)}/")
    expect("the body for what is missing", page.text).contains(
        ERROR_PAGE, why="The distribution replaces a 404 of the bucket by /errors/missing.html."
    )
    secured("the error page", page, "The error page comes from the bucket as well, and with a 200.")


@check(
    task="errors",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.cache"),
    after=("12.serves-the-index",),
)
def test_leaves_errors_what_they_are(lab):
    """What is missing is a 404, what is refused a 403, and what is there a 200."""
    site = Site(lab)
    name, text = fresh(lab), fresh(lab)
    site.put(f"drafts/{name}/index.html", text)
    site.put(f"{name}/index.html", text)
    why = "Caches, search engines and programs look at the status, not at the words of the page."
    found = {path: site.get(path).status for path in (f"/{name}/", f"/drafts/{name}/", f"/no-{name}/")}
    expect("the status of a page, a draft and a page that is missing", list(found.values())).equals(
        [200, 403, 404], why=why
    )


# --- token ---


class Gate:
    """A page for members, and tokens made with the secret in the function's key-value store."""

    def __init__(self, lab) -> None:
        self.lab, self.site = lab, Site(lab)
        self.path, self.text = f"/members/{fresh(lab)}/", fresh(lab)
        self.site.put(f"{self.path.strip('/')}/index.html", self.text)
        self.secret = self._secret()

    def _secret(self) -> str:
        name = self.site.functions(self.site.behavior("/members/*")).get("viewer-request", "")
        expect("the viewer-request function of /members/*", name).meets(
            bool(name), "a CloudFront function", why="Each request must be judged before the cache is asked."
        )
        config = self.site.cloudfront.describe_function(Name=name, Stage="LIVE")["FunctionSummary"]["FunctionConfig"]
        stores = [one["KeyValueStoreARN"] for one in config["KeyValueStoreAssociations"].get("Items", [])]
        expect("the key-value stores of that function", stores).meets(
            len(stores) == 1, "one", why="The secret lies in a store, where it can change without a new function."
        )
        client = self.lab.client("cloudfront-keyvaluestore")
        return client.get_key(KvsARN=stores[0], Key="secret")["Value"]

    def token(self, seconds: int = 10 * MINUTE, algorithm: str = "HS256", secret: str = "", **claims) -> str:
        """A token that ends in so many seconds, signed with the store's secret or another one."""
        body = {"sub": self.lab.draw.word(), "exp": int(time.time()) + seconds, **claims}
        text = f"{encoded(json.dumps({'alg': algorithm, 'typ': 'JWT'}))}.{encoded(json.dumps(body))}"
        if algorithm == "none":
            return f"{text}."
        made = hmac.new((secret or self.secret).encode(), text.encode(), hashlib.sha256).digest()
        return f"{text}.{encoded(made)}"

    def ask(self, token: str):
        return self.site.get(self.path, {"Authorization": f"Bearer {token}"})


def opens(gate: Gate, what: str, token: str) -> None:
    page = gate.ask(token)
    expect(f"the status with {what}", page.status).equals(200, why="A valid token opens the members' pages.")
    expect(f"the body with {what}", page.text).contains(gate.text, why="It is the page that was asked for.")


def stays_shut(gate: Gate, what: str, page, why: str) -> None:
    expect(f"the status with {what}", page.status).equals(401, why=why)
    expect(f"whether the page is shown with {what}", gate.text in page.text).equals(False, why=why)


def encoded(data: str | bytes) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@check(
    task="token",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.key-value-store"),
    after=("12.serves-the-index",),
    cards=("cloudfront-functions-table",),
)
def test_lets_members_in(lab):
    """Whoever has a valid token sees the page, however long the token holds and whatever else it says."""
    gate = Gate(lab)
    opens(gate, "a token for ten minutes", gate.token())
    opens(gate, "a token for thirty years", gate.token(30 * YEAR))
    opens(gate, "a token with more claims", gate.token(MINUTE, groups=["a", "b"], name="Zoë ÿ"))


@check(
    task="token",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.key-value-store"),
    after=("12.serves-the-index",),
)
def test_keeps_strangers_out(lab):
    """Without a token there is no page, not even one that is in the cache already."""
    gate = Gate(lab)
    opens(gate, "a valid token", gate.token())
    why = "Viewer-request comes before the cache: it is asked each time."
    stays_shut(gate, "no token", gate.site.get(gate.path), why)
    for what, value in (
        ("another scheme", f"Basic {gate.token()}"),
        ("an empty token", "Bearer "),
        ("what is no token", f"Bearer {lab.draw.word()}"),
        ("two parts of one", "Bearer " + gate.token().rpartition(".")[0]),
        ("broken JSON", f"Bearer {encoded('{')}.{encoded('{')}.{encoded('{')}"),
    ):
        stays_shut(gate, what, gate.site.get(gate.path, {"Authorization": value}), why)
    opens(gate, "a valid token after that", gate.token())


@check(
    task="token",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.key-value-store"),
    after=("12.serves-the-index",),
    cards=("q-edge-vs-cff",),
)
def test_keeps_forged_tokens_out(lab):
    """A token that was changed, signed with another secret or not signed at all opens nothing."""
    gate = Gate(lab)
    head, _, sign = gate.token().split(".")
    other = encoded(json.dumps({"sub": "admin", "exp": int(time.time()) + MINUTE}))
    why = "Only the signature says who wrote a token, and only the algorithm you expect counts."
    stays_shut(gate, "a changed token", gate.ask(f"{head}.{other}.{sign}"), why)
    stays_shut(gate, "a token of another secret", gate.ask(gate.token(secret=lab.draw.word())), why)
    stays_shut(gate, "a token without a signature", gate.ask(gate.token(algorithm="none")), why)
    opens(gate, "a valid token", gate.token())


@check(
    task="token",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.key-value-store"),
    after=("12.serves-the-index",),
)
def test_keeps_expired_tokens_out(lab):
    """A token opens nothing once its exp has passed."""
    gate = Gate(lab)
    why = "exp is the end of a token, in seconds since 1970."
    for seconds in (-MINUTE, -YEAR):
        stays_shut(gate, f"a token that ended {-seconds} seconds ago", gate.ask(gate.token(seconds)), why)
    opens(gate, "a valid token", gate.token())


@check(
    task="token",
    needs=("cloudfront.functions", "cloudfront.lambda-edge", "cloudfront.key-value-store"),
    after=("12.serves-the-index",),
)
def test_secures_refusals(lab):
    """A refusal carries the security headers too."""
    gate = Gate(lab)
    page = gate.site.get(gate.path)
    expect("the status without a token", page.status).equals(401, why="No token, no page.")
    secured(
        "a refusal", page, "Viewer-response functions do not run for what a viewer-request function answers itself."
    )
