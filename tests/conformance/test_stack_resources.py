"""What a stack makes obeys the rules of the services: each type is made, or refused, as its own operation would."""

import json

import pytest
from edge import NO_CLOUDFRONT
from stacks import create, ended, function, put
from support import returning

pytestmark = pytest.mark.behaviour("stack_resources")

REFUSED = "ROLLBACK_COMPLETE"
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


@pytest.fixture
def code(aws):
    """Where a template finds the code of a function."""
    return put(aws, "code.zip", returning("one"))


# --- Step Functions ---


def machine(aws, definition, **properties) -> dict:
    common = {"StateMachineName": "m", "RoleArn": aws.role(), "DefinitionString": json.dumps(definition)}
    return {"M": {"Type": "AWS::StepFunctions::StateMachine", "Properties": common | properties}}


def logged(aws, level: str) -> dict:
    """An Express machine whose executions are logged."""
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/vendedlogs/states/m"}}
    place = {"CloudWatchLogsLogGroup": {"LogGroupArn": {"Fn::GetAtt": ["G", "Arn"]}}}
    logging = {"Level": level, "IncludeExecutionData": True, "Destinations": [place]}
    return {"G": group, **machine(aws, PASS, StateMachineType="EXPRESS", LoggingConfiguration=logging)}


def configured(aws) -> dict:
    arn = f"arn:aws:states:us-east-1:{aws.number}:stateMachine:m"
    return aws.client("stepfunctions").describe_state_machine(stateMachineArn=arn)["loggingConfiguration"]


@pytest.mark.localstack
def test_a_state_machine_logs_as_the_template_says(aws):
    assert create(aws, logged(aws, "ALL"))[0] == "CREATE_COMPLETE"
    found = configured(aws)
    assert (found.get("level"), found.get("includeExecutionData")) == ("ALL", True)
    group = found["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"]
    assert group == f"arn:aws:logs:us-east-1:{aws.number}:log-group:/aws/vendedlogs/states/m:*"


@pytest.mark.localstack
def test_an_update_changes_the_logging(aws):
    create(aws, logged(aws, "ALL"))
    template = json.dumps({"Resources": logged(aws, "ERROR")})
    aws.client("cloudformation").update_stack(StackName="s", TemplateBody=template)
    assert ended(aws)[0] == "UPDATE_COMPLETE"
    assert configured(aws).get("level") == "ERROR"


@pytest.mark.not_localstack("it takes a StartAt that names no state")
def test_an_invalid_definition_is_refused(aws):
    status, reason = create(aws, machine(aws, {"StartAt": "Nowhere", "States": PASS["States"]}))
    assert status == REFUSED
    assert "Nowhere" in reason


# --- Lambda ---


@pytest.mark.not_localstack("it takes any timeout")
def test_a_function_of_more_than_fifteen_minutes_is_refused(aws, code):
    status, reason = create(aws, {"F": function(aws, code, Timeout=901)})
    assert status == REFUSED
    assert "900" in reason


@pytest.mark.not_localstack("it stores layers only")
def test_a_sixth_layer_is_refused(aws, code):
    layers = {
        f"L{number}": {"Type": "AWS::Lambda::LayerVersion", "Properties": {"LayerName": f"l{number}", "Content": code}}
        for number in range(6)
    }
    with_layers = function(aws, code, Layers=[{"Ref": name} for name in layers])
    status, reason = create(aws, {**layers, "F": with_layers})
    assert status == REFUSED
    assert "5" in reason


@pytest.mark.not_localstack("it takes anything for a layer")
def test_a_layer_that_is_no_archive_is_refused(aws):
    text = put(aws, "layer.zip", b"no archive")
    layer = {"Type": "AWS::Lambda::LayerVersion", "Properties": {"LayerName": "l", "Content": text}}
    assert create(aws, {"L": layer})[0] == REFUSED


@pytest.mark.not_localstack("it takes weights on $LATEST")
def test_an_alias_of_latest_with_weights_is_refused(aws, code):
    version = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "F"}}}
    weights = [{"FunctionVersion": {"Fn::GetAtt": ["V", "Version"]}, "FunctionWeight": 0.1}]
    properties = {"FunctionName": {"Ref": "F"}, "Name": "live", "FunctionVersion": "$LATEST"}
    routing = {"RoutingConfig": {"AdditionalVersionWeights": weights}}
    alias = {"Type": "AWS::Lambda::Alias", "Properties": properties | routing}
    assert create(aws, {"F": function(aws, code), "V": version, "A": alias})[0] == REFUSED


@pytest.mark.not_localstack("it takes retries for a queue")
def test_a_mapping_with_settings_of_another_source_is_refused(aws, code):
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}}
    properties = {"FunctionName": {"Ref": "F"}, "EventSourceArn": {"Fn::GetAtt": ["Q", "Arn"]}}
    mapping = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": properties | {"MaximumRetryAttempts": 2}}
    aws.allow("sqs:*")
    assert create(aws, {"F": function(aws, code), "Q": queue, "M": mapping})[0] == REFUSED


# --- CloudFront ---


@pytest.mark.not_localstack(NO_CLOUDFRONT)
def test_a_store_is_filled_from_its_source(aws):
    pairs = {"data": [{"key": "colour", "value": "blue"}]}
    place = put(aws, "pairs.json", json.dumps(pairs).encode())
    source = {"SourceType": "S3", "SourceArn": f"arn:aws:s3:::{place['S3Bucket']}/pairs.json"}
    store = {"Type": "AWS::CloudFront::KeyValueStore", "Properties": {"Name": "k", "ImportSource": source}}
    assert create(aws, {"K": store})[0] == "CREATE_COMPLETE"
    arn = aws.client("cloudfront").describe_key_value_store(Name="k")["KeyValueStore"]["ARN"]
    assert [one["Value"] for one in _values(aws).list_keys(KvsARN=arn)["Items"]] == ["blue"]


def _values(aws):
    """A client that asks the endpoint itself, where on AWS the account stands before the host."""
    made = aws.client("cloudfront-keyvaluestore", signature_version="v4")

    def direct(request, **_):
        request.url = request.url.replace(f"//{aws.number}.", "//")

    made.meta.events.register_first("request-created.cloudfront-keyvaluestore", direct)
    return made


@pytest.mark.not_localstack(NO_CLOUDFRONT)
def test_a_distribution_refuses_a_function_without_a_version(aws, code):
    behavior = {
        "TargetOriginId": "o",
        "ViewerProtocolPolicy": "allow-all",
        "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
        "LambdaFunctionAssociations": [
            {"EventType": "origin-request", "LambdaFunctionARN": {"Fn::GetAtt": ["F", "Arn"]}}
        ],
    }
    origin = {"Id": "o", "DomainName": "example.com", "CustomOriginConfig": {"OriginProtocolPolicy": "http-only"}}
    config = {"Enabled": True, "Origins": [origin], "DefaultCacheBehavior": behavior}
    distribution = {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": config}}
    status, reason = create(aws, {"F": function(aws, code), "D": distribution})
    assert status == REFUSED
    assert "version" in reason
