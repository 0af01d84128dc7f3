"""A function behind an HTTP API gets the payload format that its integration names."""

import pytest
from gateway import ECHO, Http, function

pytestmark = [
    pytest.mark.behaviour("http_api_payloads"),
    pytest.mark.not_localstack("4.14 has no HTTP APIs without a token"),
]


@pytest.fixture
def api(aws) -> Http:
    return Http(aws)


def echo(api: Http, version: str, source: str = ECHO) -> None:
    """A route /items/{id} to a function that answers with its event."""
    integration = api.integration(function(api.aws, source), PayloadFormatVersion=version)
    api.route("GET /items/{id}", integration)


def test_format_2_has_the_cookies(api):
    echo(api, "2.0")
    assert api.call("/items/7", headers={"Cookie": "a=1; b=2"}).json.get("cookies") == ["a=1", "b=2"]


def test_format_2_has_the_stage_variables(api):
    api.client.update_stage(ApiId=api.id, StageName="v1", StageVariables={"colour": "blue"})
    echo(api, "2.0")
    assert api.call("/items/7").json.get("stageVariables") == {"colour": "blue"}


@pytest.mark.ministack
def test_format_2_leaves_out_what_is_not_there(api):
    echo(api, "2.0")
    assert not {"cookies", "stageVariables", "queryStringParameters", "body"} & set(api.call("/items/7").json)


def test_format_1_has_the_shape_of_a_rest_apis_event(api):
    api.client.update_stage(ApiId=api.id, StageName="v1", StageVariables={"colour": "blue"})
    echo(api, "1.0")
    event = api.call("/items/7?a=1&a=2", headers={"X-Trace": "t"}).json
    assert event["version"] == "1.0"
    assert (event["httpMethod"], event["resource"]) == ("GET", "/items/{id}")
    assert event["pathParameters"] == {"id": "7"}
    assert event["queryStringParameters"] == {"a": "2"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["multiValueHeaders"]["x-trace"] == ["t"]
    assert event["stageVariables"] == {"colour": "blue"}
    assert (event["requestContext"]["stage"], event["requestContext"]["httpMethod"]) == ("v1", "GET")


def test_format_1_wants_a_status(api):
    echo(api, "1.0", "def handle(event, context):\n    return {'total': 3}\n")
    assert api.call("/items/7").status == 500


@pytest.mark.ministack
def test_format_2_takes_any_value_for_a_body(api):
    echo(api, "2.0", "def handle(event, context):\n    return {'total': 3}\n")
    reply = api.call("/items/7")
    assert (reply.status, reply.json) == (200, {"total": 3})


def test_format_1_answers_with_multi_value_headers(api):
    answer = "{'statusCode': 200, 'body': 'x', 'headers': {'X-One': '1'}, 'multiValueHeaders': {'X-Many': ['a']}}"
    echo(api, "1.0", f"def handle(event, context):\n    return {answer}\n")
    headers = api.call("/items/7").headers
    assert (headers.get("x-one"), headers.get("x-many")) == ("1", "a")
