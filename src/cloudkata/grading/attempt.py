"""Grades one folder against one lab on one target."""

from __future__ import annotations

import contextlib
import gc
import importlib
import secrets
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from cloudkata.checking.lab import Deployed
from cloudkata.checking.plugin import EMBEDDED, not_shown, run_checks, with_groundwork
from cloudkata.checking.verdict import ERROR, FAILED, PASSED, SKIPPED, Verdict
from cloudkata.course.model import Course, Lab
from cloudkata.deployment.crew import Crew
from cloudkata.deployment.learner import Deployment
from cloudkata.deployment.outputs import OutputError, verify
from cloudkata.engine.remote import EngineError
from cloudkata.grading.diagnosis import Diagnosis, diagnose
from cloudkata.grading.place import Place
from cloudkata.sandbox.isolation import isolation
from cloudkata.sandbox.launch import SandboxError
from cloudkata.targets.session import Session

PASS, FAIL, NOT_DEPLOYED, FAULT = "passed", "failed", "not deployed", "error"
EXIT = {PASS: 0, FAIL: 1, NOT_DEPLOYED: 2, FAULT: 3}


@dataclass(frozen=True)
class Attempt:
    """What one attempt came to. `status` is a key of EXIT; `problem` says in a sentence why nothing was graded."""

    lab: Lab
    target: str
    isolation: str
    seed: int
    seconds: float
    status: str
    verdicts: tuple[Verdict, ...] = ()
    deployment: Deployment | None = None
    problem: str = ""
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    started: float = 0.0

    @property
    def score(self) -> float:
        """The share of task weights all of whose checks passed, from 0 to 1."""
        total = sum(task.weight for task in self.lab.tasks)
        won = 0
        for task in self.lab.tasks:
            mine = [verdict for verdict in self.verdicts if verdict.task == task.id]
            if mine and all(verdict.status == PASSED for verdict in mine):
                won += task.weight
        return won / total if total else 0.0


class Abandoned(Exception):
    """The attempt was stopped before its checks were through."""


@dataclass(frozen=True)
class Run:
    """How to run an attempt: one `task` alone or the checks in `only`, the `seed` of another run, and who watches.

    `first`: checks to run before the others. `seen` gets each verdict as soon as it is there. `stopped` is asked
    between two checks whether to leave the rest.
    """

    seed: int | None = None
    task: str = ""
    progress: Callable[[str], None] = lambda text: None
    first: Collection[str] = ()
    seen: Callable[[Verdict], None] = lambda verdict: None
    stopped: Callable[[], bool] = lambda: False
    only: Collection[str] = ()


def attempt(
    course: Course,
    lab: Lab,
    folder: Path,
    target,
    *,
    seed: int | None = None,
    task: str = "",
    progress: Callable[[str], None] = lambda text: None,
) -> Attempt:
    """Deploy `folder` on `target`, verify what it claims, and run the lab's checks. Never raises for learner code."""
    run = Run(seed, task, progress)

    def grade(grading: _Grading) -> Attempt:
        threading.Thread(target=_preload, daemon=True).start()
        progress("Starting the engine")
        with target:
            return grading.deploy_and_prove(Place(lab, folder, target.session(lab.number)), target)

    return _Grading(course, lab, target.name, run).guarded(grade)


def attempt_at(course: Course, lab: Lab, place: Place, target, run: Run) -> Attempt:
    """The same in a place on a started `target`, which is closed afterwards. Raises Abandoned when it was stopped."""
    grading = _Grading(course, lab, target.name, run)
    return grading.guarded(lambda grading: grading.deploy_and_prove(place, target))


def attempt_deployed(
    course: Course,
    lab: Lab,
    claimed: dict[str, str],
    session: Session,
    target,
    run: Run,
    crew: Crew | None = None,
) -> Attempt:
    """Grade what was deployed by hand or by another tool in the account of `session`.

    No code of the learner's runs, unless there is a `crew` for the checks that call scripts.
    """
    grading = _Grading(course, lab, target.name, run)
    return grading.guarded(lambda grading: grading.prove(session, claimed, target, crew))


class _Grading:
    """One attempt while it runs."""

    def __init__(self, course: Course, lab: Lab, target: str, run: Run) -> None:
        self._course, self._lab, self._target, self._run = course, lab, target, run
        self._seed = secrets.randbelow(1 << 32) if run.seed is None else run.seed
        self._began, self._started = time.monotonic(), time.time()

    def guarded(self, grade: Callable[[_Grading], Attempt]) -> Attempt:
        """What `grade` comes to, or the fault of ours or the target's that it raises."""
        try:
            return grade(self)
        except (EngineError, SandboxError, BotoCoreError, ClientError) as error:
            return self._came_to(FAULT, problem=str(error))

    def deploy_and_prove(self, place: Place, target) -> Attempt:
        with contextlib.closing(place):
            if unfit := self._unfit(place.session, target):
                return unfit
            self._run.progress("Running deploy.py")
            place.prepare()
            deployment = place.deploy()
            if deployment.error:
                if excuse := place.session.excuse(deployment.error):
                    return self._came_to(FAULT, deployment=deployment, problem=excuse)
                _blame(place.session, "while deploy.py ran")
                return self._came_to(NOT_DEPLOYED, deployment=deployment, problem=deployment.error)
            if self._run.stopped():
                raise Abandoned
            return self.prove(place.session, deployment.outputs, target, place.crew, deployment)

    def _unfit(self, session: Session, target) -> Attempt | None:
        """What the attempt comes to where the target lacks what deploy.py itself needs: every check is skipped.

        The embedded target has all that a lab deploys, so it is not asked.
        """
        lab = self._lab
        if session.target == EMBEDDED or not (lacking := target.lacks(lab.needs)):
            return None
        why = not_shown(lacking, session.target)
        verdicts = tuple(Verdict(spec.id, spec.task, spec.claim, SKIPPED, 0.0, why=why) for spec in lab.checks)
        problem = f"lab {lab.number} cannot be deployed there. {why}"
        return self._came_to(FAULT, verdicts=verdicts, problem=problem)

    def prove(
        self,
        session: Session,
        claimed: dict[str, str],
        target,
        crew: Crew | None = None,
        deployment: Deployment | None = None,
    ) -> Attempt:
        """Verify what is `claimed` to be deployed, and run the checks."""
        lab, run = self._lab, self._run
        try:
            outputs = verify(claimed, lab.outputs, session)
        except OutputError as error:
            _blame(session, "after deploy.py")
            return self._came_to(NOT_DEPLOYED, deployment=deployment, problem=str(error))
        needed = sorted({name for spec in lab.checks for name in spec.needs})
        deployed = Deployed(session, outputs, crew, self._seed, target.lacks(needed) if needed else {})
        if crew is not None:
            crew.outputs = outputs
        wanted = run.only or [spec.id for spec in lab.checks if spec.task == run.task]
        only = with_groundwork(lab.checks, list(wanted)) if wanted else None
        verdicts = tuple(
            run_checks(
                lab,
                self._course.checks(lab.slug),
                deployed,
                only,
                run.progress,
                first=run.first,
                seen=run.seen,
                stopped=run.stopped,
            )
        )
        if run.stopped():
            raise Abandoned
        if session.target != EMBEDDED and {verdict.status for verdict in verdicts} == {SKIPPED}:
            problem = f"nothing of this can be shown there. {verdicts[0].why}"
            return self._came_to(FAULT, verdicts=verdicts, deployment=deployment, problem=problem)
        if _status(verdicts) != PASS:
            _blame(session, "while the checks ran")
        failing = [verdict.id for verdict in verdicts if verdict.status == FAILED]
        some = any(v.status == PASSED for v in verdicts)  # where nothing works, no single belief explains it
        # the failing sets that beliefs are known by are those of the embedded target
        known = session.target == EMBEDDED and failing and some and not only
        found = diagnose(self._course, lab.slug, failing) if known else Diagnosis()
        return self._came_to(_status(verdicts), verdicts=verdicts, deployment=deployment, diagnosis=found)

    def _came_to(self, status: str, **more) -> Attempt:
        took = round(time.monotonic() - self._began, 3)
        return Attempt(
            self._lab, self._target, isolation().level, self._seed, took, status, started=self._started, **more
        )


def _blame(session: Session, when: str) -> None:
    """What failed on a target that has a fault is not the learner's. Raises EngineError."""
    if fault := session.fault():
        raise EngineError(f"{fault} ({when})")


def _preload() -> None:
    """Import what the checks run on while the target starts, which is another process and keeps us waiting."""
    for name in ("pytest", "botocore.session", "botocore.client"):
        importlib.import_module(name)
    gc.freeze()  # modules stay: looking through them again and again would cost every check


def _status(verdicts: tuple[Verdict, ...]) -> str:
    found = {verdict.status for verdict in verdicts}
    if ERROR in found:
        return FAULT
    # what was skipped proves nothing, so a pass needs a check that passed
    return PASS if PASSED in found and found <= {PASSED, SKIPPED} else FAIL
