"""Runs checks with pytest and collects their verdicts."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path

from cloudkata.checking.expectation import NotAsExpected
from cloudkata.checking.lab import CheckedLab, Deployed, NoScripts
from cloudkata.checking.verdict import BLOCKED, ERROR, FAILED, PASSED, SKIPPED, Verdict
from cloudkata.course.model import CheckSpec, Lab

# Plugins of pytest that write where we do, or look through all objects for what was never awaited.
_LEFT_OUT = ("terminal", "cacheprovider", "faulthandler", "unraisableexception", "threadexception")
EMBEDDED = "embedded"  # the target that shows every behaviour there is a check for


class _Collector:
    """A pytest plugin: provides `lab`, blocks what depends on a failed check, and records verdicts."""

    def __init__(self, specs: list[CheckSpec], deployed: Deployed, progress, first, seen, stopped) -> None:
        self._specs = {(spec.file, spec.function): spec for spec in specs}
        self._deployed = deployed
        self._progress, self._seen, self._stopped = progress, seen, stopped
        self._first = with_groundwork(specs, first)
        self.verdicts: dict[str, Verdict] = {}
        self.interrupted = False

    def _spec(self, item) -> CheckSpec | None:
        return self._specs.get((Path(str(item.fspath)).name, item.name))

    def pytest_collection_modifyitems(self, items) -> None:
        items[:] = [item for item in items if self._spec(item)]
        items.sort(key=lambda item: self._spec(item).id not in self._first)

    def pytest_keyboard_interrupt(self, excinfo) -> None:
        self.interrupted = not self._stopped()

    def pytest_runtest_protocol(self, item, nextitem):
        spec = self._spec(item)
        assert spec is not None
        if self._stopped():
            item.session.shouldstop = "there is something newer"
            return True
        self._progress(spec.claim)
        lost = {name: self.verdicts[name].status for name in spec.after if self.verdicts[name].status != PASSED}
        if lost:
            only_skipped = set(lost.values()) == {SKIPPED}
            self._record(spec, SKIPPED if only_skipped else BLOCKED, 0.0, why=f"It builds on {', '.join(lost)}.")
            return True
        lacking = [name for name in spec.needs if name in self._deployed.lacking]
        if lacking:
            found = {name: self._deployed.lacking[name] for name in lacking}
            self._record(spec, SKIPPED, 0.0, why=not_shown(found, self._deployed.session.target))
            return True
        began = time.monotonic()
        lab = CheckedLab(self._deployed, spec.id)
        try:
            with contextlib.closing(lab):
                item.obj(lab)
        except NoScripts:
            self._record(spec, SKIPPED, 0.0, why="It calls your scripts; with --outputs nothing of yours is run.")
        except NotAsExpected as error:
            took = time.monotonic() - began
            self._record(spec, FAILED, took, error.expected, error.actual, error.why)
        except Exception as error:  # whatever a check raises besides is our fault or the target's
            took = time.monotonic() - began
            self._record(spec, ERROR, took, actual=f"{type(error).__name__}: {error}"[:2048])
        else:
            self._record(spec, PASSED, time.monotonic() - began)
        return True

    def _record(self, spec: CheckSpec, status: str, seconds: float, expected="", actual="", why="") -> None:
        verdict = Verdict(spec.id, spec.task, spec.claim, status, round(seconds, 3), expected, actual, why)
        self.verdicts[spec.id] = verdict
        self._seen(verdict)


def not_shown(lacking: dict[str, str], target: str) -> str:
    """Why a check is skipped: what of the behaviours it needs was seen, and where they can be shown."""
    seen = "; ".join(f"{name} ({what})" for name, what in lacking.items())
    elsewhere = f" The {EMBEDDED} target can." if target != EMBEDDED else ""
    return f"This target does not show {seen}.{elsewhere}"


def with_groundwork(specs: Collection[CheckSpec], chosen: Collection[str]) -> set[str]:
    """The `chosen` checks and those that they build on, directly or not."""
    found = set(chosen)
    for spec in reversed(list(specs)):
        if spec.id in found:
            found |= set(spec.after)
    return found


def run_checks(
    lab: Lab,
    folder: Path,
    deployed: Deployed,
    only: Collection[str] | None = None,
    progress: Callable[[str], None] = lambda text: None,
    *,
    first: Collection[str] = (),
    seen: Callable[[Verdict], None] = lambda verdict: None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Verdict]:
    """Run the checks of `lab` from `folder`, or those in `only`; a verdict for each, in the order declared.

    Those in `first` run before the others. `seen` gets each verdict as soon as it is there. Between two checks
    `stopped` is asked whether to leave the rest; they get no verdict then. Raises KeyboardInterrupt after Ctrl-C.
    """
    import pytest

    wanted = [spec for spec in lab.checks if only is None or spec.id in only]
    collector = _Collector(wanted, deployed, progress, first, seen, stopped)
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(("PYTEST_", "PYTHON"))}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        pytest.main(
            [
                str(folder),
                *("-c", os.devnull, "--rootdir", str(folder), "--confcutdir", str(folder), "--noconftest"),
                *(word for name in _LEFT_OUT for word in ("-p", f"no:{name}")),
                *("--assert=plain", "--import-mode=importlib"),
                *("-o", "python_files=test_*.py", "-o", "python_functions=test_*"),
            ],
            plugins=[collector],
        )
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        os.environ.update(kept)
    if collector.interrupted:
        raise KeyboardInterrupt
    if stopped():
        return [collector.verdicts[spec.id] for spec in wanted if spec.id in collector.verdicts]
    missing = "the check did not run"
    return [
        collector.verdicts.get(spec.id) or Verdict(spec.id, spec.task, spec.claim, ERROR, 0.0, actual=missing)
        for spec in wanted
    ]
