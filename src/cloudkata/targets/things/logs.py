"""CloudWatch: log groups, most of which AWS makes by itself, and alarms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cloudkata.targets.things.thing import Listing, Thing, items

# Those of APIs bear the API's id: API-Gateway-Execution-Logs_ID/STAGE.
_OF_API = re.compile(r"^API-Gateway-Execution-Logs_([a-z0-9]+)/")


def _log_groups(client) -> Iterator[Thing]:
    for one in items(client, "describe_log_groups", "logGroups"):
        name = one["logGroupName"]
        api = _OF_API.match(name)
        yield Thing(
            name,
            lambda name=name: client.delete_log_group(logGroupName=name),
            arn=one.get("arn", "").removesuffix(":*"),
            of=(api[1],) if api else (),
        )


def _alarms(client) -> Iterator[Thing]:
    for one in items(client, "describe_alarms", "MetricAlarms"):
        name = one["AlarmName"]
        yield Thing(name, lambda name=name: client.delete_alarms(AlarmNames=[name]), arn=one.get("AlarmArn", ""))


_PLACE = "/cloudwatch/home?region={region}#"
LOG_GROUPS = Listing("log group", "logs", _log_groups, f"{_PLACE}logsV2:log-groups", everywhere=True)
ALARMS = Listing("alarm", "cloudwatch", _alarms, f"{_PLACE}alarmsV2:")
