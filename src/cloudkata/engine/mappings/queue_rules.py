"""What CreateEventSourceMapping and UpdateEventSourceMapping refuse for an SQS queue.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""

from __future__ import annotations

from cloudkata.engine.event_filter import EventFilter, FilterError
from cloudkata.engine.mappings import permissions, queue_client
from cloudkata.engine.mappings.queue_poller import NEEDED, PARTIAL

MAX_BATCH, MAX_BATCH_FIFO, MAX_BATCH_WITHOUT_WINDOW = 10_000, 10, 10
MAX_WINDOW = 300  # seconds
# These are for streams and for brokers.
_FOREIGN = (
    "StartingPosition",
    "StartingPositionTimestamp",
    "DestinationConfig",
    "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds",
    "BisectBatchOnFunctionError",
    "ParallelizationFactor",
    "TumblingWindowInSeconds",
)


class Refused(Exception):
    """The arguments of MiniStack's error_response_json: code, message, status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message, status)


def invalid(message: str) -> Refused:
    return Refused("InvalidParameterValueException", message)


def check(settings: dict, asked: dict, function: dict) -> None:
    """Raise Refused for what was `asked`, and for the `settings` of a mapping that it would make.

    `function` is the configuration of the function that it is for.
    """
    arn = settings["EventSourceArn"]
    fifo = arn.endswith(".fifo")
    for name in _FOREIGN:
        if asked.get(name) not in (None, {}):
            raise invalid(f"Unsupported {name} parameter for given event source mapping type.")
    size = _number(settings, "BatchSize", 1, MAX_BATCH, 10)
    window = _number(settings, "MaximumBatchingWindowInSeconds", 0, MAX_WINDOW, 0)
    if fifo and window:
        raise invalid("Batching window is not supported for FIFO queues")
    if fifo and size > MAX_BATCH_FIFO:
        raise invalid(f"BatchSize for a FIFO queue must be at most {MAX_BATCH_FIFO}.")
    if size > MAX_BATCH_WITHOUT_WINDOW and not window:
        raise invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
    types = settings.get("FunctionResponseTypes") or []
    if not isinstance(types, list) or any(name != PARTIAL for name in types):
        raise _constraint(types, "functionResponseTypes", f"Member must satisfy enum value set: [{PARTIAL}]")
    try:
        EventFilter(settings.get("FilterCriteria"))
    except FilterError as error:
        raise invalid(str(error)) from None
    _check_queue(arn, function)


def _check_queue(arn: str, function: dict) -> None:
    queue = queue_client.attributes(arn)
    if queue is None:
        text = "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue."
        raise invalid(f"{text} SQS Error Message: The specified queue does not exist for this wsdl version.")
    for action in permissions.missing(function["Role"], NEEDED, arn):
        operation = action.partition(":")[2]
        raise invalid(f"The provided execution role does not have permissions to call {operation} on SQS")
    visibility, timeout = int(queue.get("VisibilityTimeout", 30)), int(function.get("Timeout", 3))
    if visibility < timeout:
        text = f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"
        raise invalid(text)


def _number(settings: dict, name: str, least: int, most: int, default: int) -> int:
    value = settings.get(name)
    if value is None:
        return default
    place = name[0].lower() + name[1:]
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise _constraint(value, place, f"Member must have value greater than or equal to {least}")
    if value > most:
        raise _constraint(value, place, f"Member must have value less than or equal to {most}")
    return value


def _constraint(value, place: str, constraint: str) -> Refused:
    message = f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: {constraint}"
    return Refused("ValidationException", message)
