"""Outputs that name a state machine or a queue are looked up before they count."""

from __future__ import annotations

import json

import pytest

from cloudkata.deployment.outputs import OutputError, verify
from cloudkata.targets.embedded import EmbeddedTarget

TRUST = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
KINDS = ("queue-url", "state-machine-arn")


@pytest.fixture(scope="module")
def session():
    with EmbeddedTarget() as running:
        yield running.session("17")


def made(session, prefix: str) -> dict[str, str]:
    """One of each kind whose name starts with `prefix`."""
    document = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    iam, states = session.client("iam", session.learner), session.client("stepfunctions", session.learner)
    role = iam.create_role(RoleName=f"{prefix}-role", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    definition = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    machine = states.create_state_machine(name=f"{prefix}-orders", roleArn=role, definition=definition)
    queue = session.client("sqs", session.learner).create_queue(QueueName=f"{prefix}-asks")["QueueUrl"]
    return {"state-machine-arn": machine["stateMachineArn"], "queue-url": queue}


@pytest.fixture(scope="module")
def own(session):
    return made(session, session.prefix)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_counts(session, own, kind):
    assert verify({"X": own[kind]}, {"X": kind}, session) == {"X": own[kind]}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there_is_named(session, own, kind):
    with pytest.raises(OutputError, match="the output X is"):
        verify({"X": own[kind] + "x"}, {"X": kind}, session)


@pytest.mark.parametrize("kind", KINDS)
def test_what_another_attempt_made_does_not_count(session, kind):
    other = made(session, f"kata17-000{KINDS.index(kind)}")[kind]
    with pytest.raises(OutputError, match=r"lab\.name"):
        verify({"X": other}, {"X": kind}, session)


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_the_wrong_shape_is_refused(session, own, kind):
    host = own["queue-url"].replace("127.0.0.1", "example.com")
    wrong = host if kind == "queue-url" else own[kind].replace(session.account, "123456789012")
    with pytest.raises(OutputError, match="the output X is"):
        verify({"X": wrong}, {"X": kind}, session)
