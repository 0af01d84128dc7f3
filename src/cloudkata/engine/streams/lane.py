"""One sequence of invocations: what arrives is gathered into batches, and each is seen through before the next begins.

A shard has one lane, or as many as its mapping's ParallelizationFactor; records with the same key share a lane.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from cloudkata.engine.clock import AwsClock
from cloudkata.engine.mappings.calls import Answer
from cloudkata.engine.streams import policy
from cloudkata.engine.streams.records import Record, Settings, Work
from cloudkata.engine.streams.windows import Window

logger = logging.getLogger("cloudkata.streams")
PAYLOAD_BYTES = (6 << 20) - 1024  # what an invocation carries, less what is not records
_LOOK_SECONDS = 0.05  # of real time, between looks at the clock and the mapping
_IDLE_SECONDS = 0.5  # the same, where there is nothing to do until a record comes


class Owner(Protocol):
    """What a lane asks of its shard."""

    clock: AwsClock
    shard: str
    arn: str
    stopped: threading.Event

    @property
    def enabled(self) -> bool: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def retention(self) -> float: ...

    @property
    def caught_up(self) -> float: ...

    def invoke(self, payload: bytes) -> Answer: ...

    def discard(self, work: Work, condition: str, payload: str) -> None: ...

    def report(self, result: str) -> None: ...


class Lane:
    """Takes records with `add`, and works in a thread of its own until its owner is stopped or `finish` was called."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Record, float]] = deque()  # with the time at which each was added
        self._window: Window | None = None
        self._finishing = False
        self._failures = 0
        self.unfinished = 0  # records added that are not yet handled or discarded
        self._thread = threading.Thread(target=self._run, name="kata-stream-lane", daemon=True)
        self._thread.start()

    @property
    def at_rest(self) -> bool:
        with self._changed:
            return not self.unfinished and self._window is None

    def add(self, records: Iterable[Record]) -> None:
        with self._changed:
            now = self._owner.clock.now()
            for record in records:
                self._waiting.append((record, now))
                self.unfinished += 1
            self._changed.notify_all()

    def finish(self) -> None:
        """Nothing will be added any more: end when all is handled, and do not wait for a batch to fill."""
        with self._changed:
            self._finishing = True
            self._changed.notify_all()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        while not self._owner.stopped.is_set():
            batch = self._next()
            if batch is None:
                return
            try:
                if batch:
                    self._see_through(Work(batch))
                elif self._window is not None:
                    self._close_window()
            except Exception:  # a lane that ends would block its shard without a word
                logger.exception("a batch of %s was lost", self._owner.shard)
                self._owner.report("PROBLEM: Internal error")

    # --- gathering ---

    def _next(self) -> tuple[Record, ...] | None:
        """The next batch; an empty one when a window is to be closed, None when all is done."""
        with self._changed:
            while not self._owner.stopped.is_set():
                if self._owner.enabled:
                    settings, now = self._owner.settings, self._owner.clock.now()
                    if self._window_is_over(now):
                        return ()
                    if self._waiting:
                        count = self._ripe(settings, now)
                        if count:
                            return tuple(self._waiting.popleft()[0] for _ in range(count))
                    elif self._finishing and self._window is None:
                        return None
                self._changed.wait(_LOOK_SECONDS if self._waiting or self._window else _IDLE_SECONDS)
        return None

    def _window_is_over(self, now: float) -> bool:
        window = self._window
        if window is None:
            return False
        if window.early:
            return True
        if self._waiting:
            return not window.holds(self._waiting[0][0].arrived)
        return self._finishing or self._owner.caught_up >= window.end

    def _ripe(self, settings: Settings, now: float) -> int:
        """How many records make a batch now; none while more may still come."""
        count, size, full = 0, 0, self._finishing or settings.window == 0
        window = Window.of(self._waiting[0][0].arrived, settings.tumbling) if settings.tumbling else None
        for record, _ in self._waiting:
            if count >= settings.batch_size or (count and size + record.size > PAYLOAD_BYTES):
                full = True
                break
            if window and not window.holds(record.arrived):
                full = True
                break
            count, size = count + 1, size + record.size
        full = full or count >= settings.batch_size or now >= self._waiting[0][1] + settings.window
        return count if full else 0

    # --- working ---

    def _see_through(self, work: Work) -> None:
        """Invoke until each record is handled or discarded."""
        owner = self._owner
        if owner.settings.tumbling and self._window is None:
            self._window = Window.of(work.records[0].arrived, owner.settings.tumbling)
        pending = deque([work])
        while pending:
            if not self._may_go_on():
                return
            settings = owner.settings
            old, left = policy.without_old(pending.popleft(), settings, owner.retention, owner.clock.now())
            if old:
                self._discard(old, policy.TOO_OLD)
            if left is None:
                continue
            answer = owner.invoke(self._event(left))
            outcome = policy.outcome_of(answer, left, settings)
            if self._window is not None and outcome.kind == "done" and not self._window.take(answer.payload):
                outcome = replace(outcome, kind="failed")
            steps = policy.next_steps(left, outcome, settings)
            if steps.discarded:
                self._discard(steps.discarded, policy.EXHAUSTED)
            again = sum(len(part) for part in steps.again)
            self._finished(len(left) - again - (len(steps.discarded) if steps.discarded else 0))
            pending.extendleft(reversed(steps.again))
            self._after(outcome, steps.pause)

    def _after(self, outcome: policy.Outcome, pause: bool) -> None:
        results = {"failed": "PROBLEM: Function call failed", "unreached": "PROBLEM: Function call failed"}
        self._owner.report(results.get(outcome.kind, "OK"))
        if not pause:
            self._failures = 0
            return
        self._failures += 1
        self._owner.clock.wait(self._owner.stopped, policy.pause_seconds(self._failures))

    def _may_go_on(self) -> bool:
        """Wait while the mapping is disabled; False once it is gone."""
        while not self._owner.stopped.is_set():
            if self._owner.enabled:
                return True
            self._owner.stopped.wait(_LOOK_SECONDS)
        return False

    def _event(self, work: Work, *, final: bool = False) -> bytes:
        event: dict = {"Records": [record.event for record in work.records]}
        if self._window is not None:
            event |= self._window.fields(self._owner.shard, self._owner.arn, final=final)
        return json.dumps(event).encode()

    def _close_window(self) -> None:
        """The window's last invocation, which everything after it waits for."""
        assert self._window is not None
        attempts = 0
        while self._may_go_on():
            answer = self._owner.invoke(self._event(Work(()), final=True))
            outcome = policy.outcome_of(answer, Work(()), self._owner.settings)
            if outcome.kind == "done":
                break
            attempts += outcome.kind == "failed"
            if self._owner.settings.retries != policy.NEVER and attempts > self._owner.settings.retries:
                break
            self._after(outcome, True)
        with self._changed:
            self._window = None

    def _discard(self, work: Work, condition: str) -> None:
        payload = self._event(work).decode()
        self._owner.discard(work, condition, payload)
        self._finished(len(work))

    def _finished(self, count: int) -> None:
        with self._changed:
            self.unfinished -= count
