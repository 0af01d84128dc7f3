"""`kata notebook`: JupyterLab on a lab's notebook, with an engine ready."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import typer

from cloudkata.cli.common import AnyLab, chosen_lab, tell
from cloudkata.course import CourseError, find_course
from cloudkata.course.teaching import NOTEBOOK

_NEEDED = ("jupyterlab", "jupytext", "matplotlib")


def notebook(lab: AnyLab = "") -> None:
    """Open a lab's notebook in JupyterLab, with an engine ready. Leave it with Ctrl-C.

    It is a copy of yours in workspace/notebooks, which is never overwritten.

    Example: kata notebook 14
    """
    course = find_course(Path.cwd())
    slug = chosen_lab(course, lab)
    source = course.root / NOTEBOOK / f"{slug}.md"
    if not source.is_file():
        raise CourseError(f"there is no notebook for {slug}")
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise CourseError(
            f"notebooks need {', '.join(missing)}: install the extra, pip install 'cloudkata[notebooks]', "
            "or in a clone: make notebooks"
        )
    from cloudkata.targets import up as engines

    own = own_copy(source, course.root / "workspace" / NOTEBOOK)
    _, started = engines.start()
    tell(f"Opening {own.relative_to(course.root)}. It uses the engine of kata up.")
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={course.root}"]
    try:
        done = subprocess.run([*words, f"--LabApp.default_url=/lab/tree/{own.relative_to(course.root)}"], check=False)
    finally:
        if started:
            engines.stop()
    raise typer.Exit(done.returncode)


def own_copy(source: Path, folder: Path) -> Path:
    """The learner's notebook, on the first time made from the course's. Raises CourseError."""
    import jupytext

    own = folder / f"{source.stem}.ipynb"
    try:
        if not own.exists():
            folder.mkdir(parents=True, exist_ok=True)
            jupytext.write(jupytext.read(source), own)
    except OSError as error:
        raise CourseError(f"{own} cannot be written: {error.strerror or error}") from error
    return own
