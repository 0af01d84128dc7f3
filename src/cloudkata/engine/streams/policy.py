"""What to do after an invocation: pure functions from a batch, its outcome and the settings to the next steps.

AWS documents (https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html): a failed batch is retried until the
records expire, exceed the maximum age or the retries run out; then it is discarded, and the shard goes on. Splitting a
batch uses up no retry. An invocation that never reached the function uses up none either.

Partial responses (https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html): the lowest
sequence number returned is the checkpoint; what comes before it has succeeded, everything from it on is retried. With
bisect on as well, the batch is cut there.

Our choices, where the pages are silent: halves keep the count of the whole; a cut uses up no retry, while without
bisect a repeated partial response does; a returned number that is the first of the batch cuts nothing, so with bisect
on the batch is halved; a number that is not in the batch fails the whole of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from cloudkata.engine.mappings.calls import Answer
from cloudkata.engine.streams.records import NEVER, Last, Settings, Work

EXHAUSTED, TOO_OLD = "RetryAttemptsExhausted", "RecordAgeExceeded"
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


@dataclass(frozen=True)
class Outcome:
    """What an invocation came to: `kind` is "done", "failed", "partial" (from `index` on) or "unreached"."""

    kind: str
    index: int = 0
    last: Last = field(default_factory=Last)


@dataclass(frozen=True)
class Steps:
    """`again` is invoked next, in this order and after a pause if so; `discarded` goes to the destination."""

    again: tuple[Work, ...] = ()
    discarded: Work | None = None
    pause: bool = False


def outcome_of(answer: Answer, work: Work, settings: Settings) -> Outcome:
    """Read an answer of Invoke."""
    last = Last(answer.request_id, answer.status, answer.version, answer.error)
    if answer.status != 200:
        return Outcome("unreached", last=last)
    if answer.error:
        return Outcome("failed", last=last)
    if not settings.partial:
        return Outcome("done", last=last)
    index = _checkpoint(answer.payload, work)
    if index is None:
        return Outcome("done", last=last)
    return Outcome("partial", index, last) if index > 0 else Outcome("failed", last=last)


def _checkpoint(payload: bytes, work: Work) -> int | None:
    """The index of the first record to retry: 0 for a whole failure, None where all succeeded."""
    try:
        answer = json.loads(payload or b"null")
    except ValueError:
        return 0
    if answer is None or answer == "":
        return None
    if not isinstance(answer, dict):
        return None  # no response object at all: nothing was reported as failed
    failures = answer.get("batchItemFailures")
    if not failures:
        return None
    if not isinstance(failures, list):
        return 0
    places = {record.sequence: index for index, record in enumerate(work.records)}
    found = [places.get(_identifier(item), 0) for item in failures]
    return min(found)


def _identifier(item) -> str:
    value = item.get("itemIdentifier") if isinstance(item, dict) else None
    return value if isinstance(value, str) else ""


def next_steps(work: Work, outcome: Outcome, settings: Settings) -> Steps:
    """What becomes of `work` after `outcome`."""
    if outcome.kind == "done":
        return Steps()
    if outcome.kind == "unreached":
        return Steps((replace(work, last=outcome.last),), pause=True)
    work = replace(work, last=outcome.last)
    if outcome.kind == "partial":
        rest = work.part(outcome.index)
        return Steps((rest,)) if settings.bisect else _retry(rest, settings)
    if settings.bisect and len(work) > 1:
        middle = len(work) // 2
        return Steps((work.part(0, middle), work.part(middle)))
    return _retry(work, settings)


def _retry(work: Work, settings: Settings) -> Steps:
    failed = replace(work, attempts=work.attempts + 1)
    if settings.retries != NEVER and failed.attempts > settings.retries:
        return Steps(discarded=failed)
    return Steps((failed,), pause=True)


def without_old(work: Work, settings: Settings, retention: float, now: float) -> tuple[Work | None, Work | None]:
    """(what is too old or has expired from the stream, what is left): records arrive in order, so old ones lead."""
    longest = retention if settings.record_age == NEVER else min(retention, settings.record_age)
    old = 0
    while old < len(work) and now - work.records[old].arrived > longest:
        old += 1
    return (work.part(0, old) if old else None), (work.part(old) if old < len(work) else None)


def pause_seconds(failures: int) -> float:
    """AWS seconds before the next invocation, after `failures` in a row: AWS backs off exponentially."""
    return min(_FIRST_PAUSE * 2 ** max(0, failures - 1), _LONGEST_PAUSE)
