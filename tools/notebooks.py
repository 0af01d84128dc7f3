"""Executes notebooks: tools/notebooks.py --out FOLDER [--stale] [NAME...] writes FOLDER/NAME.ipynb with all outputs.

Two at a time; with --stale only those that were changed since, or did not come to their end.

A cell that fails ends it with status 1; what was executed until then is then in FOLDER/NAME.failed.ipynb.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parents[1]
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
SECONDS = 180  # for one cell
KERNELS = 2  # at a time


def execute(source: Path, out: Path) -> str:
    """Run one notebook in a kernel of its own, with the course as its folder; what went wrong, or ""."""
    notebook = jupytext.read(source)
    place = {"metadata": {"path": str(ROOT)}}
    client = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=place)
    client.extra_arguments = ["--IPKernelApp.log_level=ERROR"]
    out.unlink(missing_ok=True)
    failed = out.with_suffix(".failed.ipynb")
    try:
        client.execute()
    except CellExecutionError as error:
        nbformat.write(notebook, failed)
        return f"{source.name}: {_COLOUR.sub('', str(error))}"
    failed.unlink(missing_ok=True)
    nbformat.write(notebook, out)
    return ""


def execute_all(folder: Path, names: list[str], stale: bool) -> int:
    """The exit status."""
    sources = [path for path in sorted((ROOT / "notebooks").glob("*.md")) if not names or path.stem in names]
    todo = [(source, folder / f"{source.stem}.ipynb") for source in sources]
    if stale:
        todo = [(one, out) for one, out in todo if not out.exists() or out.stat().st_mtime < one.stat().st_mtime]
    with ProcessPoolExecutor(KERNELS) as pool:
        failed = list(pool.map(execute, *zip(*todo, strict=True))) if todo else []
    print("\n".join(filter(None, failed)), file=sys.stderr, end="")
    return 1 if any(failed) else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stale", action="store_true")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    given.out.mkdir(parents=True, exist_ok=True)
    with (given.out / ".lock").open("w") as lock:  # two of us would write the same files
        fcntl.flock(lock, fcntl.LOCK_EX)
        return execute_all(given.out, given.names, given.stale)


if __name__ == "__main__":
    sys.exit(main())
