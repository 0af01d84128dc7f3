"""What a target does with state machines; see probes."""

from __future__ import annotations

import json
import time

from cloudkata.targets.probes import Bench, probe

_SECONDS = 15.0
_CATCH_ALL = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]


class _Machines:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.client = bench.client("stepfunctions")

    def create(self, states: dict, **settings) -> str:
        definition = {"StartAt": next(iter(states)), "States": states}
        name = f"{self._bench.session.prefix}-probe-{time.monotonic_ns()}"
        made = self.client.create_state_machine(
            name=name, roleArn=self._role(), definition=json.dumps(definition), **settings
        )
        return made["stateMachineArn"]

    def _role(self) -> str:
        return self._bench.role("states")

    def run(self, states: dict, given: object = None) -> tuple[dict, list[dict]]:
        """The description and the history of an execution that has ended."""
        started = self.client.start_execution(stateMachineArn=self.create(states), input=json.dumps(given or {}))
        execution = started["executionArn"]
        until = time.monotonic() + _SECONDS
        while (found := self.client.describe_execution(executionArn=execution))["status"] == "RUNNING":
            if time.monotonic() > until:
                break
            time.sleep(0.02)
        return found, self.client.get_execution_history(executionArn=execution)["events"]


_PASS = {"Type": "Pass", "End": True}


@probe("states.history", "a history has the events inside a Map, each with the one before")
def _history(bench: Bench):
    each = {"Type": "Map", "ItemProcessor": {"StartAt": "P", "States": {"P": _PASS}}, "End": True}
    _, events = _Machines(bench).run({"M": each}, [1, 2])
    starts = [event for event in events if event["type"] == "MapIterationStarted"]
    shown = len(starts) == 2 and all(event.get("previousEventId") == 3 for event in starts)
    return shown, f"{len(starts)} iterations in {len(events)} events"


@probe("states.heartbeat", "a task that sends no heartbeat times out")
def _heartbeat(bench: Bench):
    url = bench.client("sqs").create_queue(QueueName=f"{bench.session.prefix}-probe-beats")["QueueUrl"]
    asking = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": url, "MessageBody": {"token.$": "$$.Task.Token"}},
        "HeartbeatSeconds": 1,
        "TimeoutSeconds": 8,
        "End": True,
    }
    found, events = _Machines(bench).run({"A": asking})
    moments = [event["timestamp"] for event in events if event["type"] in ("TaskSubmitted", "TaskTimedOut")]
    seconds = (moments[-1] - moments[0]).total_seconds()
    return 0 < seconds < 7, f"{found.get('error', found['status'])} after {seconds:.1f} s"


@probe("states.express", "an Express workflow answers its caller and keeps no history, a Standard one does neither")
def _express(bench: Bench):
    machines = _Machines(bench)
    express, standard = machines.create({"P": _PASS}, type="EXPRESS"), machines.create({"P": _PASS})
    answer = machines.client.start_sync_execution(stateMachineArn=express, input='{"n": 1}')
    history = bench.refusal(lambda: machines.client.get_execution_history(executionArn=answer["executionArn"]))
    sync = bench.refusal(lambda: machines.client.start_sync_execution(stateMachineArn=standard))
    shown = json.loads(answer.get("output", "null")) == {"n": 1} and "accepted" not in (history, sync)
    return shown, f"history {history}, Standard in one call {sync}"


@probe("states.time-out", "a state machine's own time-out ends it, and nothing inside catches that")
def _time_out(bench: Bench):
    machines = _Machines(bench)
    waiting = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 4, "End": True}}}
    states = {"P": {"Type": "Parallel", "Branches": [waiting], "Catch": _CATCH_ALL, "End": True}, "Caught": _PASS}
    definition = {"StartAt": "P", "TimeoutSeconds": 1, "States": states}
    arn = machines.create({"P": _PASS})
    machines.client.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
    execution = machines.client.start_execution(stateMachineArn=arn)["executionArn"]
    bench.until(lambda: machines.client.describe_execution(executionArn=execution)["status"] != "RUNNING")
    status = machines.client.describe_execution(executionArn=execution)["status"]
    return status == "TIMED_OUT", status


@probe("states.missing-path", "a path that finds nothing fails the execution, whatever it catches")
def _missing_path(bench: Bench):
    table = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:getItem", "End": True, "Catch": _CATCH_ALL}
    states = {"A": {**table, "Parameters": {"TableName.$": "$.nothing", "Key": {}}}, "Caught": _PASS}
    found, _ = _Machines(bench).run(states)
    return found.get("error") == "States.Runtime", found.get("error", found["status"])


@probe("states.definition", "a definition whose States.ALL is not last is refused")
def _definition(bench: Bench):
    machines = _Machines(bench)
    table = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:getItem", "Parameters": {}, "End": True}
    retry = [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["X"]}]
    code = bench.refusal(lambda: machines.create({"A": {**table, "Retry": retry}}))
    return code == "InvalidDefinition", code
