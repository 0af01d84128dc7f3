"""Grades the submissions of a cohort that have no result yet, several at once, each apart from the others."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from cloudkata.course import Course
from cloudkata.engine.remote import EngineError
from cloudkata.grading.attempt import FAULT
from cloudkata.grading.cohort.admission import Admission, cores
from cloudkata.grading.cohort.intake import Submission, fingerprint, prepare
from cloudkata.grading.cohort.results import REFUSED, STOPPED, Result, Store, result_of, steady
from cloudkata.grading.cohort.secret import seed_of
from cloudkata.grading.cohort.supervise import Bounds, Cancelled, Ended, Job, supervise
from cloudkata.grading.cohort.tray import Refused

TRIES = 2  # a fault of ours is tried once more before it is reported
_IN_VAIN = 6
_PREFIX, _LOCK = "kg-", "owner.lock"


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
    """Those without a verdict on what is there now. An `error` is none."""
    done = store.all()

    def is_done(one: Submission) -> bool:
        result = done.get(one.key)
        return result is not None and result.status != FAULT and result.source == fingerprint(one)

    return [one for one in submissions if not is_done(one)]


class Patience:
    """Gives up when nothing can be graded at all, instead of trying that with everybody."""

    def __init__(self) -> None:
        self._in_vain = 0

    def seen(self, result: Result) -> None:
        """Raises EngineError when all attempts so far, and enough of them, were faults of ours."""
        if result.status == FAULT and self._in_vain >= 0:
            self._in_vain += 1
            if self._in_vain >= _IN_VAIN:
                raise EngineError(f"the first {_IN_VAIN} attempts all failed through our fault: {result.reason}")
        elif result.status != REFUSED:
            self._in_vain = -1  # it works


def grade_here(plan: Plan, store: Store, todo: list[Submission], seen: Callable[[Result], None]) -> None:
    """Grade `todo` on this machine; `seen` gets each result once it is kept. Ctrl-C ends all that runs."""
    admission = Admission(plan.workers)
    cancelled, patience = threading.Event(), Patience()
    with scratch() as place, ThreadPoolExecutor(plan.workers, "kata-grade") as pool:
        jobs = [pool.submit(_grade, plan, one, place, admission, cancelled.is_set) for one in todo]
        waiting = set(jobs)
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    store.put(result)
                    seen(result)
                    patience.seen(result)
        except BaseException:
            cancelled.set()
            for future in jobs:
                future.cancel()
            raise


def _grade(plan: Plan, one: Submission, place: Path, admission: Admission, cancelled: Callable[[], bool]) -> Result:
    with admission.admitted(cancelled) as slot:
        if slot is None or cancelled():
            raise Cancelled
        memory = admission.share(plan.bounds.memory)
        bounds = replace(plan.bounds, memory=memory)
        seed, source = seed_of(plan.secret, one.name, plan.slug), fingerprint(one)
        result = Result(one.learner, one.key, plan.slug, FAULT)
        for _ in range(TRIES):
            with folder_in(place) as own:
                result = grade_one(plan, one, own, seed, bounds, slot.measured, cancelled)
            if result.status != FAULT:
                break
        return replace(result, source=source)


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
    folder = prepared(plan, one, own)
    if isinstance(folder, Result):
        return folder
    job = Job(str(plan.course.root), plan.slug, str(folder), seed, plan.trust)
    return concluded(supervise(job, own, bounds, plan.module, measured=measured, cancelled=cancelled), one, plan.slug)


def prepared(plan: Plan, one: Submission, own: Path) -> Path | Result:
    """The folder to grade, or the result of a submission that has none. Never raises: the others go on."""
    try:
        return prepare(one, plan.course, plan.slug, own)
    except Refused as error:
        return Result(one.learner, one.key, plan.slug, REFUSED, reason=steady(str(error)))
    except Exception as error:  # noqa: BLE001 (whatever it is about, it is about this submission alone)
        reason = steady(f"it could not be read: {type(error).__name__}: {error}")
        return Result(one.learner, one.key, plan.slug, FAULT, reason=reason)


def concluded(ended: Ended, one: Submission, slug: str) -> Result:
    """The result that the end of an attempt comes to."""
    if ended.report is not None:
        return result_of(ended.report, one.learner, one.key, slug)
    if ended.stopped:
        return Result(one.learner, one.key, slug, STOPPED, reason=ended.stopped)
    return Result(one.learner, one.key, slug, FAULT, reason=steady(ended.wrong))


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A new folder for what runs. What processes that were killed left behind is removed first.

    Its path is short, since sockets lie below it.
    """
    root = Path(tempfile.gettempdir())
    try:
        _sweep(root)
        # it gets the name that _sweep() looks for once it is locked
        made = Path(tempfile.mkdtemp(prefix="kn-", dir=root))
        lock = os.open(made / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = made.rename(root / f"{_PREFIX}{made.name.removeprefix('kn-')}")
    except OSError as error:
        raise EngineError(f"there is nowhere to unpack submissions in {root}: {error.strerror}") from error
    try:
        yield made
    finally:
        _remove(made)
        os.close(lock)


def _sweep(root: Path) -> None:
    for folder in root.glob(f"{_PREFIX}*"):
        try:
            if folder.lstat().st_uid != os.geteuid():
                continue
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)
        except OSError:
            pass  # its owner lives
        finally:
            os.close(lock)


_numbers = iter(range(1 << 62))


@contextlib.contextmanager
def folder_in(scratch: Path) -> Iterator[Path]:
    own = scratch / str(next(_numbers))
    own.mkdir(mode=0o700)
    try:
        yield own
    finally:
        _remove(own)


def _remove(folder: Path) -> None:
    if not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
