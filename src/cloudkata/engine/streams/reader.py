"""Reads one shard from where its mapping starts to its end, and hands the records to its lanes."""

from __future__ import annotations

import threading
import zlib
from typing import TYPE_CHECKING

from cloudkata.engine.mappings.calls import Answer, CallError
from cloudkata.engine.streams.lane import Lane
from cloudkata.engine.streams.records import Record, Settings, Work
from cloudkata.engine.streams.sources import Page, Start

if TYPE_CHECKING:
    from cloudkata.engine.streams.mapping import Mapping

MOST_WAITING = 10_000  # records read ahead of what has been handled; as many as one GetRecords gives
_LOOK_SECONDS = 0.05
_LOOK_AGAIN_SECONDS = 10.0  # of AWS time: whether a shard has been closed
_GONE = frozenset({"ResourceNotFoundException"})
_RENEW = frozenset({"ExpiredIteratorException"})
_TRIMMED = frozenset({"TrimmedDataAccessException"})


class ShardReader:
    """One shard of one mapping. `done` is set once all of a closed shard is handled, or the shard is gone."""

    def __init__(self, mapping: Mapping, shard: str, start: Start) -> None:
        self._mapping = mapping
        self.clock, self.stopped, self.arn = mapping.clock, mapping.stopped, mapping.source.arn
        self.shard = shard
        self.done = threading.Event()
        self.caught_up = 0.0
        self._start = start
        self._seen = start.sequence
        self._look_again = 0.0
        self._lanes: list[Lane] = []
        threading.Thread(target=self._run, name="kata-stream-reader", daemon=True).start()

    # --- what its lanes ask ---

    @property
    def enabled(self) -> bool:
        return self._mapping.enabled

    @property
    def settings(self) -> Settings:
        return self._mapping.settings

    @property
    def retention(self) -> float:
        return self._mapping.retention

    def invoke(self, payload: bytes) -> Answer:
        return self._mapping.invoke(payload)

    def discard(self, work: Work, condition: str, payload: str) -> None:
        self._mapping.discard(self.shard, work, condition, payload)

    def report(self, result: str) -> None:
        self._mapping.report(result)

    # --- reading ---

    def unfinished(self) -> int:
        """Records that are not handled yet, read or not; and windows that are open."""
        if self.done.is_set():
            return 0
        waiting = sum(max(lane.unfinished, not lane.at_rest) for lane in list(self._lanes))
        unread = self._mapping.source.unread(self.shard, self._seen, self._start.time)
        return waiting + unread

    def _run(self) -> None:
        iterator = ""
        while not self.stopped.is_set():
            if not self.enabled or self._full():
                self.stopped.wait(_LOOK_SECONDS)
                continue
            began = self.clock.now()
            if not self._worth_reading(began):
                self.caught_up = began
                self.clock.wait(self.stopped, self._mapping.source.poll_seconds)
                continue
            try:
                iterator = iterator or self._iterator()
                page = self._mapping.source.page(self.shard, iterator)
            except CallError as error:
                iterator = self._after(error, iterator)
                if error.code in _GONE:
                    break
                continue
            self._take(page)
            if not page.next:
                break
            iterator = page.next
            if not page.more:
                self.caught_up = began
                self.clock.wait(self.stopped, self._mapping.source.poll_seconds)
        for lane in self._lanes:
            lane.finish()
        for lane in self._lanes:
            lane.join()
        self.done.set()
        self._mapping.wake()

    def _worth_reading(self, now: float) -> bool:
        """Whether there is something new, or the last look at the shard itself was long ago.

        Most polls find nothing, and each would cost every request on the event loop a little.
        """
        if now < self._look_again and not self._mapping.source.unread(self.shard, self._seen, self._start.time):
            return False
        self._look_again = now + _LOOK_AGAIN_SECONDS
        return True

    def _iterator(self) -> str:
        start = Start("AFTER_SEQUENCE_NUMBER", sequence=self._seen) if self._seen else self._start
        return self._mapping.source.iterator(self.shard, start)

    def _after(self, error: CallError, iterator: str) -> str:
        """The iterator to go on with after a refused call, or none to get another."""
        if error.code in _TRIMMED:
            self._seen, self._start = "", Start("TRIM_HORIZON")
        if error.code in _TRIMMED | _RENEW:
            return ""
        if error.code not in _GONE:  # too many reads of this shard, or what passes by itself
            self.clock.wait(self.stopped, self._mapping.source.poll_seconds)
        return iterator

    def _full(self) -> bool:
        return sum(lane.unfinished for lane in self._lanes) >= MOST_WAITING

    def _take(self, page: Page) -> None:
        if not page.records:
            return
        settings = self.settings
        lanes = self._lanes_for(settings)
        parts: list[list[Record]] = [[] for _ in lanes]
        for record in page.records:
            if settings.filter.keeps(record.subject):
                parts[zlib.crc32(record.key.encode()) % len(lanes)].append(record)
        for lane, records in zip(lanes, parts, strict=True):
            lane.add(records)
        self._seen = page.records[-1].sequence

    def _lanes_for(self, settings: Settings) -> list[Lane]:
        """As many lanes as the settings ask for; a change waits until all that was read is handled."""
        wanted = 1 if settings.tumbling else settings.lanes
        if len(self._lanes) != wanted:
            for lane in self._lanes:
                lane.finish()
            for lane in self._lanes:
                lane.join()
            self._lanes = [Lane(self) for _ in range(wanted)]
        return self._lanes
