"""Histories: which events an execution leaves, in which order, and which comes before which."""

from __future__ import annotations

import json

import pytest
from support import returning
from workflows import CATCH_ALL, Workflows, asking, machine, passing, waiting

pytestmark = pytest.mark.behaviour("state_machine_executions")
SAME_AS_AWS = pytest.mark.localstack


@pytest.fixture
def workflows(aws):
    return Workflows(aws)


def function(workflows: Workflows, source: str = returning({"ok": True})) -> str:
    workflows.account.function(source)
    return workflows.account.lambda_.get_function_configuration(FunctionName="f")["FunctionArn"]


@SAME_AS_AWS
def test_events_name_the_one_before(workflows):
    found = workflows.run(machine({"A": passing(Next="B"), "B": {"Type": "Succeed"}}), {"n": 1})
    assert list(zip(found.types(), found.previous(), strict=True)) == [
        ("ExecutionStarted", 0),
        ("PassStateEntered", 0),
        ("PassStateExited", 2),
        ("SucceedStateEntered", 3),
        ("SucceedStateExited", 4),
        ("ExecutionSucceeded", 5),
    ]
    assert [event["id"] for event in found.events] == [1, 2, 3, 4, 5, 6]


@SAME_AS_AWS
def test_a_function_by_its_arn_leaves_function_events(workflows):
    arn = function(workflows)
    found = workflows.run(
        machine({"A": {"Type": "Task", "Resource": arn, "TimeoutSeconds": 30, "End": True}}), {"n": 1}
    )
    assert found.types()[2:5] == ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"]
    scheduled = found.of("LambdaFunctionScheduled")[0]
    assert (scheduled["resource"], json.loads(scheduled["input"]), scheduled["timeoutInSeconds"]) == (arn, {"n": 1}, 30)
    assert json.loads(found.of("LambdaFunctionSucceeded")[0]["output"]) == {"ok": True}


@SAME_AS_AWS
def test_a_service_integration_leaves_task_events(workflows):
    function(workflows)
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "f", "Payload": {"n": 1}},
        "End": True,
    }
    found = workflows.run(machine({"A": state}))
    assert found.types()[2:5] == ["TaskScheduled", "TaskStarted", "TaskSucceeded"]
    scheduled = found.of("TaskScheduled")[0]
    assert (scheduled["resourceType"], scheduled["resource"]) == ("lambda", "invoke")
    assert json.loads(scheduled["parameters"]) == {"FunctionName": "f", "Payload": {"n": 1}}
    assert found.output["Payload"] == {"ok": True}
    assert found.output["StatusCode"] == 200
    assert found.output["ExecutedVersion"] == "$LATEST"


@SAME_AS_AWS
def test_each_attempt_is_scheduled_anew(workflows):
    arn = function(workflows, "def handle(event, context):\n    raise ValueError('no')\n")
    retry = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 2}]
    found = workflows.run(machine({"A": {"Type": "Task", "Resource": arn, "Retry": retry, "End": True}}))
    assert found.types().count("LambdaFunctionScheduled") == 3
    assert found.types().count("LambdaFunctionFailed") == 3
    failed = [event["timestamp"] for event in found.events if event["type"] == "LambdaFunctionFailed"]
    scheduled = [event["timestamp"] for event in found.events if event["type"] == "LambdaFunctionScheduled"]
    gaps = [(after - before).total_seconds() for before, after in zip(failed, scheduled[1:], strict=False)]
    assert [gap >= wanted for gap, wanted in zip(gaps, (1, 2), strict=True)] == [True, True]
    assert found.error == "ValueError"
    assert json.loads(found.description["cause"])["errorMessage"] == "no"


@SAME_AS_AWS
def test_branches_start_from_their_state(workflows):
    branches = [machine({"L": passing(Result="left")}), machine({"R": passing(Result="right")})]
    found = workflows.run(machine({"P": {"Type": "Parallel", "Branches": branches, "End": True}}))
    assert found.output == ["left", "right"]
    assert found.types()[1:3] == ["ParallelStateEntered", "ParallelStateStarted"]
    entered = [event["previousEventId"] for event in found.events if event["type"] == "PassStateEntered"]
    assert entered == [3, 3]
    assert found.types()[-3:] == ["ParallelStateSucceeded", "ParallelStateExited", "ExecutionSucceeded"]


@SAME_AS_AWS
def test_a_map_says_when_each_iteration_runs(workflows):
    state = {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": machine({"W": waiting(1)}), "End": True}
    found = workflows.run(machine({"M": state}), [5, 6])
    assert found.output == [5, 6]
    assert found.of("MapStateStarted") == [{"length": 2}]
    steps = [kind for kind in found.types() if kind.startswith("Map")]
    assert steps == [
        "MapStateEntered",
        "MapStateStarted",
        *("MapIterationStarted", "MapIterationSucceeded") * 2,
        "MapStateSucceeded",
        "MapStateExited",
    ]
    assert [found["index"] for found in found.of("MapIterationStarted")] == [0, 1]


@SAME_AS_AWS
def test_a_failed_iteration_says_so(workflows):
    fail = {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"}
    state = {"Type": "Map", "ItemProcessor": machine({"F": fail}), "Catch": CATCH_ALL, "End": True}
    found = workflows.run(machine({"M": state, "Caught": passing()}), [1])
    assert [kind for kind in found.types() if kind.endswith("Failed")] == ["MapIterationFailed", "MapStateFailed"]
    assert found.output == {"Error": "Broken", "Cause": "on purpose"}


@SAME_AS_AWS
def test_a_callback_is_submitted_first(workflows):
    url = workflows.queue()
    execution = workflows.start(workflows.create(machine({"Ask": asking(url, TimeoutSeconds=60)})))
    token = workflows.message(url)["token"]
    workflows.client.send_task_success(taskToken=token, output='{"approved": true}')
    found = workflows.look(workflows.finished(execution))
    assert found.types()[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    scheduled = found.of("TaskScheduled")[0]
    assert (scheduled["resource"], scheduled["timeoutInSeconds"]) == ("sendMessage.waitForTaskToken", 60)
    assert found.output == {"approved": True}


@pytest.mark.not_localstack("it writes no events of what was stopped")
def test_what_a_failed_branch_stops_is_aborted(workflows):
    branches = [machine({"W": waiting(2)}), machine({"F": {"Type": "Fail", "Error": "Broken"}})]
    found = workflows.run(machine({"P": {"Type": "Parallel", "Branches": branches, "End": True}}))
    assert "WaitStateAborted" in found.types()
    assert "WaitStateExited" not in found.types()
    assert found.types()[-2:] == ["ParallelStateFailed", "ExecutionFailed"]


@pytest.mark.not_localstack("it names no version")
def test_the_first_event_says_what_runs_and_as_whom(workflows):
    definition = machine({"A": passing()})
    arn = workflows.create(definition, publish=True)
    found = workflows.look(workflows.finished(workflows.start(arn + ":1", {"n": 1})))
    details = found.of("ExecutionStarted")[0]
    assert details.get("stateMachineVersionArn") == arn + ":1"
    assert details["roleArn"] == workflows.role()
    assert json.loads(details["input"]) == {"n": 1}
