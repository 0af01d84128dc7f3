"""What starts others: CloudFormation's stacks, state machines, rules and schedules."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from botocore.exceptions import ClientError

from cloudkata.targets.things.thing import Listing, Thing, items


def _stacks(client) -> Iterator[Thing]:
    def delete(name: str) -> None:
        with contextlib.suppress(ClientError):  # where it is off already, or cannot be on
            client.update_termination_protection(StackName=name, EnableTerminationProtection=False)
        client.delete_stack(StackName=name)

    for one in items(client, "list_stacks", "StackSummaries"):
        name, status = one["StackName"], one["StackStatus"]
        if status != "DELETE_COMPLETE" and not one.get("ParentId"):  # a nested one goes with its parent
            key = one.get("StackId", "")
            yield Thing(name, lambda name=name: delete(name), (key,), key, going=status == "DELETE_IN_PROGRESS")


def _machines(client) -> Iterator[Thing]:
    def delete(arn: str, kind: str) -> None:
        if kind != "EXPRESS":
            running = {"stateMachineArn": arn, "statusFilter": "RUNNING"}
            for run in items(client, "list_executions", "executions", **running):
                client.stop_execution(executionArn=run["executionArn"])
        client.delete_state_machine(stateMachineArn=arn)

    for one in items(client, "list_state_machines", "stateMachines"):
        arn, kind = one["stateMachineArn"], one.get("type", "")
        yield Thing(one["name"], lambda arn=arn, kind=kind: delete(arn, kind), arn=arn)


def _activities(client) -> Iterator[Thing]:
    for one in items(client, "list_activities", "activities"):
        arn = one["activityArn"]
        yield Thing(one["name"], lambda arn=arn: client.delete_activity(activityArn=arn), arn=arn)


def _rules(client) -> Iterator[Thing]:
    def delete(name: str, bus: str) -> None:
        given = {"Rule": name, "EventBusName": bus}
        if targets := [one["Id"] for one in items(client, "list_targets_by_rule", "Targets", **given)]:
            client.remove_targets(**given, Ids=targets)
        client.delete_rule(Name=name, EventBusName=bus)

    for place in items(client, "list_event_buses", "EventBuses"):
        bus = place["Name"]
        for one in items(client, "list_rules", "Rules", EventBusName=bus):
            if not one.get("ManagedBy"):
                name = one["Name"]
                yield Thing(name, lambda name=name, bus=bus: delete(name, bus), arn=one.get("Arn", ""))


def _buses(client) -> Iterator[Thing]:
    for one in items(client, "list_event_buses", "EventBuses"):
        if (name := one["Name"]) != "default":
            yield Thing(name, lambda name=name: client.delete_event_bus(Name=name), arn=one.get("Arn", ""))


def _schedules(client) -> Iterator[Thing]:
    for one in items(client, "list_schedules", "Schedules"):
        name, group = one["Name"], one.get("GroupName", "default")
        yield Thing(
            name,
            lambda name=name, group=group: client.delete_schedule(Name=name, GroupName=group),
            arn=one.get("Arn", ""),
        )


STACKS = Listing(
    "stack",
    "cloudformation",
    _stacks,
    "/cloudformation/home?region={region}#/stacks?filteringText={name}",
    ("CreateStack",),
)
MACHINES = Listing("state machine", "stepfunctions", _machines, "/states/home?region={region}#/statemachines")
ACTIVITIES = Listing("activity", "stepfunctions", _activities, "/states/home?region={region}#/activities")
RULES = Listing("rule", "events", _rules, "/events/home?region={region}#/rules")
BUSES = Listing("event bus", "events", _buses, "/events/home?region={region}#/eventbuses", held_by="rule")
SCHEDULES = Listing("schedule", "scheduler", _schedules, "/scheduler/home?region={region}#schedules")
