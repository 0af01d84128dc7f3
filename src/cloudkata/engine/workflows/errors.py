"""How a state, or a line of control, can end other than by its result."""

from __future__ import annotations

RUNTIME = "States.Runtime"  # ends the execution, whatever Retry and Catch say
DATA_LIMIT = "States.DataLimitExceeded"
TIMEOUT = "States.Timeout"
HEARTBEAT = "States.HeartbeatTimeout"


class StateError(Exception):
    """A state failed with an error name and a cause, both as the documentation gives them."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


class Stopped(Exception):
    """The execution, or the branch this line of control belongs to, has ended: nothing more is done or written."""


def matches(wanted: list, error: str) -> bool:
    """Whether the ErrorEquals of a retrier or catcher covers an error.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html: States.ALL covers all but
    States.DataLimitExceeded and States.Runtime; States.TaskFailed all but a time-out; States.Timeout is also a
    heartbeat that did not come; States.Runtime always fails the execution.
    """
    if error == RUNTIME:
        return False
    if error in wanted or (error == HEARTBEAT and TIMEOUT in wanted):
        return True
    if error == DATA_LIMIT:
        return False
    return "States.ALL" in wanted or ("States.TaskFailed" in wanted and error not in (TIMEOUT, HEARTBEAT))
