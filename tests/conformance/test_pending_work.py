"""The engine knows when nothing is left to do."""

import json

import pytest

pytestmark = [
    pytest.mark.behaviour("pending_work"),
    pytest.mark.not_localstack("LocalStack cannot be asked"),
]


def test_at_rest_only_when_no_workflow_runs(clocked):
    states, iam = clocked.client("stepfunctions"), clocked.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="w", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    definition = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 2, "End": True}}}
    machine = states.create_state_machine(name="m", roleArn=role, definition=json.dumps(definition))["stateMachineArn"]
    run = states.start_execution(stateMachineArn=machine)["executionArn"]
    assert clocked.engine.settle(0.5) == ["1 running execution(s)"]
    assert clocked.engine.settle(10) == []
    assert states.describe_execution(executionArn=run)["status"] == "SUCCEEDED"
