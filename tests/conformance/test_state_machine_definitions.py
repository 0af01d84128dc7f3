"""Definitions: what is wrong with one is said when it is created, updated or validated."""

from __future__ import annotations

import json

import pytest
from support import message, refusal
from workflows import CATCH_ALL, Workflows, machine, passing, waiting

behaviour = pytest.mark.behaviour("state_machine_definitions")
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:f"


def task(**more) -> dict:
    return {"Type": "Task", "Resource": LAMBDA, **({} if "Next" in more else {"End": True}), **more}


def rule(**more) -> dict:
    return {"Type": "Choice", "Choices": [{"Next": "P", **more}], "Default": "P"}


@pytest.fixture
def workflows(aws):
    return Workflows(aws)


def refused(workflows: Workflows, definition, **settings):
    text = definition if isinstance(definition, str) else json.dumps(definition)
    return lambda: workflows.client.create_state_machine(
        name="refused", roleArn=workflows.role(), definition=text, **settings
    )


RETRY_ALL_FIRST = [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["X"]}]
BROKEN = {
    "no-json": ("{", "/"),
    "no-states": ({"StartAt": "A"}, "/States"),
    "start-is-missing": ({"StartAt": "B", "States": {"A": passing()}}, "/StartAt"),
    "unknown-type": (machine({"A": {"Type": "Jump", "End": True}}), "/States/A/Type"),
    "unknown-field": (machine({"A": passing(Colour="red")}), "/States/A/Colour"),
    "next-and-end": (machine({"A": {"Type": "Pass", "Next": "B", "End": True}, "B": passing()}), "/States/A"),
    "no-next-no-end": (machine({"A": {"Type": "Pass"}}), "/States/A"),
    "next-is-missing": (machine({"A": passing(Next="B")}), "/States/A/Next"),
    "not-reachable": (machine({"A": passing(), "B": passing()}), "/States/B"),
    "no-resource": (machine({"A": {"Type": "Task", "End": True}}), "/States/A"),
    "bad-resource": (machine({"A": task(Resource="f")}), "/States/A/Resource"),
    "all-not-last": (machine({"A": task(Retry=RETRY_ALL_FIRST)}), "/States/A/Retry[0]/ErrorEquals"),
    "all-not-alone": (
        machine({"A": task(Retry=[{"ErrorEquals": ["States.ALL", "X"]}])}),
        "/States/A/Retry[0]/ErrorEquals",
    ),
    "catch-all-not-last": (
        machine(
            {"A": task(Catch=[*CATCH_ALL, {"ErrorEquals": ["X"], "Next": "Caught"}]), "Caught": passing()},
        ),
        "/States/A/Catch[0]/ErrorEquals",
    ),
    "catch-next-is-missing": (machine({"A": task(Catch=CATCH_ALL)}), "/States/A/Catch[0]/Next"),
    "rate-below-one": (machine({"A": task(Retry=[{"ErrorEquals": ["X"], "BackoffRate": 0.5}])}), "BackoffRate"),
    "interval-of-nought": (
        machine({"A": task(Retry=[{"ErrorEquals": ["X"], "IntervalSeconds": 0}])}),
        "IntervalSeconds",
    ),
    "heartbeat-too-long": (machine({"A": task(TimeoutSeconds=5, HeartbeatSeconds=5)}), "/States/A/HeartbeatSeconds"),
    "timeout-of-nought": (machine({"A": passing()}, TimeoutSeconds=0), "/TimeoutSeconds"),
    "bad-path": (machine({"A": passing(InputPath="order.id")}), "/States/A/InputPath"),
    "bad-template": (machine({"A": passing(Parameters={"id.$": "order.id"})}), "/States/A/Parameters/id.$"),
    "no-choices": (machine({"A": {"Type": "Choice", "Choices": []}}), "/States/A/Choices"),
    "no-comparison": (machine({"A": rule(Variable="$.x"), "P": passing()}), "/States/A/Choices[0]"),
    "default-is-missing": (machine({"A": rule(Variable="$.x", IsPresent=True)}), "/States/A/Default"),
    "wait-for-nothing": (machine({"A": {"Type": "Wait", "End": True}}), "/States/A"),
    "wait-for-two": (machine({"A": waiting(1, Timestamp="2030-01-01T00:00:00Z")}), "/States/A"),
    "no-branches": (machine({"A": {"Type": "Parallel", "Branches": [], "End": True}}), "/States/A/Branches"),
    "in-a-branch": (
        machine({"A": {"Type": "Parallel", "Branches": [machine({"B": passing(Next="A")})], "End": True}}),
        "/States/A/Branches[0]/States/B/Next",
    ),
    "no-processor": (machine({"A": {"Type": "Map", "End": True}}), "/States/A"),
    "in-a-map": (
        machine({"A": {"Type": "Map", "ItemProcessor": machine({"B": {"Type": "Pass"}}), "End": True}}),
        "/States/A/ItemProcessor/States/B",
    ),
    "jsonata-in-jsonpath": (machine({"A": passing(Output="{% 1 %}")}), "/States/A/Output"),
    "jsonpath-in-jsonata": (machine({"A": passing(InputPath="$.x")}, QueryLanguage="JSONata"), "/States/A/InputPath"),
}


@behaviour
@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.not_localstack("its parser takes most of these; where it refuses it names no place")
def test_a_broken_definition_is_refused_with_its_place(workflows, name):
    definition, place = BROKEN[name]
    call = refused(workflows, definition)
    assert refusal(call) == ("InvalidDefinition", 400)
    assert place in message(call)


@behaviour
@pytest.mark.localstack
def test_a_definition_that_is_no_json_is_refused(workflows):
    assert refusal(refused(workflows, "{"))[0] == "InvalidDefinition"


@behaviour
@pytest.mark.not_localstack("it takes it")
def test_states_all_must_stand_in_the_last_retrier(workflows):
    assert refusal(refused(workflows, machine({"A": task(Retry=RETRY_ALL_FIRST)})))[0] == "InvalidDefinition"


@behaviour
@pytest.mark.localstack
@pytest.mark.parametrize("resource", ["states:::sqs:sendMessage.waitForTaskToken", "states:::ecs:runTask.sync"])
def test_an_express_workflow_cannot_wait(workflows, resource):
    definition = machine({"A": task(Resource=f"arn:aws:{resource}", Parameters={})})
    assert refusal(refused(workflows, definition, type="EXPRESS"))[0] == "InvalidDefinition"


@behaviour
@pytest.mark.not_localstack("see above")
def test_an_update_is_judged_like_a_creation_and_changes_nothing(workflows):
    arn = workflows.create(machine({"A": passing()}))
    broken = json.dumps(machine({"A": passing(Next="B")}))
    code, _ = refusal(lambda: workflows.client.update_state_machine(stateMachineArn=arn, definition=broken))
    assert code == "InvalidDefinition"
    kept = workflows.client.describe_state_machine(stateMachineArn=arn)["definition"]
    assert json.loads(kept) == machine({"A": passing()})


@behaviour
@pytest.mark.not_localstack("its diagnostics have no location")
def test_validation_answers_with_diagnostics(workflows):
    answer = workflows.client.validate_state_machine_definition(
        definition=json.dumps(machine({"A": passing(Next="B")}))
    )
    assert answer["result"] == "FAIL"
    assert {"/States/A/Next"} <= {found["location"] for found in answer["diagnostics"]}
    assert {found["severity"] for found in answer["diagnostics"]} == {"ERROR"}


EVERYTHING = machine(
    {
        "Start": passing(
            Parameters={"a.$": "$$.Execution.Id", "b.$": "States.Format('{}', $.x)", "c.$": "$.l[?(@.n > 1)].n"},
            ResultPath="$.made",
            Assign={"kept.$": "$.made"},
            Next="Choose",
        ),
        "Choose": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [{"Variable": "$.x", "IsPresent": True}, {"Variable": "$.x", "NumericGreaterThan": 1}],
                    "Next": "Do",
                },
                {"Not": {"Variable": "$.y", "StringMatches": "a*"}, "Next": "Do"},
                {"Variable": "$kept", "IsNull": False, "Next": "Do"},
            ],
            "Default": "Lost",
        },
        "Lost": {"Type": "Fail", "ErrorPath": "$.error", "Cause": "none"},
        "Do": task(
            TimeoutSecondsPath="$.limit",
            HeartbeatSeconds=3,
            Retry=[{"ErrorEquals": ["X"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL"}],
            Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Lost"}],
            Next="Together",
        ),
        "Together": {"Type": "Parallel", "Branches": [machine({"B1": waiting(0)})], "ResultPath": None, "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.l",
            "MaxConcurrency": 2,
            "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **machine({"M1": {"Type": "Succeed"}})},
            "Next": "Done",
        },
        "Done": {"Type": "Succeed", "OutputPath": "$.made"},
    },
    Comment="all there is",
    TimeoutSeconds=300,
)
JSONATA = machine(
    {
        "A": passing(Output={"n": "{% $states.input.n + 1 %}"}, Next="B"),
        "B": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.n > 1 %}", "Next": "C"}], "Default": "C"},
        "C": {"Type": "Wait", "Seconds": "{% 1 %}", "End": True},
    },
    QueryLanguage="JSONata",
)


@behaviour
@pytest.mark.ministack
@pytest.mark.localstack
@pytest.mark.parametrize("definition", [EVERYTHING, JSONATA], ids=["jsonpath", "jsonata"])
def test_what_is_right_is_accepted(workflows, definition):
    answer = workflows.client.validate_state_machine_definition(definition=json.dumps(definition))
    assert answer["result"] == "OK"
    assert not [found for found in answer["diagnostics"] if found["severity"] == "ERROR"]
    assert workflows.create(definition)
