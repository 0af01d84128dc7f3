"""Lab 10: who gets through each of the four guards, who does not, and how often the guards are asked.

Users are made in the learner's own pool, and sign in with the learner's own app client.
"""

from __future__ import annotations

import base64
import json
import time

from botocore.exceptions import ClientError

from cloudkata.checking import check, expect

PASSWORD = "Correct-horse-7"  # noqa: S105 (of users who live for one check)
VERBS = ("GET", "POST")
REFUSED = (401, 403)
PAST = 3600  # seconds ago: when a token that has expired ended


def decoded(part: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def encoded(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def forged(token: str, **claims) -> str:
    """The token with other claims, and the signature that it had."""
    head, body, signature = token.split(".")
    return f"{head}.{encoded(decoded(body) | claims)}.{signature}"


def unsigned(token: str, **claims) -> str:
    """The token with other claims, an algorithm of none, and no signature."""
    head, body, _ = token.split(".")
    return f"{encoded(decoded(head) | {'alg': 'none'})}.{encoded(decoded(body) | claims)}."


def told(value, key: str):
    """What stands under `key` anywhere in an answer, the outermost first."""
    waiting = [value]
    for found in waiting:
        if isinstance(found, dict):
            if key in found:
                return found[key]
            waiting += found.values()
    return None


def id_of(url: str) -> str:
    """The id of the API that a URL leads to, by its path or by its host."""
    host, _, path = url.partition("//")[2].partition("/")
    return path.split("/")[2] if path.startswith("_aws/execute-api/") else host.partition(".")[0]


class Pool:
    """A user pool and an app client to sign in with."""

    def __init__(self, lab, pool_id: str, client_id: str) -> None:
        self.id, self.client_id = pool_id, client_id
        self._lab, self._idp = lab, lab.client("cognito-idp")

    @classmethod
    def learners(cls, lab) -> Pool:
        return cls(lab, lab.outputs["UserPoolId"], lab.outputs["UserPoolClientId"])

    @classmethod
    def another(cls, lab) -> Pool:
        """A pool that the learner's APIs know nothing of."""
        idp = lab.client("cognito-idp")
        made = idp.create_user_pool(PoolName=f"other-{lab.draw.word()}")["UserPool"]["Id"]
        return cls(lab, made, "").with_client()

    def with_client(self) -> Pool:
        """The same pool with one more app client."""
        flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        made = self._idp.create_user_pool_client(
            UserPoolId=self.id, ClientName=f"other-{self._lab.draw.word()}", ExplicitAuthFlows=flows
        )
        return Pool(self._lab, self.id, made["UserPoolClient"]["ClientId"])

    def user(self, *groups: str) -> str:
        """A new user in these groups; the name."""
        name = f"{self._lab.draw.word()}{self._lab.draw.random.randint(100, 999)}"
        self._idp.admin_create_user(UserPoolId=self.id, Username=name, MessageAction="SUPPRESS")
        self._idp.admin_set_user_password(UserPoolId=self.id, Username=name, Password=PASSWORD, Permanent=True)
        for group in groups:
            try:
                self._idp.create_group(UserPoolId=self.id, GroupName=group)
            except self._idp.exceptions.GroupExistsException:
                pass
            self._idp.admin_add_user_to_group(UserPoolId=self.id, Username=name, GroupName=group)
        return name

    def sign_in(self, name: str) -> dict:
        """The user's tokens: IdToken and AccessToken."""
        given = {"USERNAME": name, "PASSWORD": PASSWORD}
        try:
            reply = self._idp.admin_initiate_auth(
                UserPoolId=self.id, ClientId=self.client_id, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters=given
            )
        except ClientError as error:
            expect("signing in with the app client", error.response["Error"]["Code"]).meets(
                False,
                "tokens",
                why="The checks sign their users in by ADMIN_USER_PASSWORD_AUTH: leave the client that flow.",
            )
        return reply["AuthenticationResult"]

    def tokens(self, *groups: str) -> dict:
        return self.sign_in(self.user(*groups))


class Routes:
    """The learner's two APIs, as a caller without any key sees them."""

    REST, HTTP = "RestUrl", "HttpUrl"

    def __init__(self, lab) -> None:
        self.lab = lab
        self._places: dict[str, str] = {}

    def place(self, path: str) -> str:
        """The output whose API has this route; the one that it should be at, where neither has."""
        if path not in self._places:
            for output in (self.REST, self.HTTP):
                page = self.lab.http("GET", self.lab.outputs[output] + path)
                if page.status != 404 and "Missing Authentication Token" not in page.text:
                    self._places[path] = output
                    break
            else:
                self._places[path] = self.REST
        return self._places[path]

    def call(self, verb: str, path: str, token: str | None = None, **headers: str):
        if token is not None:
            headers["Authorization"] = token
        return self.lab.http(verb, self.lab.outputs[self.place(path)] + path, headers)

    def status(self, verb: str, path: str, token: str | None = None, **headers: str) -> int:
        return self.call(verb, path, token, **headers).status

    def statuses(self, verb: str, path: str, tokens: dict[str, str], **headers: str) -> dict[str, int]:
        """What each of some tokens, by what is wrong with them, comes to."""
        return {name: self.status(verb, path, token, **headers) for name, token in tokens.items()}

    def guard(self, verb: str, path: str) -> str:
        """The ARN of the function that guards a route, or nothing."""
        api_id = id_of(self.lab.outputs[self.place(path)])
        if self.place(path) == self.REST:
            apis = self.lab.client("apigateway")
            for resource in apis.get_resources(restApiId=api_id, embed=["methods"], limit=500)["items"]:
                method = resource.get("resourceMethods", {}).get(verb, {}) if resource["path"] == path else {}
                if method.get("authorizerId"):
                    found = apis.get_authorizer(restApiId=api_id, authorizerId=method["authorizerId"])
                    return found.get("authorizerUri", "").partition("/functions/")[2].removesuffix("/invocations")
            return ""
        apis = self.lab.client("apigatewayv2")
        for route in apis.get_routes(ApiId=api_id)["Items"]:
            if route["RouteKey"] in (f"{verb} {path}", f"ANY {path}") and route.get("AuthorizerId"):
                found = apis.get_authorizer(ApiId=api_id, AuthorizerId=route["AuthorizerId"])
                return found.get("AuthorizerUri", "").partition("/functions/")[2].removesuffix("/invocations")
        return ""

    def runs(self, function: str) -> int:
        """How often a function has been called so far, by its log."""
        name = function.rpartition(":function:")[2].partition(":")[0]
        logs = self.lab.client("logs")
        try:
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=f"/aws/lambda/{name}", filterPattern="START"
            )
            return sum(event["message"].startswith("START ") for page in pages for event in page["events"])
        except logs.exceptions.ResourceNotFoundException:
            return 0


def expect_status(what: str, found: int, wanted: int, why: str) -> None:
    expect(what, found).equals(wanted, why=why)


def expect_refused(what: str, found: dict[str, int], allowed: tuple[int, ...], why: str) -> None:
    expect(what, found).meets(
        all(status in allowed for status in found.values()), f"{' or '.join(map(str, allowed))} for each", why=why
    )


def bad_tokens(lab, pool: Pool, kind: str, **claims) -> dict[str, str]:
    """Tokens that nobody may get in with, by what is wrong with each."""
    good = pool.tokens(*claims.get("groups", ()))[kind]
    return {
        "tampered with": forged(good, **{"cognito:groups": ["editors", *claims.get("groups", ())]}),
        "without a signature": unsigned(good),
        "of another user pool": Pool.another(lab).tokens(*claims.get("groups", ()))[kind],
    }


# --- /token: a Lambda authorizer of a REST API ------------------------------------------------------------------------


@check(task="token", cards=["apigw-lambda-authorizer"])
def test_token_passes_on_who_asks(lab):
    """A verified token gets 200 from GET /token, and the function behind it learns who asks and in which role."""
    routes, pool = Routes(lab), Pool.learners(lab)
    for groups, role in (((), "reader"), (("editors",), "editor")):
        name = pool.user(*groups)
        page = routes.call("GET", "/token", pool.sign_in(name)["AccessToken"])
        expect_status(f"GET /token with the token of a {role}", page.status, 200, "Whoever is signed in may read.")
        found = [told(page.json, "principalId"), told(page.json, "role")]
        expect("the principalId and the role that were passed on", found).equals(
            [name, role],
            why="The function behind relies on what the authorizer has verified, and reads no token itself.",
        )


@check(task="token", after=["10.token-passes-on-who-asks"], cards=["apigw-lambda-authorizer"])
def test_token_answers_401_without_a_token(lab):
    """Without a token, or with a text that is none, it is 401; without one the authorizer is not even asked."""
    routes, pool = Routes(lab), Pool.learners(lab)
    guard = routes.guard("GET", "/token")
    before = routes.runs(guard)
    for verb in VERBS:
        expect_status(f"{verb} /token without a token", routes.status(verb, "/token"), 401, "Nobody has said who asks.")
    expect("calls of the authorizer's function for that", routes.runs(guard) - before).equals(
        0, why="A missing token is API Gateway's own 401: there is nothing to ask about."
    )
    for text in (lab.draw.word(), "a.b.c"):
        expect_status(
            f"GET /token with the token {text!r}",
            routes.status("GET", "/token", text),
            401,
            'For a 401 the function must raise exactly "Unauthorized"; any other error, and None, is a 500.',
        )
    token = pool.tokens()["AccessToken"]
    expect_status("GET /token with a good token", routes.status("GET", "/token", token), 200, "It is verified.")


@check(task="token", after=["10.token-passes-on-who-asks"], needs=["cognito.resign"])
def test_token_refuses_what_it_cannot_verify(lab):
    """Tampered, unsigned, expired or foreign tokens, and tokens of another app client, get 401; a good one gets 200."""
    routes, pool = Routes(lab), Pool.learners(lab)
    good = pool.tokens()["AccessToken"]
    bad = bad_tokens(lab, pool, "AccessToken") | {
        "expired": lab.resigned(pool.tokens()["AccessToken"], exp=int(time.time()) - PAST),
        "of another app client": pool.with_client().tokens()["AccessToken"],
    }
    expect_refused(
        "GET /token with tokens by what is wrong with each",
        routes.statuses("GET", "/token", bad),
        (401,),
        "Anybody can write claims, and `alg` too. Only the signature by a key of the pool says that they are true.",
    )
    expect_status("GET /token with a good token", routes.status("GET", "/token", good), 200, "It is verified.")


@check(task="token", after=["10.token-passes-on-who-asks"], cards=["apigw-lambda-authorizer"])
def test_token_policy_holds_for_both_methods(lab):
    """An editor may GET and POST, a reader may GET and gets 403 for POST, in any order and while the policy is kept."""
    routes, pool = Routes(lab), Pool.learners(lab)
    orders = [VERBS, VERBS[::-1]]
    for groups, may_post in ((("editors",), 200), ((), 403)):
        for order in orders:
            token = pool.tokens(*groups)["AccessToken"]
            found = {verb: routes.status(verb, "/token", token) for verb in order}
            role = "an editor" if groups else "a reader"
            expect(f"{' and then '.join(order)} /token by {role}", found).equals(
                {verb: may_post if verb == "POST" else 200 for verb in order},
                why="The policy made for the first call is kept, and judges the others: it must say all that holds.",
            )


@check(task="token", after=["10.token-passes-on-who-asks"], cards=["apigw-lambda-authorizer"])
def test_token_is_asked_once(lab):
    """For one token the authorizer's function is called once, for two methods and several calls; for another, again."""
    routes, pool = Routes(lab), Pool.learners(lab)
    guard = routes.guard("GET", "/token")
    before = routes.runs(guard)
    first, second = (pool.tokens("editors")["AccessToken"] for _ in range(2))
    found = [routes.status(verb, "/token", first) for verb in ("GET", "GET", "POST", "GET")]
    expect("four calls by one editor", found[:2] + found[3:]).equals([200, 200, 200], why="An editor may do that.")
    expect("calls of the authorizer's function for that", routes.runs(guard) - before).equals(
        1, why="Its answer is kept for the time that the authorizer is set to, by the token."
    )
    routes.status("GET", "/token", second)
    expect("calls of it after another editor's call", routes.runs(guard) - before).equals(
        2, why="Another token is another caller."
    )


# --- /request: a Lambda authorizer of an HTTP API -------------------------------------------------------------------


@check(task="request", cards=["apigw-lambda-authorizer"])
def test_request_lets_in_by_token_and_shop(lab):
    """Whoever belongs to the shop in X-Shop gets 200, with user and shop passed on; for another shop it is 403."""
    routes, pool = Routes(lab), Pool.learners(lab)
    north, south = (f"shop-{lab.draw.word()}" for _ in range(2))
    name = pool.user(north)
    token = pool.sign_in(name)["AccessToken"]
    for verb in VERBS:
        page = routes.call(verb, "/request", token, **{"X-Shop": north})
        expect_status(
            f"{verb} /request for the caller's own shop",
            page.status,
            200,
            "A simple answer needs format 2.0 and EnableSimpleResponses; without them it is malformed, which is a 500.",
        )
        found = [told(page.json, "user"), told(page.json, "shop")]
        expect("the user and the shop that were passed on", found).equals(
            [name, north], why="They come from the authorizer's context."
        )
        expect_status(
            f"{verb} /request for another shop",
            routes.status(verb, "/request", token, **{"X-Shop": south}),
            403,
            "The caller is known, and may not.",
        )


@check(task="request", after=["10.request-lets-in-by-token-and-shop"], cards=["apigw-lambda-authorizer"])
def test_request_wants_every_source(lab):
    """Without a token or without a shop it is 401, and the authorizer's function is not called."""
    routes, pool = Routes(lab), Pool.learners(lab)
    shop = f"shop-{lab.draw.word()}"
    token = pool.tokens(shop)["AccessToken"]
    guard = routes.guard("GET", "/request")
    before = routes.runs(guard)
    found = {
        "without a token": routes.status("GET", "/request", **{"X-Shop": shop}),
        "without a shop": routes.status("GET", "/request", token),
        "without both": routes.status("POST", "/request"),
    }
    why = "An identity source that the authorizer names and the request lacks is a 401 at once."
    expect("/request by what is missing", found).equals(dict.fromkeys(found, 401), why=why)
    expect("calls of the authorizer's function for that", routes.runs(guard) - before).equals(0, why=why)
    expect_status(
        "GET /request with both",
        routes.status("GET", "/request", token, **{"X-Shop": shop}),
        200,
        "Nothing is missing.",
    )
    expect("calls of the authorizer's function for that", routes.runs(guard) - before).equals(1, why="It was asked.")


@check(task="request", after=["10.request-lets-in-by-token-and-shop"], cards=["apigw-lambda-authorizer"])
def test_request_keeps_callers_apart(lab):
    """What was answered to one caller is not kept for another, also for the same shop; for the same one it is."""
    routes, pool = Routes(lab), Pool.learners(lab)
    shop = f"shop-{lab.draw.word()}"
    member, stranger = pool.tokens(shop)["AccessToken"], pool.tokens()["AccessToken"]
    guard = routes.guard("GET", "/request")
    before = routes.runs(guard)
    callers = (("member", member), ("stranger", stranger), ("member", member))
    found = [routes.status("GET", "/request", token, **{"X-Shop": shop}) for _, token in callers]
    expect("GET /request by a member of a shop, a stranger, and the member again", found).equals(
        [200, 403, 200],
        why="Answers are kept by the identity sources: all that the decision depends on must be among them.",
    )
    expect("calls of the authorizer's function for that", routes.runs(guard) - before).equals(
        2, why="The same caller for the same shop is not asked about twice within the authorizer's time."
    )


@check(task="request", after=["10.request-lets-in-by-token-and-shop"], needs=["cognito.resign"])
def test_request_refuses_what_it_cannot_verify(lab):
    """Tampered, unsigned, expired or foreign tokens, and another client's, are refused; a good one is not."""
    routes, pool = Routes(lab), Pool.learners(lab)
    shop = f"shop-{lab.draw.word()}"
    good = pool.tokens(shop)["AccessToken"]
    outsider = pool.tokens()["AccessToken"]
    bad = {
        "tampered with": forged(outsider, **{"cognito:groups": [shop]}),
        "without a signature": unsigned(outsider, **{"cognito:groups": [shop]}),
        "of another user pool": Pool.another(lab).tokens(shop)["AccessToken"],
        "expired": lab.resigned(pool.tokens(shop)["AccessToken"], exp=int(time.time()) - PAST),
        "of another app client": pool.with_client().tokens(shop)["AccessToken"],
    }
    expect_refused(
        "GET /request with tokens by what is wrong with each",
        routes.statuses("GET", "/request", bad, **{"X-Shop": shop}),
        REFUSED,
        "Anybody can write into a token which groups they are in. Only the signature says that it is true.",
    )
    expect_status(
        "GET /request with a good token",
        routes.status("GET", "/request", good, **{"X-Shop": shop}),
        200,
        "It is verified.",
    )


# --- /cognito: a Cognito authorizer of a REST API ---------------------------------------------------------------------


@check(task="cognito", cards=["apigw-cognito-authorizer"])
def test_cognito_takes_identity_tokens_without_scopes(lab):
    """GET /cognito takes an identity token and passes its claims on; an access token gets 401."""
    routes, pool = Routes(lab), Pool.learners(lab)
    name = pool.user()
    tokens = pool.sign_in(name)
    page = routes.call("GET", "/cognito", tokens["IdToken"])
    why = "On a REST API a method without scopes asks for an identity token: who somebody is."
    expect_status("GET /cognito with an identity token", page.status, 200, why)
    expect("the claim cognito:username that was passed on", told(page.json, "cognito:username")).equals(
        name, why="The authorizer passes on the claims that it has verified."
    )
    expect_status(
        "GET /cognito with an access token", routes.status("GET", "/cognito", tokens["AccessToken"]), 401, why
    )


@check(task="cognito", needs=["cognito.resign"], cards=["apigw-cognito-authorizer"])
def test_cognito_takes_access_tokens_with_scopes(lab):
    """POST /cognito takes an access token with its scope; one without that scope, or an identity token, gets 401."""
    routes, pool = Routes(lab), Pool.learners(lab)
    tokens = pool.tokens()
    why = "A method with scopes asks for an access token that has one of them: what somebody may do."
    expect_status(
        "POST /cognito with an access token", routes.status("POST", "/cognito", tokens["AccessToken"]), 200, why
    )
    lacking = {
        "an identity token": tokens["IdToken"],
        "an access token with another scope": lab.resigned(tokens["AccessToken"], scope="orders/read"),
    }
    expect_refused("POST /cognito", routes.statuses("POST", "/cognito", lacking), (401,), why)


@check(task="cognito", needs=["cognito.resign"], cards=["apigw-cognito-authorizer"])
def test_cognito_refuses_all_others(lab):
    """Without a token, or with one that is tampered with, unsigned, expired or foreign, it is 401."""
    routes, pool = Routes(lab), Pool.learners(lab)
    good = pool.tokens()
    for verb, kind in (("GET", "IdToken"), ("POST", "AccessToken")):
        bad = bad_tokens(lab, pool, kind) | {
            "expired": lab.resigned(pool.tokens()[kind], exp=int(time.time()) - PAST),
            "that is none": lab.draw.word(),
        }
        found = {"without one": routes.status(verb, "/cognito")} | routes.statuses(verb, "/cognito", bad)
        expect_refused(
            f"{verb} /cognito with tokens by what is wrong with each",
            found,
            (401,),
            "The authorizer verifies signature, time and pool before any code of yours runs. Every method needs it.",
        )
        accepted = [routes.status(verb, "/cognito", token) for token in (good["IdToken"], good["AccessToken"])]
        expect(f"{verb} /cognito with a good identity token, and a good access token", accepted).meets(
            200 in accepted, "200 for one of them", why="It is verified."
        )


# --- /jwt: a JWT authorizer of an HTTP API ----------------------------------------------------------------------------


@check(task="jwt", cards=["apigw-cognito-authorizer"])
def test_jwt_takes_both_tokens_without_scopes(lab):
    """GET /jwt takes an identity token as well as an access token of the app client, and passes the claims on."""
    routes, pool = Routes(lab), Pool.learners(lab)
    name = pool.user()
    tokens = pool.sign_in(name)
    for kind, claim in (("IdToken", "cognito:username"), ("AccessToken", "username")):
        page = routes.call("GET", "/jwt", f"Bearer {tokens[kind]}")
        why = "A JWT authorizer looks at issuer, time and audience: `aud` of one token, `client_id` of the other."
        expect_status(f"GET /jwt with the {kind}", page.status, 200, why)
        expect(f"the claim {claim} that was passed on", told(page.json, claim)).equals(
            name, why="The authorizer passes on the claims that it has verified."
        )


@check(task="jwt", needs=["cognito.resign"], cards=["apigw-cognito-authorizer"])
def test_jwt_wants_the_scope(lab):
    """POST /jwt takes an access token with its scope, and refuses one without, and an identity token."""
    routes, pool = Routes(lab), Pool.learners(lab)
    tokens = pool.tokens()
    why = "Scopes on a route are what tells the two kinds of token apart: only access tokens have any."
    expect_status(
        "POST /jwt with an access token", routes.status("POST", "/jwt", f"Bearer {tokens['AccessToken']}"), 200, why
    )
    lacking = {
        "an identity token": f"Bearer {tokens['IdToken']}",
        "an access token with another scope": f"Bearer {lab.resigned(tokens['AccessToken'], scope='orders/read')}",
    }
    expect_refused("POST /jwt", routes.statuses("POST", "/jwt", lacking), REFUSED, why)


@check(task="jwt", needs=["cognito.resign"], cards=["apigw-cognito-authorizer"])
def test_jwt_refuses_all_others(lab):
    """Without a token, or with one that is tampered with, unsigned, expired, foreign or another client's, it is 401."""
    routes, pool = Routes(lab), Pool.learners(lab)
    for verb in VERBS:
        good = pool.tokens()["AccessToken"]
        bad = bad_tokens(lab, pool, "AccessToken") | {
            "expired": lab.resigned(pool.tokens()["AccessToken"], exp=int(time.time()) - PAST),
            "of another app client": pool.with_client().tokens()["AccessToken"],
            "that is none": lab.draw.word(),
        }
        found = {"without one": routes.status(verb, "/jwt")} | routes.statuses(verb, "/jwt", bad)
        expect_refused(
            f"{verb} /jwt with tokens by what is wrong with each",
            found,
            (401,),
            "The authorizer verifies all of that before any code of yours runs. Every route needs it.",
        )
        expect_status(f"{verb} /jwt with a good token", routes.status(verb, "/jwt", good), 200, "It is verified.")
