"""Grades the grader: solution, starter, neighbours and misconceptions of a lab against all of its checks."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from cloudkata.checking.verdict import FAILED, PASSED, SKIPPED
from cloudkata.course import Course, Lab, Variant, find_course, load_lab, load_misconceptions, load_neighbours
from cloudkata.course.variants import make_variant
from cloudkata.grading.attempt import FAULT, NOT_DEPLOYED, PASS, Attempt, attempt
from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.endpoint import EndpointTarget
from cloudkata.targets.shared import Shared

MIN_NEIGHBOURS = 3
_TRIES = 2  # a fault of ours or the target's is tried once more before it is reported


@dataclass(frozen=True)
class Row:
    """One variant and what its attempt came to. `kind`: solution, starter, neighbour or misconception."""

    kind: str
    id: str
    attempt: Attempt

    @property
    def failing(self) -> list[str]:
        return [verdict.id for verdict in self.attempt.verdicts if verdict.status == FAILED]


@dataclass(frozen=True)
class Matrix:
    """All rows of a lab, and in `problems` a sentence for each rule that does not hold."""

    lab: Lab
    rows: tuple[Row, ...]
    problems: tuple[str, ...]

    @property
    def records(self) -> dict[str, list[str]]:
        """The full failing set of each misconception."""
        return {row.id: row.failing for row in self.rows if row.kind == "misconception"}


def run_matrix(
    course: Course,
    slug: str,
    workers: int,
    progress: Callable[[str], None] = lambda text: None,
    *,
    endpoint: str = "",
) -> Matrix:
    """Run every variant of a lab, in `workers` processes with an engine each, or on the `endpoint` at a URL.

    Checks that an endpoint cannot show are left out of every row, and so is what rests on them. Raises CourseError.
    """
    lab = load_lab(course, slug)
    misconceptions, neighbours = load_misconceptions(course, slug), load_neighbours(course, slug)
    with tempfile.TemporaryDirectory(prefix="kata-matrix-") as scratch:
        jobs = [("solution", "solution", course.solution(slug)), ("starter", "starter", course.starter(slug))]
        for kind, variants in (("neighbour", neighbours), ("misconception", misconceptions)):
            for variant in variants:
                folder = make_variant(course.solution(slug), variant, Path(scratch) / kind / variant.id)
                jobs.append((kind, variant.id, folder))
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            workers, mp_context=context, initializer=_start, initargs=(str(course.root), endpoint)
        ) as pool:
            futures = [(kind, name, pool.submit(_grade, slug, str(folder))) for kind, name, folder in jobs]
            rows = []
            for kind, name, future in futures:
                rows.append(Row(kind, name, future.result()))
                progress(f"{slug}: {len(rows)} of {len(jobs)}")
    if endpoint:
        lab, misconceptions, rows = shown_only(lab, misconceptions, rows)
    problems = judge(lab, misconceptions, rows)
    return Matrix(lab, tuple(rows), tuple(problems))


_state: dict = {}


def _start(root: str, endpoint: str) -> None:
    """A worker's own course and engine; the engine ends with the worker, and the worker with who started it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _state["course"] = find_course(Path(root))
    if endpoint:
        _state["target"] = EndpointTarget(endpoint)
    else:
        _renew_engine()


def _renew_engine() -> None:
    _state["engine"] = EmbeddedTarget().__enter__()
    _state["target"] = Shared(_state["engine"])


def _end_with_parent() -> None:
    """A pool's workers outlive a parent that was killed: they wait for work from a queue that they hold open."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _grade(slug: str, folder: str) -> Attempt:
    course = _state["course"]
    for _ in range(_TRIES):
        result = attempt(course, load_lab(course, slug), Path(folder), _state["target"])
        if result.status != FAULT:
            break
        if "engine" in _state and not _state["engine"].engine.alive:
            _renew_engine()
    return result


def shown_only(lab: Lab, misconceptions: list[Variant], rows: list[Row]) -> tuple[Lab, list[Variant], list[Row]]:
    """The same without the checks that were skipped for the solution, and the misconceptions only those catch."""
    solution = next(row for row in rows if row.kind == "solution")
    skipped = {verdict.id for verdict in solution.attempt.verdicts if verdict.status == SKIPPED}
    kept = [replace(one, caught_by=tuple(c for c in one.caught_by if c not in skipped)) for one in misconceptions]
    kept = [one for one in kept if one.caught_by]
    names = {one.id for one in kept}
    left = []
    for row in rows:
        if row.kind == "starter":
            left.append(row)  # a task with a skipped check is not won
        elif row.kind != "misconception" or row.id in names:
            verdicts = tuple(verdict for verdict in row.attempt.verdicts if verdict.id not in skipped)
            left.append(replace(row, attempt=replace(row.attempt, verdicts=verdicts)))
    return replace(lab, checks=tuple(spec for spec in lab.checks if spec.id not in skipped)), kept, left


def judge(lab: Lab, misconceptions: list[Variant], rows: list[Row]) -> list[str]:
    """A sentence for each rule of the matrix that the rows break."""
    return [
        *_right_ones(rows),
        *_starter(rows),
        *_wrong_ones(lab, misconceptions, rows),
        *_every_check(lab, rows),
    ]


def _right_ones(rows: list[Row]):
    for row in rows:
        if row.kind in ("solution", "neighbour"):
            bad = [f"{verdict.id} {verdict.status}" for verdict in row.attempt.verdicts if verdict.status != PASSED]
            if row.attempt.status != PASS or bad:
                yield f"{row.kind} {row.id} must pass everything: {row.attempt.problem or ', '.join(bad)}"
    if sum(row.kind == "neighbour" for row in rows) < MIN_NEIGHBOURS:
        yield f"there must be at least {MIN_NEIGHBOURS} neighbours"


def _starter(rows: list[Row]):
    for row in rows:
        if row.kind != "starter":
            continue
        if row.attempt.status in (NOT_DEPLOYED, FAULT):
            yield f"the starter must deploy: {row.attempt.problem or row.attempt.status}"
        elif row.attempt.score > 0:
            yield "the starter must pass no task"


def _wrong_ones(lab: Lab, misconceptions: list[Variant], rows: list[Row]):
    tasks = {spec.id: spec.task for spec in lab.checks}
    by_id = {row.id: row for row in rows if row.kind == "misconception"}
    for variant in misconceptions:
        row = by_id[variant.id]
        if row.attempt.status in (NOT_DEPLOYED, FAULT):
            faults = [f"{v.id}: {v.actual}" for v in row.attempt.verdicts if v.status == "error"]
            yield f"{variant.id} must deploy and be graded: {row.attempt.problem or '; '.join(faults)}"
            continue
        for check in variant.caught_by:
            if check not in tasks:
                yield f"{variant.id}: there is no check {check}"
            elif check not in row.failing:
                yield f"{variant.id} must make {check} fail"
        related = {tasks[check] for check in variant.caught_by if check in tasks}
        strays = [check for check in row.failing if tasks[check] not in related]
        if strays:
            yield f"{variant.id} makes checks of other tasks fail: {', '.join(strays)}"


def _every_check(lab: Lab, rows: list[Row]):
    tasks = {spec.id: spec.task for spec in lab.checks}
    sizes: dict[str, int] = {}
    for task in tasks.values():
        sizes[task] = sizes.get(task, 0) + 1
    for check, task in tasks.items():
        sharp = [
            row
            for row in rows
            if row.kind == "misconception"
            and check in row.failing
            and sum(tasks[other] == task for other in row.failing) * 2 <= max(2, sizes[task])
        ]
        if not sharp:
            yield f"{check} is made to fail by no misconception that fails at most half of its task's checks"


def workers_here() -> int:
    """As many workers as there are cores to run them on."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
