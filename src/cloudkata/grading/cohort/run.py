"""Grades the submissions of a cohort that have no result yet, several at once, each apart from the others."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cloudkata.course import Course, CourseError
from cloudkata.grading.attempt import FAULT
from cloudkata.grading.cohort.admission import Admission, cores
from cloudkata.grading.cohort.intake import Submission, prepare
from cloudkata.grading.cohort.results import REFUSED, STOPPED, Result, Store, result_of, steady
from cloudkata.grading.cohort.secret import seed_of
from cloudkata.grading.cohort.supervise import Bounds, Cancelled, Ended, Job, supervise
from cloudkata.grading.cohort.tray import Refused

_TRIES = 2  # a fault of ours is tried once more before it is reported


@dataclass(frozen=True)
class Plan:
    """How a cohort is graded. `module` is what one attempt runs in, see supervise.py."""

    course: Course
    slug: str
    secret: bytes
    module: str
    trust: bool = False
    workers: int = field(default_factory=cores)
    bounds: Bounds = field(default_factory=Bounds)


def open_submissions(store: Store, submissions: list[Submission]) -> list[Submission]:
    """Those without a verdict. An `error` is none."""
    done = store.all()
    return [one for one in submissions if one.key not in done or done[one.key].status == FAULT]


def grade_here(plan: Plan, store: Store, todo: list[Submission], seen: Callable[[Result], None]) -> None:
    """Grade `todo` on this machine; `seen` gets each result once it is kept. Ctrl-C ends all that runs."""
    admission = Admission(plan.workers)
    cancelled = threading.Event()
    with scratch_for(store.root) as scratch, ThreadPoolExecutor(plan.workers, "kata-grade") as pool:
        jobs = [pool.submit(_grade, plan, one, scratch, admission, cancelled.is_set) for one in todo]
        waiting = set(jobs)
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    store.put(result)
                    seen(result)
        except BaseException:
            cancelled.set()
            for future in jobs:
                future.cancel()
            raise


def _grade(plan: Plan, one: Submission, scratch: Path, admission: Admission, cancelled: Callable[[], bool]) -> Result:
    with admission.admitted(cancelled) as slot:
        if slot is None or cancelled():
            raise Cancelled
        memory = admission.share(plan.bounds.memory)
        bounds = Bounds(plan.bounds.seconds, memory, plan.bounds.disk, plan.bounds.processes)
        seed = seed_of(plan.secret, one.name, plan.slug)
        result = Result(one.learner, one.key, plan.slug, FAULT)
        for _ in range(_TRIES):
            with _folder_in(scratch) as own:
                result = grade_one(plan, one, own, seed, bounds, slot.measured, cancelled)
            if result.status != FAULT:
                break
        return result


def grade_one(
    plan: Plan,
    one: Submission,
    own: Path,
    seed: int,
    bounds: Bounds,
    measured: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> Result:
    """What becomes of one submission, with all files of the attempt in the folder `own`. Raises Cancelled."""
    try:
        folder = prepare(one, plan.course, plan.slug, own)
    except Refused as error:
        return refused(one, plan.slug, str(error))
    except OSError as error:
        return Result(one.learner, one.key, plan.slug, FAULT, reason=f"it could not be read: {error.strerror}")
    job = Job(str(plan.course.root), plan.slug, str(folder), seed, plan.trust)
    return concluded(supervise(job, own, bounds, plan.module, measured=measured, cancelled=cancelled), one, plan.slug)


def refused(one: Submission, slug: str, reason: str) -> Result:
    return Result(one.learner, one.key, slug, REFUSED, reason=steady(reason))


def concluded(ended: Ended, one: Submission, slug: str) -> Result:
    """The result that the end of an attempt comes to."""
    if ended.report is not None:
        return result_of(ended.report, one.learner, one.key, slug)
    if ended.stopped:
        return Result(one.learner, one.key, slug, STOPPED, reason=ended.stopped)
    return Result(one.learner, one.key, slug, FAULT, reason=steady(ended.wrong))


@contextlib.contextmanager
def scratch_for(root: Path) -> Iterator[Path]:
    """A folder for what runs, the same each time for the results in `root`: what a killed run left there goes first.

    Its path is short, since sockets lie below it. Whoever calls has the results for itself.
    """
    name = f"kg-{os.geteuid()}-{sha256(os.fsencode(root.resolve())).hexdigest()[:8]}"
    scratch = Path(tempfile.gettempdir(), name)
    _remove(scratch)
    try:
        scratch.mkdir(mode=0o700)
    except OSError as error:
        raise CourseError(f"{scratch}, where submissions are unpacked, cannot be made: {error.strerror}") from error
    try:
        yield scratch
    finally:
        _remove(scratch)


_numbers = iter(range(1 << 62))


@contextlib.contextmanager
def _folder_in(scratch: Path) -> Iterator[Path]:
    own = scratch / str(next(_numbers))
    own.mkdir(mode=0o700)
    try:
        yield own
    finally:
        _remove(own)


def _remove(folder: Path) -> None:
    """Remove a folder, whatever modes are set below it; a link is not followed."""
    if folder.is_symlink() or not folder.exists() or folder.stat().st_uid != os.geteuid():
        return
    shutil.rmtree(folder, ignore_errors=True)
