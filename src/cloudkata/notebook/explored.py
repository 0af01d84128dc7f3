"""A deployed lab in a notebook: what a check gets of it, races between processes, and the verdicts."""

from __future__ import annotations

import atexit
import contextlib
import secrets
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cloudkata.checking import CheckedLab
from cloudkata.checking.lab import Deployed
from cloudkata.course import Course, Lab, choose, choose_task, choose_variant, find_course, load_lab
from cloudkata.course.variants import make_variant
from cloudkata.deployment.learner import Called
from cloudkata.deployment.outputs import OutputError, verify
from cloudkata.grading.attempt import Run, attempt_at
from cloudkata.grading.place import Place
from cloudkata.notebook.shown import Shown
from cloudkata.targets import up
from cloudkata.targets.embedded import EmbeddedTarget, JoinedTarget

SOLUTION, WORKSPACE = "solution", "workspace"
_RACE_SECONDS = 30.0

_open = contextlib.ExitStack()  # what this kernel started
_targets: list[EmbeddedTarget] = []
atexit.register(_open.close)


class NotebookError(Exception):
    """Something in the notebook, or in the code that it deploys, has to be mended; the message says what."""

    def _render_traceback_(self) -> list[str]:
        """A sentence in place of a traceback: IPython asks for it."""
        return [str(self)]


class Explored(CheckedLab):
    """A deployed lab: outputs, clients, calls and the clock that a check has, and what a notebook needs besides."""

    def __init__(self, course: Course, lab: Lab, folder: Path, place: Place, deployed: Deployed) -> None:
        super().__init__(deployed, "notebook")
        self.folder, self.title = folder, lab.title
        self._course, self._lab, self._place = course, lab, place
        self._racers: list = []

    def name(self, base: str) -> str:
        """A name of this attempt's own for a resource, as the lab's deploy.py makes them."""
        return f"{self._session.prefix}-{base}"

    def race(self, *turns: Sequence[tuple]) -> list[list[Called]]:
        """Have each of several processes make its calls, the first ones together, then the second ones, and so on.

        Each of `turns` is one process's calls, such as ("transfer", "ada", "bob", 5, "r-1"); as many answers.
        """
        while len(self._racers) < len(turns):
            self._racers.append(self.caller())
        barrier = threading.Barrier(len(turns))

        def run(caller, calls: Sequence[tuple]) -> list[Called]:
            said = []
            try:
                for call in calls:
                    barrier.wait(_RACE_SECONDS)
                    said.append(caller.call(*call))
            except BaseException:
                barrier.abort()
                raise
            return said

        with ThreadPoolExecutor(len(turns)) as pool:
            return list(pool.map(run, self._racers, turns))

    def check(self, task: str = "") -> Shown:
        """Deploy the same code again, in an account of its own, and prove it: all tasks, or one."""
        if task:
            choose_task(self._lab, task)
        target = _target()
        place = Place(self._lab, self.folder, target.session(self._lab.number))
        return Shown(attempt_at(self._course, self._lab, place, target, Run(task=task)))

    def close(self) -> None:
        """End the processes that belong to it. Safe to call twice."""
        super().close()
        self._place.close()


def lab(word: str, code: str = SOLUTION) -> Explored:
    """Deploy a lab on the embedded engine: its "solution", your "workspace", or the solution with a variant by its id.

    Raises NotebookError for code that does not deploy, CourseError for a lab or a variant that there is not.
    """
    course = find_course(Path.cwd())
    slug = choose(course, word)
    found = load_lab(course, slug)
    folder = _folder(course, slug, code)
    target = _target()
    session = target.session(found.number)
    place = Place(found, folder, session)
    _open.callback(place.close)
    place.prepare()
    deployment = place.deploy()
    if deployment.error:
        where = "".join(f"\n{frame.file}, line {frame.line}: {frame.source}" for frame in deployment.frames)
        raise NotebookError(f"the code in {folder} did not deploy: {deployment.error}{where}")
    try:
        outputs = verify(deployment.outputs, found.outputs, session)
    except OutputError as error:
        raise NotebookError(str(error)) from error
    place.crew.outputs = outputs
    deployed = Deployed(session, outputs, place.crew, secrets.randbelow(1 << 32))
    explored = Explored(course, found, folder, place, deployed)
    _open.callback(explored.close)
    return explored


def _folder(course: Course, slug: str, code: str) -> Path:
    if code == SOLUTION:
        return course.solution(slug)
    if code == WORKSPACE:
        if not (course.workspace(slug) / "deploy.py").is_file():
            raise NotebookError(f"there is nothing of yours in workspace/{slug}: run kata start {slug[:2]}")
        return course.workspace(slug)
    scratch = Path(_open.enter_context(tempfile.TemporaryDirectory(prefix="kata-notebook-")))
    return make_variant(course.solution(slug), choose_variant(course, slug, code), scratch / slug)


def _target() -> EmbeddedTarget:
    """The engine of `kata notebook`, or of `kata up`; without one, an engine that ends with this kernel."""
    if _targets and _targets[0].engine.fault:
        _targets.clear()
    if not _targets:
        found = up.find()
        _targets.append(_open.enter_context(JoinedTarget(found.engine) if found else EmbeddedTarget()))
    return _targets[0]
