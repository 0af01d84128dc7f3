"""Writes an execution's events to CloudWatch Logs, as the machine's logging configuration says.

https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html and cloudwatch-log-level.html: level ALL, ERROR,
FATAL or OFF; input and output are left out unless includeExecutionData says otherwise.
"""

from __future__ import annotations

import datetime
import uuid

from cloudkata.engine.workflows.control import Machine
from cloudkata.engine.workflows.history import text

_DATA = ("input", "inputDetails", "output", "outputDetails", "parameters")
_FATAL = ("ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut")


class Log:
    """Collects the events of one execution and writes them at its end."""

    def __init__(self, machine: Machine, execution: str) -> None:
        self._execution = execution
        self._machine = machine.name
        logging = _as_api(machine.logging)
        self._level = logging.get("level", "OFF")
        self._data = bool(logging.get("includeExecutionData"))
        self._groups = [
            target.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "")
            for target in logging.get("destinations") or ()
        ]
        self._lines: list[dict] = []

    def add(self, event: dict) -> None:
        """Take an event, if the level asks for it."""
        kind = event["type"]
        wanted = {
            "ALL": True,
            "ERROR": kind.endswith(("Failed", "TimedOut", "Aborted")) or kind == "FailStateEntered",
            "FATAL": kind in _FATAL,
        }
        if not wanted.get(self._level):
            return
        details = next((value for name, value in event.items() if name.endswith("EventDetails")), {})
        if not self._data:
            details = {name: value for name, value in details.items() if name not in _DATA}
        moment = round(datetime.datetime.fromisoformat(event["timestamp"].replace("Z", "+00:00")).timestamp() * 1000)
        line = {
            "id": str(event["id"]),
            "type": kind,
            "details": details,
            "previous_event_id": str(event["previousEventId"]),
            "event_timestamp": str(moment),
            "execution_arn": self._execution,
            "redrive_count": "0",
        }
        self._lines.append({"timestamp": moment, "message": text(line)})

    def write(self) -> None:
        from ministack.services import cloudwatch_logs

        if not self._lines:
            return
        stream = f"states/{self._machine}/{uuid.uuid4()}"
        for arn in self._groups:
            name = {"logGroupName": arn.split(":log-group:")[-1].removesuffix(":*"), "logStreamName": stream}
            cloudwatch_logs._create_log_stream(name)
            cloudwatch_logs._put_log_events({**name, "logEvents": self._lines})


def _as_api(value):
    """A configuration with the names of the API, where CloudFormation's were stored."""
    if isinstance(value, list):
        return [_as_api(part) for part in value]
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _as_api(part) for name, part in value.items()}
    return value
