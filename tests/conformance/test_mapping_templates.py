"""Mapping templates shape what a Lambda or MOCK integration is sent, and what it answers."""

import json

import pytest
from gateway import Rest, function, uri

pytestmark = pytest.mark.behaviour("mapping_templates")
EVENT = "def handle(event, context):\n    return event\n"
FAILING = "def handle(event, context):\n    raise ValueError('[404] no order ' + str(event.get('id')))\n"


@pytest.fixture
def rest(aws) -> Rest:
    return Rest(aws)


def custom(rest: Rest, target: str, template: str | None = None, method: str = "POST", **responses) -> dict:
    """POST /orders with an integration of type AWS and a default response; its place."""
    templates = {} if template is None else {"application/json": template}
    integration = {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": uri(target),
        "requestTemplates": templates,
        "passthroughBehavior": "WHEN_NO_TEMPLATES",
    }
    place = rest.method("/orders", target, method, integration)
    answer(rest, place, "200", **responses)
    return place


def answer(
    rest: Rest, place: dict, status: str, pattern: str | None = None, template: str | None = None, **more
) -> None:
    rest.client.put_method_response(**place, statusCode=status)
    settings: dict = dict(more)
    if pattern:
        settings["selectionPattern"] = pattern
    if template is not None:
        settings["responseTemplates"] = {"application/json": template}
    rest.client.put_integration_response(**place, statusCode=status, **settings)


def post(rest: Rest, value, path: str = "/orders"):
    rest.deploy()
    return rest.call(path, "POST", {"Content-Type": "application/json"}, json.dumps(value))


@pytest.mark.localstack
def test_without_a_template_the_function_gets_the_body(rest):
    custom(rest, function(rest.aws, EVENT))
    assert post(rest, {"id": 7}).json == {"id": 7}


@pytest.mark.localstack
def test_a_request_template_makes_the_functions_event(rest):
    template = """#set($order = $input.path('$'))
    {"number": "$order.id", "whole": $input.json('$'), "page": "$input.params('page')",
     "stage": "$context.stage", "colour": "$stageVariables.colour",
     "items": [#foreach($item in $order.items)"$item.name"#if($foreach.hasNext),#end#end],
     "big": #if($order.total > 100) true #else false #end}"""
    custom(rest, function(rest.aws, EVENT), template)
    rest.deploy(variables={"colour": "blue"})
    body = json.dumps({"id": 7, "total": 120, "items": [{"name": "pen"}, {"name": "ink"}]})
    found = rest.call("/orders?page=3", "POST", {"Content-Type": "application/json"}, body).json
    assert found == {
        "number": "7",
        "whole": json.loads(body),
        "page": "3",
        "stage": "v1",
        "colour": "blue",
        "items": ["pen", "ink"],
        "big": True,
    }


@pytest.mark.localstack
def test_a_template_can_escape_text(rest):
    custom(rest, function(rest.aws, EVENT), """{"note": "$util.escapeJavaScript($input.path('$.note'))"}""")
    assert post(rest, {"note": 'say "hi"\n'}).json == {"note": 'say "hi"\n'}


@pytest.mark.localstack
def test_a_response_template_makes_the_answer(rest):
    place = custom(rest, function(rest.aws, EVENT))
    answer(rest, place, "200", template="""{"order": $input.json('$.id')}""")
    assert post(rest, {"id": 7, "secret": "x"}).json == {"order": 7}


@pytest.mark.localstack
def test_an_error_is_answered_by_the_response_whose_pattern_matches_its_message(rest):
    place = custom(rest, function(rest.aws, FAILING))
    answer(rest, place, "404", r"\[404\].*", """{"says": "$input.path('$.errorMessage')"}""")
    reply = post(rest, {"id": 7})
    assert (reply.status, reply.json) == (404, {"says": "[404] no order 7"})


@pytest.mark.ministack
@pytest.mark.localstack
def test_an_error_that_no_pattern_matches_is_answered_by_the_default(rest):
    place = custom(rest, function(rest.aws, FAILING))
    answer(rest, place, "404", r"\[500\].*")
    assert post(rest, {"id": 7}).status == 200


@pytest.mark.not_localstack("it matches the beginning of the message")
def test_a_pattern_matches_the_whole_message(rest):
    place = custom(rest, function(rest.aws, FAILING))
    answer(rest, place, "404", r"\[404\]")
    answer(rest, place, "400", r".*no order.*")
    assert post(rest, {"id": 7}).status == 400


@pytest.mark.localstack
def test_headers_are_mapped_from_the_answer(rest):
    place = custom(rest, function(rest.aws, EVENT))
    parameters = {
        "method.response.header.X-Order": "integration.response.body.id",
        "method.response.header.X-Shop": "'north'",
    }
    answer(rest, place, "200", responseParameters=parameters)
    headers = post(rest, {"id": "7"}).headers
    assert (headers.get("x-order"), headers.get("x-shop")) == ("7", "north")


@pytest.mark.localstack
def test_a_template_can_set_the_status(rest):
    place = custom(rest, function(rest.aws, EVENT))
    answer(rest, place, "200", template="""#set($context.responseOverride.status = 418){"tea": true}""")
    reply = post(rest, {"id": 7})
    assert (reply.status, reply.json) == (418, {"tea": True})


@pytest.mark.localstack
def test_a_mock_is_rendered(rest):
    integration = {
        "type": "MOCK",
        "requestTemplates": {
            "application/json": """{"statusCode": #if($input.params('scope') == "none") 404 #else 200 #end}"""
        },
    }
    place = rest.method("/health", "", "GET", integration)
    answer(rest, place, "200", template='{"stage": "$context.stage"}')
    answer(rest, place, "404", "404", '{"stage": "none"}')
    rest.deploy()
    found = [rest.call(path) for path in ("/health", "/health?scope=none")]
    assert [(reply.status, reply.json) for reply in found] == [(200, {"stage": "v1"}), (404, {"stage": "none"})]


@pytest.mark.localstack
def test_a_mock_without_a_status_is_an_error(rest):
    place = rest.method("/health", "", "GET", {"type": "MOCK", "requestTemplates": {"application/json": "{}"}})
    answer(rest, place, "200", template='{"ok": true}')
    rest.deploy()
    assert rest.call("/health").status == 500


@pytest.mark.isolated("it is about the sandbox")
@pytest.mark.not_localstack("it renders in its own process")
def test_a_template_that_breaks_out_is_in_a_sandbox(rest):
    """Templates visit whatever Python's objects know of each other: here, the way to open a file."""
    opening = "$input.params.__func__.__globals__.json.codecs.open($input.path('$.file')).name"
    custom(rest, function(rest.aws, EVENT), f'{{"found": "{opening}"}}')
    own = post(rest, {"file": "/var/task/render.py"})
    assert (own.status, own.json) == (200, {"found": "/var/task/render.py"})
    assert rest.call("/orders", "POST", {}, json.dumps({"file": __file__})).status == 500
