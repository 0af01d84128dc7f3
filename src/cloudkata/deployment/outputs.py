"""Verifies outputs before anything is graded: what learner code returns is a claim."""

from __future__ import annotations

import re
from collections.abc import Callable

from cloudkata.targets.session import Session

_NAME = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
_TABLE = re.compile(r"^[A-Za-z0-9_.-]{3,255}$")


class OutputError(Exception):
    """An output is missing, has the wrong shape or names nothing of this attempt; the message names the output."""


def verify(claimed: dict[str, str], kinds: dict[str, str], session: Session) -> dict[str, str]:
    """The outputs that the lab asks for, each proved to exist in the attempt's account. Raises OutputError."""
    for name in kinds:
        if not claimed.get(name):
            raise OutputError(f'the output {name} is missing: set lab.outputs["{name}"] in deploy.py')
    for name, kind in kinds.items():
        _KINDS[kind](name, claimed[name], session)
    return {name: claimed[name] for name in kinds}


def _function_name(name: str, value: str, session: Session) -> None:
    if not _NAME.match(value):
        raise OutputError(f"the output {name} is not the name of a function: {value[:200]!r}")
    _own_name(name, value, session)
    client = session.client("lambda", session.checks)
    try:
        client.get_function_configuration(FunctionName=value)
    except client.exceptions.ResourceNotFoundException:
        raise OutputError(f"the output {name} is {value!r}, but there is no such function") from None


def _table_name(name: str, value: str, session: Session) -> None:
    if not _TABLE.match(value):
        raise OutputError(f"the output {name} is not the name of a table: {value[:200]!r}")
    _own_name(name, value, session)
    client = session.client("dynamodb", session.checks)
    try:
        client.describe_table(TableName=value)
    except client.exceptions.ResourceNotFoundException:
        raise OutputError(f"the output {name} is {value!r}, but there is no such table") from None


def _own_name(name: str, value: str, session: Session) -> None:
    if not value.startswith(session.prefix + "-"):
        raise OutputError(f"the output {name} is {value!r}, which lab.name(...) of this attempt did not make")


_KINDS: dict[str, Callable[[str, str, Session], None]] = {
    "function-name": _function_name,
    "table-name": _table_name,
}
