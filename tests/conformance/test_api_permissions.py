"""An API calls a function only where the function's policy lets it."""

import pytest
from gateway import ECHO, Http, Rest, function, permit

pytestmark = pytest.mark.behaviour("api_permissions")
ALLOWING = """
def handle(event, context):
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    return {"principalId": "ada", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"""
_NO_IAM = pytest.mark.not_localstack("4.14 does not ask a function's policy without a token")
_NO_HTTP = pytest.mark.not_localstack("4.14 has no HTTP APIs without a token")


@_NO_IAM
def test_a_rest_api_needs_permission_for_its_integration(aws):
    rest = Rest(aws)
    rest.method("/word", function(aws, permitted=False))
    rest.deploy()
    before = rest.call("/word").status
    permit(aws, "f")
    assert [before, rest.call("/word").status] == [500, 200]


@_NO_IAM
def test_a_rest_api_needs_permission_for_its_authorizer(aws):
    rest = Rest(aws)
    guard = rest.authorizer(target=function(aws, ALLOWING, "guard", permitted=False))
    rest.method("/word", function(aws), authorizationType="CUSTOM", authorizerId=guard)
    rest.deploy()
    ask = lambda: rest.call("/word", headers={"Authorization": "token"}).status  # noqa: E731
    before = ask()
    permit(aws, "guard")
    assert [before, ask()] == [500, 200]


@_NO_IAM
def test_a_permission_for_another_method_is_none(aws):
    rest = Rest(aws)
    target = function(aws, permitted=False)
    rest.method("/word", target)
    rest.method("/word", target, "POST")
    rest.deploy()
    aws.lambda_.add_permission(
        FunctionName="f",
        StatementId="get",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:{aws.number}:{rest.id}/*/GET/word",
    )
    assert [rest.call("/word", method).status for method in ("GET", "POST")] == [200, 500]


@_NO_HTTP
def test_an_http_api_needs_permission_for_its_integration(aws):
    api = Http(aws)
    api.route("GET /word", api.integration(function(aws, permitted=False)))
    before = api.call("/word").status
    aws.lambda_.add_permission(
        FunctionName="f",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:{aws.number}:{api.id}/*/*/word",
    )
    assert [before, api.call("/word").status] == [500, 200]


@_NO_HTTP
def test_an_http_api_needs_permission_for_its_authorizer(aws):
    api = Http(aws)
    target = function(aws, "def handle(event, context):\n    return {'isAuthorized': True}\n", "guard", permitted=False)
    guard = api.authorizer(target=target, AuthorizerPayloadFormatVersion="2.0", EnableSimpleResponses=True)
    api.route("GET /word", api.integration(function(aws, ECHO)), AuthorizationType="CUSTOM", AuthorizerId=guard)
    ask = lambda: api.call("/word", headers={"Authorization": "token"}).status  # noqa: E731
    before = ask()
    permit(aws, "guard")
    assert [before, ask()] == [500, 200]


@pytest.mark.ministack
@_NO_HTTP
def test_a_simple_answer_in_format_1_is_a_500(aws):
    """The answer of format 2.0 is malformed for an authorizer of format 1.0, and for one without simple responses."""
    api = Http(aws)
    target = function(aws, "def handle(event, context):\n    return {'isAuthorized': True}\n", "guard")
    integration = api.integration(function(aws))
    for path, settings in (
        ("/first", {"AuthorizerPayloadFormatVersion": "1.0"}),
        ("/plain", {"AuthorizerPayloadFormatVersion": "2.0"}),
        ("/simple", {"AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": True}),
    ):
        guard = api.authorizer(target=target, **settings)
        api.route(f"GET {path}", integration, AuthorizationType="CUSTOM", AuthorizerId=guard)
    token = {"Authorization": "token"}
    assert [api.call(path, headers=token).status for path in ("/first", "/plain", "/simple")] == [500, 500, 200]
