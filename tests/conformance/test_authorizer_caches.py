"""What an authorizer answered is kept for 0 to 3,600 seconds, and can be flushed."""

import pytest
from gateway import Http, Rest, function
from support import refusal

pytestmark = [
    pytest.mark.behaviour("authorizer_caches"),
    pytest.mark.not_localstack("4.14 calls no authorizer without a token"),
]
# Allows everything, and says how often it has been called in `context`.
COUNTING = """
calls = 0
def handle(event, context):
    global calls
    calls += 1
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "ada", "policyDocument": policy, "context": {"calls": calls}}
"""
TOKEN = {"Authorization": "token"}


@pytest.fixture
def rest(aws) -> Rest:
    return guarded(Rest(aws), 300)


def guarded(rest: Rest, seconds: int) -> Rest:
    """GET /word tells how often the authorizer has been called."""
    guard = rest.authorizer(target=function(rest.aws, COUNTING, "guard"), authorizerResultTtlInSeconds=seconds)
    rest.method("/word", function(rest.aws), authorizationType="CUSTOM", authorizerId=guard)
    rest.deploy()
    return rest


def calls(rest: Rest, token: str = "token") -> str:
    return rest.call("/word", headers={"Authorization": token}).json["requestContext"]["authorizer"]["calls"]


@pytest.mark.parametrize("seconds", [3601, -1])
def test_a_rest_authorizers_ttl_out_of_range_is_refused(aws, seconds):
    rest = Rest(aws)
    create = lambda: rest.client.create_authorizer(  # noqa: E731
        restApiId=rest.id, name="guard", type="TOKEN", authorizerResultTtlInSeconds=seconds
    )
    assert refusal(create)[1] == 400


def test_a_rest_authorizers_ttl_is_not_moved_out_of_range(aws):
    rest = Rest(aws)
    guard = rest.authorizer(authorizerResultTtlInSeconds=3600)
    change = {"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": "3601"}
    update = lambda: rest.client.update_authorizer(restApiId=rest.id, authorizerId=guard, patchOperations=[change])  # noqa: E731
    assert refusal(update)[1] == 400
    change["value"] = "0"
    assert refusal(update)[1] == 200


def test_an_http_apis_ttl_out_of_range_is_refused(aws):
    api = Http(aws)
    guard = api.authorizer(target=function(aws, COUNTING), AuthorizerResultTtlInSeconds=3600)
    update = lambda: api.client.update_authorizer(  # noqa: E731
        ApiId=api.id, AuthorizerId=guard, AuthorizerResultTtlInSeconds=3601
    )
    assert refusal(update)[1] == 400


@pytest.mark.ministack
def test_it_is_asked_once_for_one_token(rest):
    assert [calls(rest), calls(rest), calls(rest, "another"), calls(rest)] == ["1", "1", "2", "1"]


@pytest.mark.ministack
def test_without_a_ttl_it_is_asked_each_time(aws):
    rest = guarded(Rest(aws), 0)
    assert [calls(rest), calls(rest)] == ["1", "2"]


def test_it_is_asked_again_after_the_ttl(clocked):
    rest = guarded(Rest(clocked.account), 300)
    first = calls(rest)
    clocked.engine.advance(290)
    before = calls(rest)
    clocked.engine.advance(20)
    assert [first, before, calls(rest)] == ["1", "1", "2"]


def test_a_flush_forgets_what_it_answered(rest):
    first = calls(rest)
    flush = lambda stage: rest.client.flush_stage_authorizers_cache(restApiId=rest.id, stageName=stage)  # noqa: E731
    assert refusal(lambda: flush("v1")) == ("", 202)
    assert [first, calls(rest)] == ["1", "2"]
    assert refusal(lambda: flush("nowhere"))[1] == 404


def test_a_reset_forgets_what_an_http_apis_authorizer_answered(aws):
    api = Http(aws)
    guard = api.authorizer(
        target=function(aws, COUNTING, "guard"),
        AuthorizerPayloadFormatVersion="2.0",
        AuthorizerResultTtlInSeconds=300,
    )
    api.route("GET /word", api.integration(function(aws)), AuthorizationType="CUSTOM", AuthorizerId=guard)
    ask = lambda: api.call("/word", headers=TOKEN)  # noqa: E731
    count = lambda reply: reply.json["requestContext"]["authorizer"]["lambda"]["calls"]  # noqa: E731
    before = [count(ask()), count(ask())]
    api.client.reset_authorizers_cache(ApiId=api.id, StageName="v1")
    after = ask()
    assert after.status == 200
    assert [*before, count(after)] == [1, 1, 2]
