"""What learner code changed on its target, call by call: as it was seen on its way, never as the code tells it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cloudkata.targets.session import Session

_LEARNER = "learner"  # the key set that deploy.py and the scripts have
_READS = re.compile(
    r"(Get|List|Describe|Head|BatchGet|TransactGet|Query|Scan|Lookup|Search|Filter)([A-Z]|$)|(GET|HEAD|OPTIONS) "
)


@dataclass(frozen=True)
class Call:
    """One call that changed something, or was to: `operation` by its name, or METHOD path for REST; HTTP `status`."""

    service: str
    operation: str
    status: int


def ledger(session: Session) -> tuple[Call, ...]:
    """The changing calls that the learner's keys were used for so far, oldest first; empty where nothing is kept."""
    if session.ledger is not None:
        return tuple(Call(call.service, call.operation, call.status) for call in session.ledger.calls())
    mine = [entry for entry in session.requests() if entry["key_set"] == _LEARNER]
    calls = (Call(entry["service"], entry["operation"], entry["status"]) for entry in mine)
    return tuple(call for call in calls if not _READS.match(call.operation))
