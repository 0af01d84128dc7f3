"""The operations on executions that have to know what kind of workflow they are about.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html: Express executions have
none of these.
"""

from __future__ import annotations

from cloudkata.engine.workflows import executions
from cloudkata.engine.workflows.callbacks import Refused

_SHOWN = (
    *("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate", "input", "inputDetails", "output"),
    *("outputDetails", "mapRunArn", "error", "cause", "stateMachineVersionArn", "stateMachineAliasArn"),
)
_LISTED = (
    *("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate"),
    *("stateMachineVersionArn", "stateMachineAliasArn"),
)
_MOST_LISTED = 1000
_QUALIFIED_COLONS = 7  # in arn:aws:states:REGION:ACCOUNT:stateMachine:NAME:QUALIFIER


def _record(arn: str) -> dict:
    """A Standard execution. Raises Refused."""
    from ministack.services import stepfunctions

    refuse_express({"executionArn": arn})
    found = stepfunctions._executions.get(arn)
    if found is None:
        raise Refused("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
    return found


def refuse_express(data: dict) -> None:
    """Raises Refused for the ARN of an Express execution, unless a Map Run has started it."""
    from ministack.services import stepfunctions

    arn = data.get("executionArn") or ""
    if ":express:" in arn and arn not in stepfunctions._executions:
        raise Refused("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: express'")


def refuse_express_machine(data: dict) -> None:
    """Raises Refused for an Express machine: its executions cannot be listed."""
    from ministack.services import stepfunctions

    arn = data.get("stateMachineArn") or ""
    base = stepfunctions._state_machines.get(":".join(arn.split(":")[:7]))
    if base is not None and base["type"] == "EXPRESS":
        raise Refused("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")


def list_qualified(data: dict) -> dict:
    """ListExecutions for a version or an alias, the newest first. Raises Refused."""
    from ministack.services import stepfunctions

    refuse_express_machine(data)
    arn, status = data["stateMachineArn"], data.get("statusFilter")
    if arn not in stepfunctions._state_machine_versions and arn not in stepfunctions._state_machine_aliases:
        raise Refused("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    found = [
        {name: record[name] for name in _LISTED if record.get(name) is not None}
        for record in stepfunctions._executions.values()
        if arn in (record.get("stateMachineVersionArn"), record.get("stateMachineAliasArn"))
        and status in (None, record["status"])
    ]
    found.sort(key=lambda record: record["startDate"], reverse=True)
    return {"executions": found[: data.get("maxResults") or _MOST_LISTED]}


def is_qualified(data: dict) -> bool:
    """Whether a request names a version or an alias."""
    return (data.get("stateMachineArn") or "").count(":") == _QUALIFIED_COLONS


JUDGED = {"GetExecutionHistory": refuse_express, "ListExecutions": refuse_express_machine}


def describe(data: dict) -> dict:
    record = _record(data.get("executionArn") or "")
    shown = {name: record[name] for name in _SHOWN if record.get(name) is not None}
    shown["inputDetails"] = {"included": True}
    if "output" in shown:
        shown["outputDetails"] = {"included": True}
    return {**shown, "redriveCount": 0, "redriveStatus": "NOT_REDRIVABLE"}


def stop(data: dict) -> dict:
    record = _record(data.get("executionArn") or "")
    executions.abort(record["executionArn"], data.get("error"), data.get("cause"))
    return {"stopDate": record["stopDate"]}


def describe_machine(data: dict) -> dict:
    """The machine as it was when the execution started."""
    record = _record(data.get("executionArn") or "")
    machine = executions.Host.runs[record["executionArn"]].line.machine
    found = {
        "stateMachineArn": machine.version or machine.arn,
        "name": machine.name,
        "definition": machine.source,
        "roleArn": machine.role,
        "updateDate": record["startDate"],
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }
    return found | ({"mapRunArn": record["mapRunArn"]} if "mapRunArn" in record else {})
