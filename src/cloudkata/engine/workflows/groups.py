"""Parallel and the inline Map: lines that run together, and stop together when one fails.

https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html: results in the order of the branches; a
branch that fails stops all others. https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html: at
most 40 iterations at once, results in the order of the items.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable

from cloudkata.engine.workflows.control import Line, Stop
from cloudkata.engine.workflows.data import arguments, effective, jsonata, number, query, setting
from cloudkata.engine.workflows.errors import RUNTIME, StateError, Stopped
from cloudkata.engine.workflows.paths import fill
from cloudkata.engine.workflows.states import walk

MOST_AT_ONCE = 40


def run_parallel(line: Line, state: dict, raw: object) -> list:
    """The outputs of all branches. Raises the StateError of the branch that failed first."""
    given = arguments(line, state, raw, effective(line, state, raw))
    line.event("ParallelStateStarted")
    branches = state["Branches"]

    def run(number: int, stop: Stop) -> tuple[object, int]:
        branch = branches[number]
        own = line.branch(branch["States"], stop)
        try:
            return walk(own, branch["StartAt"], given), own.previous
        except StateError as error:
            raise _Ended(error, own.previous) from error

    return _together(line, "Parallel", len(branches), len(branches), run)


def run_map(line: Line, state: dict, raw: object) -> object:
    """The outputs of all iterations. Raises StateError: that of the iteration that failed first, if one did."""
    processor = state.get("ItemProcessor") or state["Iterator"]
    if processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
        from cloudkata.engine.workflows.map_runs import run_distributed

        return run_distributed(line, state, raw, processor)
    seen = effective(line, state, raw)
    items = items_of(line, state, raw, seen)
    at_once = cap(line, state, raw, seen, MOST_AT_ONCE)
    line.event("MapStateStarted", {"length": len(items)})
    name = line.state[0]

    def run(index: int, stop: Stop) -> tuple[object, int]:
        own = line.branch(processor["States"], stop)
        own.context["Map"] = {"Item": {"Index": index, "Value": items[index]}}
        details = {"name": name, "index": index}
        try:
            own.event("MapIterationStarted", details)
            output = walk(own, processor["StartAt"], item_input(own, state, raw, seen, items[index]))
            own.event("MapIterationSucceeded", details)
        except StateError as error:
            raise _Ended(error, own.event("MapIterationFailed", details)) from error
        except Stopped:
            with contextlib.suppress(Stopped):
                own.history.add("MapIterationAborted", own.previous, details)
            raise
        return output, own.previous

    return _together(line, "Map", len(items), at_once, run)


def items_of(line: Line, state: dict, raw: object, seen: object) -> list:
    """The array that a Map goes through. Raises StateError."""
    if jsonata(line, state):
        items = query(line, state["Items"], raw) if "Items" in state else raw
    else:
        items = setting(line, {"ItemsPath": state.get("ItemsPath", "$")}, "Items", seen)
    if not isinstance(items, list):
        raise StateError(RUNTIME, f"Reference path '{state.get('ItemsPath', '$')}' must point to array.")
    return items


def cap(line: Line, state: dict, raw: object, seen: object, most: int) -> int:
    """How many may run at once: MaxConcurrency, where 0 is no cap of its own."""
    wanted = number(line, state, "MaxConcurrency", raw if jsonata(line, state) else seen, 0)
    return min(int(wanted or most), most)


def item_input(own: Line, state: dict, raw: object, seen: object, item: object) -> object:
    """What one iteration starts with: ItemSelector, or Parameters as it was called."""
    template = state.get("ItemSelector", state.get("Parameters"))
    if template is None:
        return item
    return query(own, template, raw) if jsonata(own, state) else fill(template, own.scope(seen))


class _Ended(Exception):
    """A line failed; `last` is the id of its last event."""

    def __init__(self, error: StateError, last: int) -> None:
        super().__init__(error)
        self.error = error
        self.last = last


def _together(line: Line, kind: str, count: int, at_once: int, run: Callable[[int, Stop], tuple[object, int]]) -> list:
    """Run `count` lines, `at_once` at a time; their outputs in order. Raises the first StateError, or Stopped."""
    stop = Stop(line.stop)
    results: list = [None] * count
    lasts = [line.previous]
    failed: list[_Ended] = []
    lock = threading.Lock()
    waiting = iter(range(count))

    def work() -> None:
        while not stop.set:
            with lock:
                number = next(waiting, None)
            if number is None:
                return
            try:
                results[number], last = run(number, stop)
                lasts.append(last)
            except Stopped:
                return
            except Exception as error:
                with lock:
                    failed.append(error if isinstance(error, _Ended) else _unexpected(error, line.previous))
                stop.stop()

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(work,), name="kata-branch", daemon=True)
        for _ in range(min(count, at_once))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.leave()
    line.check()
    if failed:
        line.previous = failed[0].last
        line.event(f"{kind}StateFailed")
        raise failed[0].error
    line.previous = max(lasts)
    line.event(f"{kind}StateSucceeded", follow=False)
    return results


def _unexpected(error: Exception, last: int) -> _Ended:
    return _Ended(StateError(RUNTIME, f"{type(error).__name__}: {error}"), last)
