"""Grades one folder against one lab on one target."""

from __future__ import annotations

import contextlib
import importlib
import secrets
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from cloudkata.checking.lab import Deployed
from cloudkata.checking.plugin import run_checks
from cloudkata.checking.verdict import ERROR, FAILED, PASSED, SKIPPED, Verdict
from cloudkata.course.model import Course, Lab
from cloudkata.deployment.crew import Crew
from cloudkata.deployment.learner import Deployment, deploy
from cloudkata.deployment.outputs import OutputError, verify
from cloudkata.engine.process import EngineError
from cloudkata.grading.diagnosis import Diagnosis, diagnose
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


def attempt(
    course: Course,
    lab: Lab,
    folder: Path,
    target,
    *,
    seed: int | None = None,
    task: str = "",
    progress=lambda text: None,
) -> Attempt:
    """Deploy `folder` on `target`, verify what it claims, and run the lab's checks. Never raises for learner code."""
    seed = secrets.randbelow(1 << 32) if seed is None else seed
    began, started = time.monotonic(), time.time()
    only = _wanted(lab, task) if task else None

    def came_to(status: str, **more) -> Attempt:
        took = round(time.monotonic() - began, 3)
        return Attempt(lab, target.name, isolation().level, seed, took, status, started=started, **more)

    try:
        progress("Starting the engine")
        with contextlib.ExitStack() as stack:
            threading.Thread(target=_preload, daemon=True).start()
            stack.enter_context(target)
            session = target.session(lab.number)
            progress("Running deploy.py")
            crew = stack.enter_context(Crew(folder, session, lab.calls, lab.racers if lab.calls else 0))
            deployment = deploy(folder, session)
            if deployment.error:
                _blame(session, "while deploy.py ran")
                return came_to(NOT_DEPLOYED, deployment=deployment, problem=deployment.error)
            try:
                outputs = verify(deployment.outputs, lab.outputs, session)
            except OutputError as error:
                _blame(session, "after deploy.py")
                return came_to(NOT_DEPLOYED, deployment=deployment, problem=str(error))
            needed = sorted({name for spec in lab.checks for name in spec.needs})
            deployed = Deployed(session, outputs, crew, seed, target.lacks(needed) if needed else {})
            crew.outputs = outputs
            verdicts = tuple(run_checks(lab, course.checks(lab.slug), deployed, only, progress))
            if _status(verdicts) != PASS:
                _blame(session, "while the checks ran")
    except (EngineError, SandboxError, BotoCoreError, ClientError) as error:
        return came_to(FAULT, problem=str(error))
    failing = [verdict.id for verdict in verdicts if verdict.status == FAILED]
    some = any(verdict.status == PASSED for verdict in verdicts)  # where nothing works, no single belief explains it
    found = diagnose(course, lab.slug, failing) if failing and some and not only else Diagnosis()
    return came_to(_status(verdicts), verdicts=verdicts, deployment=deployment, diagnosis=found)


def _blame(session: Session, when: str) -> None:
    """What failed on a target that has a fault is not the learner's. Raises EngineError."""
    if fault := session.fault():
        raise EngineError(f"{fault} ({when})")


def _preload() -> None:
    """Import what the checks run on while the target starts, which is another process and keeps us waiting."""
    for name in ("pytest", "botocore.session", "botocore.client"):
        importlib.import_module(name)


def _status(verdicts: tuple[Verdict, ...]) -> str:
    found = {verdict.status for verdict in verdicts}
    if ERROR in found:
        return FAULT
    # what was skipped proves nothing, so a pass needs a check that passed
    return PASS if PASSED in found and found <= {PASSED, SKIPPED} else FAIL


def _wanted(lab: Lab, task: str) -> set[str]:
    """The checks of one task, and those that they come after."""
    found = {spec.id for spec in lab.checks if spec.task == task}
    for spec in reversed(lab.checks):
        if spec.id in found:
            found |= set(spec.after)
    return found
