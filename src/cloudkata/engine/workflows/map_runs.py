"""The distributed Map: each item, or each batch of items, is a child execution of a Map Run.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html; ItemBatcher:
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html; ResultWriter:
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html. Items are read by MiniStack. The
documentation does not promise the order of the results; here it is that of the items.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace

from cloudkata.engine.workflows import executions
from cloudkata.engine.workflows.control import Line, Pending, Stop
from cloudkata.engine.workflows.data import effective, jsonata, number, query
from cloudkata.engine.workflows.errors import StateError, Stopped
from cloudkata.engine.workflows.groups import cap, item_input, items_of
from cloudkata.engine.workflows.history import text
from cloudkata.engine.workflows.paths import fill
from cloudkata.engine.workflows.results import write_results

_MOST_AT_ONCE = 1000  # what AWS documents is 10,000; a child here is two threads
_NOUGHT = ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten")
_NOUGHT += ("failuresNotRedrivable", "pendingRedrive")
_COUNT = {"SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED_OUT": "timedOut", "ABORTED": "aborted"}


def run_distributed(line: Line, state: dict, raw: object, processor: dict) -> object:
    """The result of a Map Run. Raises StateError, or Stopped; then its children are stopped."""
    seen = effective(line, state, raw)
    items = _read(line, state, raw, seen)
    inputs = _batches(line, state, raw, seen, _selected(line, state, raw, seen, items))
    run = _MapRun(line, state, raw, seen, processor, len(items))
    line.event("MapStateStarted", {"length": len(items)})
    line.event("MapRunStarted", {"mapRunArn": run.record["mapRunArn"]})
    try:
        children = run.children(inputs)
        run.judge(children, len(inputs))
        result = write_results(line, state, raw, seen, run.record, children)
    except StateError as error:
        run.close("FAILED")
        line.event("MapRunFailed", {"error": error.error, "cause": error.cause})
        line.event("MapStateFailed")
        raise
    except Stopped:
        run.close("ABORTED")
        raise
    run.close("SUCCEEDED")
    line.event("MapRunSucceeded")
    line.event("MapStateSucceeded", follow=False)
    return result


def _read(line: Line, state: dict, raw: object, seen: object) -> list:
    reader = state.get("ItemReader")
    if reader is None:
        return items_of(line, state, raw, seen)
    from ministack.services import stepfunctions

    given = reader.get("Arguments") if jsonata(line, state) else reader.get("Parameters")
    given = query(line, given, raw) if jsonata(line, state) else fill(given, line.scope(seen))
    config = reader.get("ReaderConfig", {})
    config = query(line, config, raw) if jsonata(line, state) else config
    try:
        return stepfunctions._read_map_items(
            {"Resource": reader.get("Resource", ""), "Arguments": given, "ReaderConfig": config}, seen, line.context
        )
    except stepfunctions._ExecutionError as error:
        raise StateError(error.error, error.cause) from None
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise StateError("States.ItemReaderFailed", f"The items could not be read: {error}") from error


def _selected(line: Line, state: dict, raw: object, seen: object, items: list) -> list:
    found = []
    for index, item in enumerate(items):
        own = replace(line, context={**line.context, "Map": {"Item": {"Index": index, "Value": item}}})
        found.append(item_input(own, state, raw, seen, item))
    return found


def _batches(line: Line, state: dict, raw: object, seen: object, items: list) -> list:
    """The inputs of the children: the items, or with ItemBatcher objects that hold several. Raises StateError."""
    batcher = state.get("ItemBatcher")
    if batcher is None:
        return items
    over = raw if jsonata(line, state) else seen
    batcher = {"QueryLanguage": state.get("QueryLanguage", line.language), **batcher}
    most = number(line, batcher, "MaxItemsPerBatch", over)
    most_bytes = number(line, batcher, "MaxInputBytesPerBatch", over)
    template = batcher.get("BatchInput")
    common = {}
    if template is not None:
        common["BatchInput"] = query(line, template, raw) if jsonata(line, state) else fill(template, line.scope(seen))
    batches: list[list] = []
    for item in items:
        if batches and (most is None or len(batches[-1]) < most):
            grown = {**common, "Items": [*batches[-1], item]}
            if most_bytes is None or len(text(grown).encode()) <= most_bytes:
                batches[-1].append(item)
                continue
        batches.append([item])
    made = [{**common, "Items": batch} for batch in batches]
    for batch in made:
        if most_bytes is not None and len(text(batch).encode()) > most_bytes:
            raise StateError("States.ItemReaderFailed", f"One item alone is more than {most_bytes} bytes of input.")
    return made


class _MapRun:
    """A Map Run's record, as MiniStack's operations show it, and its children."""

    def __init__(self, line: Line, state: dict, raw: object, seen: object, processor: dict, items: int) -> None:
        from ministack.services import stepfunctions

        machine = line.machine
        over = raw if jsonata(line, state) else seen
        self._line, self._processor = line, processor
        self._label = state.get("Label") or str(uuid.uuid4())
        self._limit = number(line, state, "ToleratedFailureCount", over)
        self._share = number(line, state, "ToleratedFailurePercentage", over)
        self._cap = cap(line, state, raw, seen, _MOST_AT_ONCE)
        self._prefix = machine.arn.split(":stateMachine:")[0]
        self._machine = replace(
            machine,
            arn=f"{machine.arn}/{self._label}",
            name=f"{machine.name}/{self._label}",
            definition={"StartAt": processor["StartAt"], "States": processor["States"], "QueryLanguage": line.language},
            express=processor.get("ProcessorConfig", {}).get("ExecutionType") == "EXPRESS",
        )
        counts = dict.fromkeys(_NOUGHT, 0) | {"total": items, "pending": items}
        self.record = {
            "mapRunArn": f"{self._prefix}:mapRun:{self._machine.name}:{uuid.uuid4()}",
            "executionArn": line.execution,
            "status": "RUNNING",
            "startDate": stepfunctions.now_iso(),
            "maxConcurrency": self._cap if self._cap != _MOST_AT_ONCE else 0,
            "toleratedFailurePercentage": float(self._share or 0),
            "toleratedFailureCount": int(self._limit or 0),
            "itemCounts": counts,
            "executionCounts": dict(counts),
            "redriveCount": 0,
            "_stateMachineArn": self._machine.arn,
        }
        self._lock = threading.Lock()
        stepfunctions._map_runs[self.record["mapRunArn"]] = self.record

    def children(self, inputs: list) -> list[dict]:
        """Run a child for each input; their records, in that order. Raises StateError, or Stopped."""
        self.record["executionCounts"] |= {"total": len(inputs), "pending": len(inputs)}
        records: list[dict] = []
        room, ended = threading.Semaphore(self._cap), Pending()
        stop = Stop(self._line.stop)
        left = [len(inputs)]

        def over(record: dict) -> None:
            with self._lock:
                self._count("running", -1, record)
                self._count(_COUNT[record["status"]], 1, record)
                left[0] -= 1
                failed = self._failed()
            room.release()
            if left[0] == 0:
                ended.settle(True)
            elif self._too_many(failed, len(inputs)):
                stop.stop()

        for given in inputs:
            while not room.acquire(timeout=0.02):
                self._line.check()
            if stop.set:
                break
            records.append(self._start(given, over, stop))
        if len(records) == len(inputs) and inputs:
            self._line.outcome(ended, None, None) if not stop.set else None
        self._line.check()
        stop.leave()
        return records

    def _start(self, given: object, over, stop: Stop) -> dict:
        name = str(uuid.uuid4())
        kind = "express" if self._machine.express else "execution"
        arn = f"{self._prefix}:{kind}:{self._machine.name}:{name}"
        run = executions.prepare(self._machine, arn, name, text(given), mapRunArn=self.record["mapRunArn"])
        run.record["_items"] = len(given["Items"]) if isinstance(given, dict) and "Items" in given else 1
        with self._lock:
            self._count("pending", -1, run.record)
            self._count("running", 1, run.record)
        run.listeners.append(over)
        stop.listen(lambda: executions.abort(arn, "", "The Map Run was stopped."))
        run.line.history.add("ExecutionStarted", 0, {"input": text(given), "roleArn": self._machine.role})
        seconds = executions.EXPRESS_SECONDS if self._machine.express else None
        executions.go(run, self._processor["StartAt"], given, seconds)
        return run.record

    def _count(self, name: str, by: int, record: dict) -> None:
        self.record["executionCounts"][name] += by
        self.record["itemCounts"][name] += by * record["_items"]

    def _failed(self) -> int:
        return self.record["executionCounts"]["failed"] + self.record["executionCounts"]["timedOut"]

    def _too_many(self, failed: int, total: int) -> bool:
        if not failed:
            return False
        if self._limit is None and self._share is None:
            return True
        over_limit = self._limit is not None and failed > self._limit
        return over_limit or (self._share is not None and failed * 100 > self._share * total)

    def judge(self, children: list[dict], total: int) -> None:
        """Raise StateError where more has failed than is tolerated."""
        if self._too_many(self._failed(), total):
            raise StateError(
                "States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded"
            )

    def close(self, status: str) -> None:
        from ministack.services import stepfunctions

        for counts in (self.record["itemCounts"], self.record["executionCounts"]):
            counts["aborted"] += counts["pending"]
            counts["pending"] = 0
        self.record |= {"status": status, "stopDate": stepfunctions.now_iso()}
