"""`kata watch`: grade on every save, on an engine that is kept warm."""

from __future__ import annotations

import contextlib
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from cloudkata.cli.check import own_folder, record
from cloudkata.cli.common import (
    AnyLab,
    JsonFile,
    chosen_lab,
    console_for,
    history_is_optional,
    progress_line,
    write_json,
)
from cloudkata.course import Course, Lab, choose_task, find_course
from cloudkata.study.progress import Progress

if TYPE_CHECKING:
    from cloudkata.checking.verdict import Verdict
    from cloudkata.grading.attempt import Attempt
    from cloudkata.grading.warm import Warm

_QUIET_MS = 20  # a save is several events (write, rename, attributes); so long after the last one it is complete
_LONGEST_MS = 200
_LOOK_MS = 1000  # for the end of the watch


def watch(
    lab: AnyLab = "",
    task: Annotated[str, typer.Option(help="Run only the checks of this task, and those they build on.")] = "",
    json_file: JsonFile = "",
) -> None:
    """Check your code on every save; what failed last comes first. Ctrl-C ends it.

    Examples: kata watch, kata watch 14 --task transfer
    """
    from cloudkata.course import load_lab
    from cloudkata.grading.warm import Warm

    course = find_course(Path.cwd())
    slug = chosen_lab(course, lab)
    found = load_lab(course, slug)
    if task:
        choose_task(found, task)
    console = console_for(json_file)
    folder = own_folder(course, slug)
    failed: list[str] = []
    with history_is_optional():
        failed = Progress(course.root / "workspace").last_failed(slug)
    console.print(Text(f"Watching workspace/{slug}. Every save is checked; Ctrl-C ends it.", "bold"))
    try:
        with saves(folder) as saved, contextlib.ExitStack() as stack:
            with progress_line(console) as progress:
                progress("Starting the engine")
                warm = stack.enter_context(Warm(course, found, folder))
            watched = _Watched(course, found, folder, warm, console, task, failed)
            watched.check(saved)
            while True:
                if watched.last is not None and json_file:
                    write_json(json_file, watched.report())
                warm.prepare()
                watched.wait(saved)
                watched.check(saved)
    except KeyboardInterrupt:
        console.print("\nNo longer watching.")


class _Watched:
    """One lab under watch, and what its last attempt came to."""

    def __init__(
        self, course: Course, lab: Lab, folder: Path, warm: Warm, console: Console, task: str, failed: list[str]
    ) -> None:
        self._course, self._lab, self._folder, self._warm = course, lab, folder, warm
        self._console, self._task, self._failed = console, task, failed
        self.last: Attempt | None = None
        self._graded: frozenset = frozenset()

    def wait(self, saved: threading.Event) -> None:
        """Wait until the files are others than those of the last verdict.

        One save is several events, which come apart on a machine with much to do: not each is a save.
        """
        while True:
            saved.clear()
            if files(self._folder) != self._graded:
                return
            saved.wait()

    def report(self) -> dict:
        from cloudkata.reports.as_json import as_dict

        assert self.last is not None
        return as_dict(self.last)

    def check(self, saved: threading.Event) -> None:
        """Grade the folder as it is; left, and begun again, when there is another save in the meantime."""
        from cloudkata.grading.attempt import Abandoned

        while True:
            saved.clear()
            if not (self._folder / "deploy.py").is_file():
                self._console.print("Waiting: there is no deploy.py.")
                saved.wait()
                continue
            graded = files(self._folder)
            try:
                result = self._once(graded, saved)
            except Abandoned:
                continue
            break
        self._graded = graded
        self._failed = [verdict.id for verdict in result.verdicts if verdict.status != "passed"]
        self.last = result
        record(self._console, self._course, result, self._task)

    def _once(self, graded: frozenset, saved: threading.Event) -> Attempt:
        """One attempt. The first check that failed before and fails again is shown before the others have run.

        Raises Abandoned when the files are no longer those in `graded`.
        """
        from cloudkata.grading.attempt import Abandoned, Run
        from cloudkata.reports.terminal import show_heading, show_outcome, show_verdict

        console, again, told = self._console, self.last is not None, ""
        since = min(max((when / 1e9 for _, when, _ in graded), default=0.0), time.time())

        def changed() -> bool:
            return files(self._folder) != graded

        if again:
            console.rule(Text(f"saved at {time.strftime('%H:%M:%S', time.localtime(since))}", "dim"), style="dim")

        def seen(verdict: Verdict) -> None:
            nonlocal told
            if again and not told and verdict.id in self._failed and verdict.status == "failed":
                told = verdict.id
                show_verdict(console, self._lab, verdict)
                console.print(Text(f"    {time.time() - since:.2f} s after the save\n", "dim"))

        with progress_line(console) as progress:
            stopped = lambda: saved.is_set() and changed()  # noqa: E731
            result = self._warm.grade(Run(None, self._task, progress, self._failed, seen, stopped))
        if changed():
            raise Abandoned  # perhaps it was read while it was being written
        took = time.time() - since
        if not again:
            show_heading(console, result)
        show_outcome(console, result, told=told)
        if again:
            console.print(Text(f"{took:.2f} s after the save", "dim"))
        return result


def files(folder: Path) -> frozenset[tuple[str, int, int]]:
    """The files in `folder` that count: path, nanoseconds of the last save, size."""
    import watchfiles

    counts = watchfiles.DefaultFilter()
    found = set()
    for path in folder.rglob("*"):
        if counts(watchfiles.Change.modified, str(path)):
            with contextlib.suppress(OSError):
                now = path.stat()
                if stat.S_ISREG(now.st_mode):
                    found.add((str(path), now.st_mtime_ns, now.st_size))
    return frozenset(found)


@contextlib.contextmanager
def saves(folder: Path) -> Iterator[threading.Event]:
    """An event that is set after each save in `folder`, also when the folder itself is made anew."""
    import watchfiles

    saved, ended = threading.Event(), threading.Event()
    default = watchfiles.DefaultFilter()

    def mine(change: watchfiles.Change, path: str) -> bool:
        return Path(path).is_relative_to(folder) and default(change, path)

    def look() -> None:
        for _ in watchfiles.watch(
            folder.parent,
            watch_filter=mine,
            debounce=_LONGEST_MS,
            step=_QUIET_MS,
            stop_event=ended,
            rust_timeout=_LOOK_MS,
            raise_interrupt=False,
        ):
            saved.set()

    thread = threading.Thread(target=look, name="kata-saves", daemon=True)
    thread.start()
    try:
        yield saved
    finally:
        ended.set()
