"""Which token a method takes: identity tokens without scopes, access tokens with them; and what a JWT's refusal says."""

import base64
import json

import pytest
from gateway import Http, Reply, Rest, function
from identity import Pool, make_pool

pytestmark = [
    pytest.mark.behaviour("token_authorizers"),
    pytest.mark.not_localstack("4.14 has no Cognito without a token"),
]
SCOPE = "aws.cognito.signin.user.admin"


@pytest.fixture
def pool(aws) -> Pool:
    pool = make_pool(aws)
    pool.user()
    return pool


@pytest.fixture
def rest(aws, pool) -> Rest:
    """GET /plain without scopes, GET /scoped with one that access tokens have, GET /other with one that none has."""
    rest = Rest(aws)
    arn = f"arn:aws:cognito-idp:us-east-1:{aws.number}:userpool/{pool.id}"
    guard = rest.authorizer("COGNITO_USER_POOLS", providerARNs=[arn])
    guarded = {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": guard}
    target = function(aws)
    rest.method("/plain", target, **guarded)
    rest.method("/scoped", target, authorizationScopes=[SCOPE], **guarded)
    rest.method("/other", target, authorizationScopes=["orders/write"], **guarded)
    rest.deploy()
    return rest


def ask(rest: Rest, path: str, token: str) -> int:
    return rest.call(path, headers={"Authorization": token}).status


def test_without_scopes_an_identity_token_is_asked_for(rest, pool):
    tokens = pool.sign_in()
    assert [ask(rest, "/plain", tokens[kind]) for kind in ("IdToken", "AccessToken")] == [200, 401]


@pytest.mark.ministack
def test_with_scopes_an_access_token_is_asked_for(rest, pool):
    tokens = pool.sign_in()
    assert [ask(rest, "/scoped", tokens[kind]) for kind in ("AccessToken", "IdToken")] == [200, 401]


@pytest.mark.ministack
def test_a_missing_scope_is_a_401(rest, pool):
    assert ask(rest, "/other", pool.sign_in()["AccessToken"]) == 401


@pytest.mark.parametrize(
    ("expression", "status"), [pytest.param("{client}", 200, marks=pytest.mark.ministack), ("somebody-else", 401)]
)
def test_the_audience_must_fit_the_expression(aws, pool, expression, status):
    rest = Rest(aws)
    guard = rest.authorizer(
        "COGNITO_USER_POOLS",
        providerARNs=[f"arn:aws:cognito-idp:us-east-1:{aws.number}:userpool/{pool.id}"],
        identityValidationExpression=expression.format(client=pool.client_id),
    )
    rest.method("/plain", function(aws), authorizationType="COGNITO_USER_POOLS", authorizerId=guard)
    rest.deploy()
    found = [ask(rest, "/plain", pool.sign_in()["IdToken"]), ask(rest, "/plain", "x.y.z")]
    assert (found, rest.call("/plain").headers.get("x-amzn-errortype")) == ([status, 401], "UnauthorizedException")


@pytest.fixture
def api(aws, pool) -> Http:
    """GET /plain for tokens of the pool's client, GET /other with a scope that none has."""
    api = Http(aws)
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    guard = api.authorizer("JWT", JwtConfiguration={"Issuer": issuer, "Audience": [pool.client_id]})
    integration = api.integration(function(aws))
    guarded = {"AuthorizationType": "JWT", "AuthorizerId": guard}
    api.route("GET /plain", integration, **guarded)
    api.route("GET /other", integration, AuthorizationScopes=["orders/write"], **guarded)
    return api


def bearing(api: Http, token: str, path: str = "/plain") -> Reply:
    return api.call(path, headers={"Authorization": f"Bearer {token}"})


def forged(token: str, **changes) -> str:
    """The token with other claims, its signature left as it was."""
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) | changes
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.{signature}"


@pytest.mark.ministack
def test_an_http_api_takes_both_tokens_where_a_route_has_no_scopes(api, pool):
    tokens = pool.sign_in()
    assert [bearing(api, tokens[kind]).status for kind in ("IdToken", "AccessToken")] == [200, 200]
    assert bearing(api, tokens["AccessToken"], "/other").status in (401, 403)


def test_a_bad_token_is_a_401_that_says_so(api, pool):
    reply = bearing(api, forged(pool.sign_in()["AccessToken"], username="mallory"))
    assert (reply.status, reply.json) == (401, {"message": "Unauthorized"})
    assert reply.headers.get("www-authenticate", "").startswith('Bearer scope="" error="invalid_token"')


def test_a_missing_token_is_a_401_that_names_the_scheme(api):
    reply = api.call("/plain")
    assert (reply.status, reply.headers.get("www-authenticate")) == (401, "Bearer")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
@pytest.mark.ministack
def test_the_algorithm_is_not_taken_from_the_token(api, pool, algorithm):
    head, body, signature = pool.sign_in()["AccessToken"].split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))) | {"alg": algorithm}
    made = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    assert [bearing(api, f"{made}.{body}.{end}").status for end in (signature, "")] == [401, 401]
