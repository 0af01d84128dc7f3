"""State machines for conformance tests: made, run, and looked at."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass, field

from support import Account

_PATIENCE = 15.0
_numbers = itertools.count(1)


@dataclass
class Workflows:
    """State machines of one account."""

    account: Account
    _role: str = field(default="", repr=False)

    @property
    def client(self):
        return self.account.client("stepfunctions")

    def role(self) -> str:
        if not self._role:
            statement = {
                "Effect": "Allow",
                "Principal": {"Service": "states.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            made = self.account.client("iam").create_role(RoleName="workflows", AssumeRolePolicyDocument=document)
            self._role = made["Role"]["Arn"]
        return self._role

    def create(self, definition: dict, **settings) -> str:
        settings.setdefault("name", f"machine-{next(_numbers)}")
        made = self.client.create_state_machine(roleArn=self.role(), definition=json.dumps(definition), **settings)
        return made["stateMachineArn"]

    def start(self, machine: str, given: object = None, **settings) -> str:
        text = json.dumps({} if given is None else given)
        return self.client.start_execution(stateMachineArn=machine, input=text, **settings)["executionArn"]

    def finished(self, execution: str, patience: float = _PATIENCE) -> dict:
        """The description once it no longer runs; the last one after `patience` seconds."""
        until = time.monotonic() + patience
        while (found := self.client.describe_execution(executionArn=execution))["status"] == "RUNNING":
            if time.monotonic() > until:
                break
            time.sleep(0.02)
        return found

    def run(self, definition: dict, given: object = None) -> Finished:
        execution = self.start(self.create(definition), given)
        return self.look(self.finished(execution))

    def look(self, description: dict) -> Finished:
        pages = self.client.get_paginator("get_execution_history").paginate(executionArn=description["executionArn"])
        return Finished(description, [event for page in pages for event in page["events"]])

    def queue(self, name: str = "messages") -> str:
        return self.account.client("sqs").create_queue(QueueName=name)["QueueUrl"]

    def message(self, url: str, seconds: int = 5) -> dict | None:
        """The body of the next message, read as JSON."""
        found = self.account.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=seconds).get("Messages")
        return json.loads(found[0]["Body"]) if found else None


@dataclass
class Finished:
    """What DescribeExecution and GetExecutionHistory say."""

    description: dict
    events: list[dict]

    @property
    def status(self) -> str:
        return self.description["status"]

    @property
    def output(self) -> object:
        return json.loads(self.description.get("output") or "null")

    @property
    def error(self) -> str:
        return self.description.get("error", "")

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def previous(self) -> list:
        return [event.get("previousEventId") for event in self.events]

    def of(self, kind: str) -> list[dict]:
        """The details of every event of a type."""
        found = []
        for event in self.events:
            if event["type"] == kind:
                found.append(next((value for name, value in event.items() if name.endswith("EventDetails")), {}))
        return found


def machine(states: dict, **more) -> dict:
    """A definition that starts with the first state."""
    return {"StartAt": next(iter(states)), "States": states, **more}


def passing(**more) -> dict:
    return {"Type": "Pass", **({} if "Next" in more else {"End": True}), **more}


def waiting(seconds: int, **more) -> dict:
    return {"Type": "Wait", "Seconds": seconds, **({} if "Next" in more else {"End": True}), **more}


def sending(url: str, **more) -> dict:
    body = more.pop("body", {"from": "workflow"})
    given = {"QueueUrl": url, "MessageBody": body}
    ending = {} if "Next" in more else {"End": True}
    return {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": given, **ending, **more}


def asking(url: str, **more) -> dict:
    """A task that puts its token on a queue and waits for the answer."""
    return sending(url, body={"token.$": "$$.Task.Token"}) | {
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        **more,
    }


CATCH_ALL = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
