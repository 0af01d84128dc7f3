"""Which edge functions a distribution takes, each refusal beside what is accepted."""

import pytest
from edge import NO_CLOUDFRONT, functions, lambdas, site
from support import refusal

pytestmark = [pytest.mark.behaviour("edge_associations"), pytest.mark.not_localstack(NO_CLOUDFRONT)]

PASS = "function handler(e) { return e.request || e.response; }"
BODY = "return cf.get('response') or cf['request']"
FUNCTION, LAMBDA = ("InvalidFunctionAssociation", 400), ("InvalidLambdaFunctionAssociation", 400)


@pytest.fixture
def made(aws):
    return site(aws)


def outcome(made, **behavior):
    return refusal(lambda: made.update(**behavior) or {"ResponseMetadata": {"HTTPStatusCode": 200}})


ACCEPTED = ("", 200)


@pytest.mark.ministack
@pytest.mark.parametrize("event", ["viewer_request", "viewer_response"])
def test_a_published_function_is_accepted_at_viewer_events(made, event):
    assert outcome(made, **functions(**{event: made.function(PASS)})) == ACCEPTED


def test_an_unpublished_function_is_refused(made):
    assert outcome(made, **functions(viewer_request=made.function(PASS, publish=False))) == FUNCTION


@pytest.mark.parametrize("event", ["origin_request", "origin_response"])
def test_a_cloudfront_function_is_refused_at_origin_events(made, event):
    assert outcome(made, **functions(**{event: made.function(PASS)})) == FUNCTION


def test_a_function_of_another_account_is_refused(made):
    arn = made.function(PASS).replace(made.account.number, "111122223333")
    assert outcome(made, **functions(viewer_request=arn)) == FUNCTION


def test_a_new_distribution_is_judged_as_well(made):
    config = made.configuration(**functions(viewer_request=made.function(PASS, publish=False)))
    assert refusal(lambda: made.cloudfront.create_distribution(DistributionConfig=config)) == FUNCTION


@pytest.mark.ministack
def test_a_numbered_version_is_accepted_at_all_four_events(made):
    arn = made.lambda_(BODY)
    events = ("viewer_request", "viewer_response", "origin_request", "origin_response")
    assert outcome(made, **lambdas(**dict.fromkeys(events, arn))) == ACCEPTED


@pytest.mark.parametrize("qualifier", ["", ":$LATEST", ":live", ":7"])
def test_what_is_no_numbered_version_is_refused(made, qualifier):
    arn, _, version = made.lambda_(BODY).rpartition(":")
    name = arn.rpartition(":")[2]
    made.account.lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    assert outcome(made, **lambdas(viewer_request=arn + qualifier)) == LAMBDA


def test_a_function_in_another_region_is_refused(made):
    assert outcome(made, **lambdas(viewer_request=made.lambda_(BODY).replace("us-east-1", "eu-west-1"))) == LAMBDA


@pytest.mark.parametrize(
    "settings",
    [
        {"Environment": {"Variables": {"STAGE": "live"}}},
        {"TracingConfig": {"Mode": "Active"}},
        {"EphemeralStorage": {"Size": 1024}},
        {"Timeout": 31},
        {"Architectures": ["arm64"]},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_a_feature_that_the_edge_has_not_is_refused(made, settings):
    assert outcome(made, **lambdas(viewer_request=made.lambda_(BODY, **settings))) == LAMBDA


@pytest.mark.ministack
@pytest.mark.parametrize(
    "settings", [{"Environment": {"Variables": {}}}, {"EphemeralStorage": {"Size": 512}}, {"Timeout": 30}]
)
def test_the_same_within_the_rules_is_accepted(made, settings):
    assert outcome(made, **lambdas(viewer_request=made.lambda_(BODY, **settings))) == ACCEPTED


def test_a_layer_is_refused(made):
    from support import archive

    content = {"ZipFile": archive({"python/a.py": ""})}
    layer = made.account.lambda_.publish_layer_version(LayerName="l", Content=content)["LayerVersionArn"]
    assert outcome(made, **lambdas(viewer_request=made.lambda_(BODY, Layers=[layer]))) == LAMBDA


def test_a_role_that_the_edge_may_not_assume_is_refused(made):
    assert outcome(made, **lambdas(viewer_request=made.lambda_(BODY, Role=made.account.role()))) == LAMBDA


def test_both_kinds_on_viewer_events_are_refused(made):
    both = functions(viewer_request=made.function(PASS)) | lambdas(viewer_response=made.lambda_(BODY))
    assert outcome(made, **both) == LAMBDA


@pytest.mark.ministack
def test_both_kinds_are_accepted_where_lambda_has_the_origin_events(made):
    both = functions(viewer_request=made.function(PASS)) | lambdas(origin_response=made.lambda_(BODY))
    assert outcome(made, **both) == ACCEPTED


def test_two_functions_at_one_event_are_refused(made):
    both = functions(viewer_request=made.function(PASS))
    items = both["FunctionAssociations"]
    items["Items"].append({**items["Items"][0], "FunctionARN": made.function(PASS)})
    assert outcome(made, FunctionAssociations={**items, "Quantity": 2}) == FUNCTION
