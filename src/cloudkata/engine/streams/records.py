"""What travels from a shard to a function: records, the mapping's settings, and batches of work."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cloudkata.engine.event_filter import EventFilter

NEVER = -1  # of MaximumRetryAttempts and MaximumRecordAgeInSeconds: no limit
DEFAULTS = {
    "BatchSize": 100,
    "MaximumBatchingWindowInSeconds": 0,
    "ParallelizationFactor": 1,
    "BisectBatchOnFunctionError": False,
    "MaximumRetryAttempts": NEVER,
    "MaximumRecordAgeInSeconds": NEVER,
    "TumblingWindowInSeconds": 0,
    "FunctionResponseTypes": [],
    "DestinationConfig": {"OnFailure": {}},
}


@dataclass(frozen=True)
class Record:
    """One record of a shard. `arrived` is in seconds since the epoch, `size` in bytes of the event's JSON.

    `event` is the record as the function sees it, `subject` as filters do; `key` is what order is kept by.
    """

    sequence: str
    key: str
    arrived: float
    size: int
    event: dict
    subject: dict


@dataclass(frozen=True)
class Settings:
    """A mapping's settings, as the poller reads them before each step."""

    batch_size: int
    window: float
    lanes: int
    bisect: bool
    retries: int
    record_age: int
    tumbling: int
    partial: bool
    destination: str
    filter: EventFilter

    @classmethod
    def of(cls, mapping: dict) -> Settings:
        found = DEFAULTS | {name: value for name, value in mapping.items() if value is not None}
        return cls(
            batch_size=int(found["BatchSize"]),
            window=float(found["MaximumBatchingWindowInSeconds"]),
            lanes=int(found["ParallelizationFactor"]),
            bisect=bool(found["BisectBatchOnFunctionError"]),
            retries=int(found["MaximumRetryAttempts"]),
            record_age=int(found["MaximumRecordAgeInSeconds"]),
            tumbling=int(found["TumblingWindowInSeconds"]),
            partial="ReportBatchItemFailures" in found["FunctionResponseTypes"],
            destination=(found["DestinationConfig"].get("OnFailure") or {}).get("Destination") or "",
            filter=EventFilter(found.get("FilterCriteria")),
        )


@dataclass(frozen=True)
class Last:
    """The invocation that failed last, as a failure record tells it."""

    request_id: str = ""
    status: int = 200
    version: str = "$LATEST"
    error: str = ""


@dataclass(frozen=True)
class Work:
    """Records of one shard that go to the function together. `attempts` counts the invocations that failed."""

    records: tuple[Record, ...]
    attempts: int = 0
    last: Last = field(default_factory=Last)

    def __len__(self) -> int:
        return len(self.records)

    def part(self, start: int, end: int | None = None, *, attempts: int | None = None) -> Work:
        """Some of the records, with as many attempts as all of them have had unless another number is given."""
        return replace(self, records=self.records[start:end], attempts=self.attempts if attempts is None else attempts)
