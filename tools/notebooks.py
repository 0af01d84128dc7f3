"""Executes notebooks: tools/notebooks.py --out FOLDER [NAME...] writes FOLDER/NAME.ipynb with all outputs.

A cell that fails ends it with status 1; what was executed until then is written all the same.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parents[1]
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
SECONDS = 180  # for one cell


def execute(source: Path, out: Path) -> str:
    """Run one notebook in a kernel of its own, with the course as its folder; what went wrong, or ""."""
    notebook = jupytext.read(source)
    place = {"metadata": {"path": str(ROOT)}}
    client = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=place)
    client.extra_arguments = ["--IPKernelApp.log_level=ERROR"]
    try:
        client.execute()
        return ""
    except CellExecutionError as error:
        return f"{source.name}: {_COLOUR.sub('', str(error))}"
    finally:
        out.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, out)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    sources = sorted((ROOT / "notebooks").glob("*.md"))
    failed = ""
    for source in sources:
        if not given.names or source.stem in given.names:
            failed += execute(source, given.out / f"{source.stem}.ipynb")
    print(failed, file=sys.stderr, end="")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
