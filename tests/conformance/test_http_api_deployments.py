"""A stage of an HTTP API serves its deployment, or what the API is where it is deployed automatically."""

import pytest
from gateway import Http, function

pytestmark = [
    pytest.mark.behaviour("http_api_deployments"),
    pytest.mark.not_localstack("4.14 has no HTTP APIs without a token"),
]


def saying(word: str) -> str:
    return f"def handle(event, context):\n    return {word!r}\n"


@pytest.fixture
def manual(aws) -> Http:
    """An API with a stage that is not deployed automatically, which is the default."""
    api = Http(aws, stage="")
    api.client.create_stage(ApiId=api.id, StageName="v1")
    api.stage = "v1"
    return api


def deploy(api: Http) -> str:
    return api.client.create_deployment(ApiId=api.id, StageName=api.stage)["DeploymentId"]


def test_nothing_is_served_before_it_is_deployed(manual):
    manual.route("GET /word", manual.integration(function(manual.aws)))
    before = manual.call("/word").status
    deploy(manual)
    assert [before, manual.call("/word").status] == [404, 200]


def test_a_change_is_served_after_the_next_deployment(manual):
    one, two = (function(manual.aws, saying(word), word) for word in ("one", "two"))
    integration = manual.integration(one)
    manual.route("GET /word", integration)
    deploy(manual)
    manual.client.update_integration(ApiId=manual.id, IntegrationId=integration, IntegrationUri=two)
    before = manual.call("/word").text
    deploy(manual)
    assert [before, manual.call("/word").text] == ["one", "two"]


def test_a_stage_goes_back_to_an_earlier_deployment(manual):
    one, two = (function(manual.aws, saying(word), word) for word in ("one", "two"))
    integration = manual.integration(one)
    manual.route("GET /word", integration)
    first = deploy(manual)
    manual.client.update_integration(ApiId=manual.id, IntegrationId=integration, IntegrationUri=two)
    deploy(manual)
    manual.client.update_stage(ApiId=manual.id, StageName="v1", DeploymentId=first)
    assert manual.call("/word").text == "one"


@pytest.mark.ministack
def test_with_automatic_deployment_a_change_is_served_at_once(aws):
    api = Http(aws)
    one, two = (function(aws, saying(word), word) for word in ("one", "two"))
    integration = api.integration(one)
    api.route("GET /word", integration)
    before = api.call("/word").text
    api.client.update_integration(ApiId=api.id, IntegrationId=integration, IntegrationUri=two)
    assert [before, api.call("/word").text] == ["one", "two"]


def test_a_default_stage_that_is_not_there_serves_nothing(manual):
    manual.route("GET /word", manual.integration(function(manual.aws)))
    deploy(manual)
    before = manual.call("/word", stage="$default").status
    manual.client.create_stage(ApiId=manual.id, StageName="$default", AutoDeploy=True)
    assert [before, manual.call("/word", stage="$default").status] == [404, 200]


def test_stage_variables_stand_in_an_integrations_uri(aws):
    api = Http(aws, stage="")
    arn = function(aws, saying("blue"), "say-blue")
    function(aws, saying("green"), "say-green")
    api.route("GET /word", api.integration(arn.replace("say-blue", "say-${stageVariables.colour}")))
    for colour in ("blue", "green"):
        api.client.create_stage(ApiId=api.id, StageName=colour, AutoDeploy=True, StageVariables={"colour": colour})
    assert [api.call("/word", stage=stage).text for stage in ("blue", "green")] == ["blue", "green"]
