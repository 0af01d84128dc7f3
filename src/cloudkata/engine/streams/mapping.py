"""One stream event source mapping at work: a reader for each shard, parents before children."""

from __future__ import annotations

import logging
import threading

from cloudkata.engine.context import Context
from cloudkata.engine.mappings.calls import Answer, CallError, Calls
from cloudkata.engine.streams.failure_record import failure_record, resource_actions, send
from cloudkata.engine.streams.reader import ShardReader
from cloudkata.engine.streams.records import Settings, Work
from cloudkata.engine.streams.sources import DAY, Shard, Start, source_of

logger = logging.getLogger("cloudkata.streams")
_RELIST_SECONDS = 10.0  # of AWS time, where no shard has ended


class Mapping:
    """Polls for as long as MiniStack keeps `record`; made on the event loop, so that LATEST is what it is just then."""

    def __init__(self, context: Context, record: dict, account: str, region: str, role_arn: str) -> None:
        self._context, self._record = context, record
        self.clock = context.clock
        self._calls = Calls(context, account, region)
        self._scope = account, region
        self.source = source_of(record["EventSourceArn"], self._calls, role_arn)
        self.stopped = threading.Event()
        self.retention = DAY
        self._woken = threading.Event()
        self._readers: dict[str, ShardReader] = {}
        self._first = self._starts()
        self._listed = False
        threading.Thread(target=self._run, name="kata-stream-mapping", daemon=True).start()

    def _starts(self) -> dict[str, Start]:
        """Where to start in the shards that there are."""
        ends = self.source.ends()
        kind = self._record.get("StartingPosition")
        if kind == "LATEST":
            return {
                shard: Start("AFTER_SEQUENCE_NUMBER", sequence=end) if end else Start("TRIM_HORIZON")
                for shard, end in ends.items()
            }
        if kind == "AT_TIMESTAMP":
            return dict.fromkeys(ends, Start(kind, float(self._record["StartingPositionTimestamp"])))
        return {}

    @property
    def enabled(self) -> bool:
        return bool(self._record.get("Enabled")) and not self.stopped.is_set()

    @property
    def settings(self) -> Settings:
        return Settings.of(self._record)

    def stop(self) -> None:
        self.stopped.set()
        self._woken.set()

    def wake(self) -> None:
        """A shard has come to its end: its children may begin."""
        self._woken.set()

    def pending(self) -> list[str]:
        """What is not handled yet, in a line."""
        if not self.enabled:
            return []
        name = self.source.arn.partition(":stream/")[2] or self.source.arn.split("/")[1]
        if not self._listed:
            return [f"a mapping of {name} that is starting"]
        count = sum(reader.unfinished() for reader in list(self._readers.values()))
        return [f"{count} record(s) of {name} that are not handled yet"] if count else []

    # --- shards ---

    def _run(self) -> None:
        while not self.stopped.is_set():
            self._woken.clear()
            if self.enabled:
                try:
                    self._open(self.source.shards())
                    self.retention = self.source.retention()
                    self._listed = True
                except CallError as error:
                    self._listed = True
                    self.report(f"PROBLEM: {error}")
            self.clock.wait(self._woken, _RELIST_SECONDS if self._listed else 0.5)

    def _open(self, shards: list[Shard]) -> None:
        """Start reading what no reader has and no parent holds back."""
        there = {shard.id for shard in shards}
        for shard in shards:
            ready = all(
                self._readers[parent].done.is_set() if parent in self._readers else parent not in there
                for parent in shard.parents
            )
            if shard.id not in self._readers and ready:
                self._readers[shard.id] = ShardReader(self, shard.id, self._first.get(shard.id, Start("TRIM_HORIZON")))

    # --- what readers ask ---

    def invoke(self, payload: bytes) -> Answer:
        return self._calls.invoke(self._record["FunctionArn"], payload)

    def report(self, result: str) -> None:
        self._record["LastProcessingResult"] = result

    def discard(self, shard: str, work: Work, condition: str, payload: str) -> None:
        """Tell the destination, if there is one, of what is given up."""
        destination = self.settings.destination
        if not resource_actions(destination):
            return
        arn, now = self._record["FunctionArn"], self.clock.now()
        record = failure_record(work, condition, arn, self.source.arn, shard, now)
        problem = send(self._calls, self._calls.role_of(arn), destination, record, payload, self._record["UUID"], now)
        if problem:
            logger.warning("a failure record for %s was not delivered: %s", destination, problem)
