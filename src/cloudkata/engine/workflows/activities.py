"""Activities: workers that ask for tasks.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-activities.html: GetActivityTask waits up to 60 seconds;
an answer without a token says that there was nothing to do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from cloudkata.engine.workflows.callbacks import Refused
from cloudkata.engine.workflows.control import Pending
from cloudkata.engine.workflows.errors import RUNTIME, StateError

_POLL_SECONDS = 60.0
_LOOK_SECONDS = 0.02  # real
_offered: dict[str, deque[tuple[str, str, Pending]]] = {}


def offer(arn: str, token: str, given: str, started: Pending) -> None:
    """Have a task wait for a worker, whose name `started` is settled with. Raises StateError."""
    from ministack.services import stepfunctions

    if arn not in stepfunctions._activities:
        raise StateError(RUNTIME, f"The activity {arn} does not exist.")
    _offered.setdefault(arn, deque()).append((token, given, started))


async def take(now: Callable[[], float], data: dict) -> dict:
    """GetActivityTask."""
    from ministack.services import stepfunctions

    arn = data.get("activityArn") or ""
    if arn not in stepfunctions._activities:
        raise Refused("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")
    until = now() + _POLL_SECONDS
    waiting = _offered.setdefault(arn, deque())
    while now() < until:
        while waiting:
            token, given, started = waiting.popleft()
            if started.settle(data.get("workerName")):
                return {"taskToken": token, "input": given}
        await asyncio.sleep(_LOOK_SECONDS)
    return {}
