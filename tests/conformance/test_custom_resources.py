"""A custom resource's function answers CloudFormation, which goes on with what it says."""

import pytest
from stacks import create, function, outputs, put

pytestmark = [
    pytest.mark.behaviour("custom_resources"),
    pytest.mark.not_localstack("without a token it calls no function for a custom resource"),
]

# Answers as the event's properties say, and keeps to two seconds where MiniStack's address leads nowhere.
ANSWERING = """
import json
import urllib.request


def handle(event, context):
    wanted = event["ResourceProperties"]
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": wanted["Status"], "Reason": wanted.get("Reason", ""), "PhysicalResourceId": "mine"}
    answer["Data"] = {"Value": wanted["Value"] + "x" * int(wanted.get("More", 0))}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT")
    urllib.request.urlopen(request, timeout=2).close()
"""


@pytest.fixture
def asked(aws):
    """How a stack ends whose custom resource answers with these properties."""
    code = put(aws, "answering.zip", ANSWERING)

    def ask(**properties) -> tuple[str, str]:
        common = {"ServiceToken": {"Fn::GetAtt": ["F", "Arn"]}, "ServiceTimeout": "5", "Value": "forty-two"}
        resource = {"Type": "Custom::Answer", "Properties": common | properties}
        resources = {"F": function(aws, code, FunctionName="f"), "C": resource}
        shown = {"Value": {"Fn::GetAtt": ["C", "Value"]}, "Id": {"Ref": "C"}}
        return create(aws, resources, shown)

    return ask


def test_what_the_function_answers_is_an_attribute(aws, asked):
    assert asked(Status="SUCCESS") == ("CREATE_COMPLETE", "")
    assert outputs(aws) == {"Value": "forty-two", "Id": "mine"}


def test_a_failure_fails_the_stack_with_its_reason(asked):
    status, reason = asked(Status="FAILED", Reason="there is no more room")
    assert status == "ROLLBACK_COMPLETE"
    assert "there is no more room" in reason


def test_an_answer_of_more_than_4096_bytes_fails_the_resource(asked):
    status, reason = asked(Status="SUCCESS", More="4096")
    assert status == "ROLLBACK_COMPLETE"
    assert "too long" in reason
