"""`kata check` on a target that outlives the run, with what is to be known of it before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from cloudkata.course import Course, Lab
from cloudkata.reports.text import safe

if TYPE_CHECKING:
    from pathlib import Path

    from cloudkata.grading.attempt import Attempt, Run


class _Elsewhere:
    """Where what was deployed is taken down after the run unless it is to be kept. `later`: how else it can be."""

    def __init__(self, target, where: str, later: str = "") -> None:
        self._target, self._where, self._later = target, where, later

    def grade(self, course: Course, lab: Lab, folder: Path, run: Run) -> Attempt:
        from cloudkata.grading.attempt import attempt

        return attempt(course, lab, folder, self._target, seed=run.seed, task=run.task, progress=run.progress)

    def tell(self, console: Console) -> None:
        """What is still there, as far as it is known."""
        for account, prefix in self._target.kept:
            where = f"{self._where} account {account}, names that begin with {prefix}"
            console.print(f"It is still deployed {where}.", soft_wrap=True)
        for thing in self._target.left:
            console.print(f"Not taken down: {safe(thing)}", soft_wrap=True, markup=False)
        if self._target.left and self._later:
            console.print(f"Later: {self._later}", soft_wrap=True, markup=False)


class OnEndpoint(_Elsewhere):
    """On an emulator that runs already. Raises CourseError for what is no address of one."""

    def __init__(self, url: str, keep: bool) -> None:
        from cloudkata.targets.endpoint import EndpointTarget

        target = EndpointTarget(url, keep=keep)
        super().__init__(target, f"at {target.place.url},")


class OnAccount(_Elsewhere):
    """On a real account that was allowed, where what was deployed is taken down unless it is to be kept.

    Raises what opening the profile raises, and CourseError where the lab has no policy.
    """

    def __init__(self, course: Course, lab: Lab, profile: str, keep: bool) -> None:
        from cloudkata.targets.account import AccountTarget
        from cloudkata.targets.lab_roles import lab_policy
        from cloudkata.targets.profile import open_profile

        self._policy = lab_policy(course, lab.slug)
        self._profile, self._lab, self._keep = open_profile(profile), lab, keep
        target = AccountTarget(self._profile, self._policy, keep=keep)
        super().__init__(target, "in", f"kata sandbox sweep --profile {self._profile.name}")

    def announce(self, console: Console) -> None:
        """Say where it goes, what is made there, what it costs and how it ends. Raises CourseError: not allowed."""
        from cloudkata.targets.permission import must_be_allowed

        must_be_allowed(self._profile)
        played = f", played by {self._profile.endpoint}" if self._profile.endpoint else ""
        number, cost = self._lab.number, f" Rough cost: {self._lab.cost}" if self._lab.cost else ""
        end = (
            f"It stays there (--keep); to take it down: {self._later}"
            if self._keep
            else f"Afterwards all that is named kata{number}-... by this run is deleted; what is left: {self._later}"
        )
        for line in (
            f"Account {self._profile.place}, Region {self._profile.region}{played}, as {self._profile.arn}.",
            f"Lab {number} works there with {', '.join(self._policy.services)}.{cost}",
            end,
        ):
            console.print(safe(line), soft_wrap=not console.is_terminal, markup=False)
        console.print()

    def grade(self, course: Course, lab: Lab, folder: Path, run: Run) -> Attempt:
        from rich.markup import escape

        self._target.say = lambda text: run.progress(escape(safe(text)))
        return super().grade(course, lab, folder, run)
