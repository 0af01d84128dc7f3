"""A stage of a REST API serves the deployment that it points to."""

import pytest
from gateway import Rest, call, function
from support import refusal

pytestmark = pytest.mark.behaviour("rest_deployments")


def saying(word: str) -> str:
    return f"def handle(event, context):\n    return {{'statusCode': 200, 'body': {word!r}}}\n"


@pytest.fixture
def rest(aws) -> Rest:
    return Rest(aws)


def point(rest: Rest, deployment: str, stage: str = "v1") -> None:
    change = {"op": "replace", "path": "/deploymentId", "value": deployment}
    rest.client.update_stage(restApiId=rest.id, stageName=stage, patchOperations=[change])


@pytest.mark.localstack
def test_a_change_is_served_after_the_next_deployment(rest):
    one, two = (function(rest.aws, saying(word), word) for word in ("one", "two"))
    place = rest.method("/word", one)
    rest.deploy()
    rest.integrate(place, two)
    before = rest.call("/word").text
    rest.deploy()
    assert [before, rest.call("/word").text] == ["one", "two"]


@pytest.mark.localstack
def test_a_new_method_is_not_there_before_it_is_deployed(rest):
    target = function(rest.aws)
    rest.method("/old", target)
    rest.deploy()
    rest.method("/new", target)
    before = rest.call("/new").status
    rest.deploy()
    assert [before, rest.call("/new").status] == [403, 200]


@pytest.mark.localstack
def test_a_stage_goes_back_to_an_earlier_deployment(rest):
    one, two = (function(rest.aws, saying(word), word) for word in ("one", "two"))
    place = rest.method("/word", one)
    first = rest.deploy()
    rest.integrate(place, two)
    rest.deploy()
    point(rest, first)
    assert rest.call("/word").text == "one"


@pytest.mark.localstack
def test_two_stages_serve_two_deployments(rest):
    one, two = (function(rest.aws, saying(word), word) for word in ("one", "two"))
    place = rest.method("/word", one)
    rest.deploy("test")
    rest.integrate(place, two)
    rest.deploy("live")
    assert [rest.call("/word", stage=stage).text for stage in ("test", "live")] == ["one", "two"]


@pytest.mark.not_localstack("4.14 calls no authorizer without a token")
def test_an_authorizer_that_was_switched_off_guards_until_the_next_deployment(rest):
    refuse = function(rest.aws, "def handle(event, context):\n    raise Exception('Unauthorized')\n", "refuses")
    guard = rest.authorizer(target=refuse)
    place = rest.method("/word", function(rest.aws), authorizationType="CUSTOM", authorizerId=guard)
    rest.deploy()
    change = {"op": "replace", "path": "/authorizationType", "value": "NONE"}
    rest.client.update_method(**place, patchOperations=[change])
    token = {"Authorization": "token"}
    before = rest.call("/word", headers=token).status
    rest.deploy()
    assert [before, rest.call("/word", headers=token).status] == [401, 200]


@pytest.mark.localstack
def test_stage_variables_stand_in_an_integrations_uri(rest):
    arn = function(rest.aws, saying("blue"), "say-blue")
    function(rest.aws, saying("green"), "say-green")
    rest.method("/word", arn.replace("say-blue", "say-${stageVariables.colour}"))
    rest.deploy("test", variables={"colour": "blue"})
    rest.deploy("live", variables={"colour": "green"})
    assert [rest.call("/word", stage=stage).text for stage in ("test", "live")] == ["blue", "green"]


@pytest.mark.localstack
def test_a_changed_stage_variable_takes_effect_at_once(rest):
    arn = function(rest.aws, saying("blue"), "say-blue")
    function(rest.aws, saying("green"), "say-green")
    rest.method("/word", arn.replace("say-blue", "say-${stageVariables.colour}"))
    rest.deploy(variables={"colour": "blue"})
    change = {"op": "replace", "path": "/variables/colour", "value": "green"}
    rest.client.update_stage(restApiId=rest.id, stageName="v1", patchOperations=[change])
    assert rest.call("/word").text == "green"


@pytest.mark.localstack
def test_a_deployment_in_use_is_not_deleted(rest):
    rest.method("/word", function(rest.aws))
    used = rest.deploy()
    assert refusal(lambda: rest.client.delete_deployment(restApiId=rest.id, deploymentId=used))[1] == 400
    rest.deploy()
    assert refusal(lambda: rest.client.delete_deployment(restApiId=rest.id, deploymentId=used))[1] == 202


@pytest.mark.ministack
@pytest.mark.localstack
def test_an_id_that_no_account_has_is_not_found(aws):
    assert call(aws, "0123456789", "v1/word").status == 404
