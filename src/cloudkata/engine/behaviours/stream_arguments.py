"""Stream event source mappings are created and changed with the arguments that are documented, and no others.

AWS documents (https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html,
https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html): StartingPosition is required for both
kinds; AT_TIMESTAMP is for Kinesis, needs a time, and that is not in the future; BatchSize is 1 to 10,000 and 100 by
default; MaximumBatchingWindowInSeconds 0 to 300; ParallelizationFactor 1 to 10; MaximumRetryAttempts -1 to 10,000;
MaximumRecordAgeInSeconds -1 or 60 to 604,800; TumblingWindowInSeconds 0 to 900; an on-failure destination is a queue,
a topic or a bucket. The execution role has to be able to read the stream
(https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html, https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html).

MiniStack takes any value, drops TumblingWindowInSeconds and StartingPositionTimestamp, and starts with ten records a
batch. Its operations only see what is valid; defaults are filled in before, what it drops is kept after. Where a batch
size above ten needs a window, the pages contradict each other: not enforced for streams. Values out of range answer
ValidationException, other broken rules InvalidParameterValueException, which is also our choice for a role that may not
read.

Needs mapping_states.
"""

from __future__ import annotations

import json

from cloudkata.engine.context import Context
from cloudkata.engine.event_filter import EventFilter, FilterError
from cloudkata.engine.mappings.permissions import missing
from cloudkata.engine.streams.failure_record import resource_actions
from cloudkata.engine.streams.records import DEFAULTS, NEVER
from cloudkata.engine.streams.sources import DynamoDbSource, KinesisSource

_LAMBDA = "ministack.services.lambda_svc:"
_RANGES = {
    "BatchSize": (1, 10_000),
    "MaximumBatchingWindowInSeconds": (0, 300),
    "ParallelizationFactor": (1, 10),
    "MaximumRetryAttempts": (-1, 10_000),
    "MaximumRecordAgeInSeconds": (-1, 604_800),
    "TumblingWindowInSeconds": (0, 900),
}
LEAST_RECORD_AGE = 60
_POSITIONS = ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")
_KEPT = ("TumblingWindowInSeconds", "StartingPositionTimestamp")
_SOURCES = {"kinesis": KinesisSource, "dynamodb": DynamoDbSource}


class _Refused(Exception):
    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message, status)


def stream_kind(arn: str) -> str:
    """ "kinesis" or "dynamodb" for a stream's ARN, nothing for any other source."""
    fields = str(arn).split(":")
    return fields[2] if len(fields) >= 6 and fields[2] in _SOURCES else ""


def register(context: Context) -> None:
    from ministack.services import lambda_svc

    def create(original, data):
        kind = stream_kind(data.get("EventSourceArn") or "")
        if not kind:
            return original(data)
        try:
            _check_values(data)
            _check_position(kind, data, context.clock.now())
            name, qualifier, _ = lambda_svc._resolve_existing_esm_function(data.get("FunctionName", ""))
            if name:
                _check_new(lambda_svc, data["EventSourceArn"], name, qualifier)
                _check_role(kind, lambda_svc._functions[name]["config"]["Role"], data)
        except _Refused as refused:
            return lambda_svc.error_response_json(*refused.args)
        answer = original(DEFAULTS | data)
        if answer[0] != 202:
            return answer
        record = lambda_svc._esms[json.loads(answer[2])["UUID"]]
        record.update({name: data[name] for name in _KEPT if name in data})
        record.setdefault("TumblingWindowInSeconds", DEFAULTS["TumblingWindowInSeconds"])
        return lambda_svc.json_response(lambda_svc._esm_response(record), 202)

    def update(original, uuid, data):
        record = lambda_svc._esms.get(uuid)
        if record is None or not stream_kind(record["EventSourceArn"]):
            return original(uuid, data)
        try:
            _check_values(data)
        except _Refused as refused:
            return lambda_svc.error_response_json(*refused.args)
        answer = original(uuid, data)
        if answer[0] in (200, 202) and "TumblingWindowInSeconds" in data:
            record["TumblingWindowInSeconds"] = data["TumblingWindowInSeconds"]
        return answer

    context.seams.hook(_LAMBDA + "_create_esm", create, order=40)
    context.seams.hook(_LAMBDA + "_update_esm", update, order=40)


def _invalid(message: str) -> _Refused:
    return _Refused("InvalidParameterValueException", message)


def _constraint(value, name: str, constraint: str) -> _Refused:
    place = name[0].lower() + name[1:]
    message = f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: {constraint}"
    return _Refused("ValidationException", message)


def _check_values(data: dict) -> None:
    """Raise _Refused for what neither operation takes."""
    for name, (least, most) in _RANGES.items():
        value = data.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise _constraint(value, name, f"Member must have value greater than or equal to {least}")
        if value > most:
            raise _constraint(value, name, f"Member must have value less than or equal to {most}")
    age = data.get("MaximumRecordAgeInSeconds")
    if age is not None and age != NEVER and age < LEAST_RECORD_AGE:
        raise _invalid(f"Invalid MaximumRecordAgeInSeconds: it is -1 or at least {LEAST_RECORD_AGE}.")
    for name in data.get("FunctionResponseTypes") or ():
        if name != "ReportBatchItemFailures":
            raise _constraint(
                name, "FunctionResponseTypes", "Member must satisfy enum value set: [ReportBatchItemFailures]"
            )
    destination = ((data.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    if destination and not resource_actions(destination):
        raise _invalid(f"The destination ARN {destination} is invalid: it names a queue, a topic or a bucket.")
    try:
        EventFilter(data.get("FilterCriteria"))
    except FilterError as error:
        raise _invalid(str(error)) from error


def _check_position(kind: str, data: dict, now: float) -> None:
    position, moment = data.get("StartingPosition"), data.get("StartingPositionTimestamp")
    if not position:
        raise _invalid("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
                       "Member must not be null.")  # fmt: skip
    if position not in _POSITIONS:
        raise _constraint(position, "StartingPosition", f"Member must satisfy enum value set: {list(_POSITIONS)}")
    if position != "AT_TIMESTAMP":
        return
    if kind == "dynamodb":
        raise _invalid("Unsupported starting position for stream type: AT_TIMESTAMP is for Kinesis streams.")
    if moment is None:
        raise _invalid("StartingPositionTimestamp must be given with the starting position AT_TIMESTAMP.")
    if float(moment) > now:
        raise _invalid("StartingPositionTimestamp cannot be in the future.")


def _check_new(lambda_svc, arn: str, name: str, qualifier: str | None) -> None:
    for mapping in lambda_svc._esms.values():
        if (mapping["EventSourceArn"], mapping["FunctionName"], mapping.get("Qualifier")) == (arn, name, qualifier):
            message = f"The event source arn ({arn}) and function ({name}) provided mapping already exists. "
            raise _Refused("ResourceConflictException", message + f"Please update or delete the existing mapping "
                           f"with UUID {mapping['UUID']}", 409)  # fmt: skip


def _check_role(kind: str, role: str, data: dict) -> None:
    arn = data["EventSourceArn"]
    if lacking := missing(role, _SOURCES[kind].read_actions, arn):
        shown = ", ".join(action.partition(":")[2] for action in lacking)
        raise _invalid(f"Cannot access stream {arn}. Please ensure the role can perform the {shown} action(s) on it.")
