"""Task tokens: SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html: a token whose task is over
answers TaskTimedOut, what is no token InvalidToken, output that is no JSON InvalidOutput. A heartbeat leaves no event
and does not extend the task's own time-out.
"""

from __future__ import annotations

import base64
import json
import secrets

from cloudkata.engine.workflows.control import Pending
from cloudkata.engine.workflows.errors import StateError

_TOKEN_BYTES = 192


class Refused(Exception):
    """An operation is refused with an error code and a message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


class Tokens:
    """The tokens of this engine. They are kept when their task is over: a late call is told so."""

    _known: dict[str, Pending] = {}

    @classmethod
    def new(cls) -> tuple[str, Pending]:
        from ministack.core.responses import get_account_id

        token = base64.b64encode(secrets.token_bytes(_TOKEN_BYTES)).decode()
        pending = cls._known[token] = Pending(get_account_id())
        return token, pending

    @classmethod
    def find(cls, data: dict) -> Pending:
        """The task of a request's token. Raises Refused."""
        from ministack.core.responses import get_account_id

        pending = cls._known.get(data.get("taskToken") or "")
        if pending is None or pending.account != get_account_id():
            raise Refused("InvalidToken", "Invalid Token: 'Invalid token'")
        if not pending.open:
            raise _over()
        return pending


def _over() -> Refused:
    return Refused("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


def succeed(data: dict) -> dict:
    pending = Tokens.find(data)
    try:
        value = json.loads(data["output"])
    except (KeyError, TypeError, ValueError):
        raise Refused("InvalidOutput", "Invalid Output: the output must be JSON") from None
    if not pending.settle(value):
        raise _over()
    return {}


def fail(data: dict) -> dict:
    if not Tokens.find(data).settle(error=StateError(data.get("error") or "", data.get("cause") or "")):
        raise _over()
    return {}


def beat(now: float, data: dict) -> dict:
    pending = Tokens.find(data)
    if pending.late(now):
        raise _over()
    pending.beaten = now
    return {}
