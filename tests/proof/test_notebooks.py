"""Every notebook in a kernel of its own: without an error, with a plot, and saying what is seen."""

import subprocess
import sys
from pathlib import Path

import pytest

from cloudkata.course.teaching import load_material, missing

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.md"))


def execute(out: Path, *words: str, root: Path = ROOT) -> subprocess.CompletedProcess:
    command = [sys.executable, root / "tools/notebooks.py", "--out", out, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)


@pytest.fixture(scope="module")
def executed():
    """(the folder of executed notebooks, what went wrong): those that `make book` shows. `make proof` begins anew."""
    out = ROOT / "build/notebooks"
    return out, execute(out, "--stale").stderr


def said(cell) -> str:
    """What a cell put out, as text."""
    parts = []
    for output in cell.outputs:
        parts.append(output.text if output.output_type == "stream" else output.data.get("text/plain", ""))
    return "\n".join(parts)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_draws_and_says_what_is_seen(path, executed):
    import nbformat

    folder, wrong = executed
    assert (folder / f"{path.stem}.ipynb").exists(), wrong
    cells = [cell for cell in nbformat.read(folder / f"{path.stem}.ipynb", 4).cells if cell.cell_type == "code"]
    assert [output.text for cell in cells for output in cell.outputs if output.get("name") == "stderr"] == []
    pictures = [output for cell in cells for output in cell.outputs if "image/png" in output.get("data", {})]
    assert pictures and all(output.metadata["image/png"]["alt"] for output in pictures)
    told = [seen for _, seen in load_material(path).code]
    cells = [cell for cell in cells if cell.source.strip()]
    assert len(told) == len(cells)
    for cell, seen in zip(cells, told, strict=True):
        assert missing(seen, said(cell)) == [], said(cell)


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("from cloudkata.notebook import plot\nwith plot('Nothing') as axes:\n    axes.axhline(1)", "EmptyPlot"),
        ("from cloudkata.notebook import lab\nlab('00', code='workspace')", "there is nothing of yours"),
    ],
)
def test_a_notebook_that_fails_is_said_to_fail(tmp_path, cell, complaint):
    (tmp_path / "tools").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "tools/notebooks.py").write_text((ROOT / "tools/notebooks.py").read_text())
    for name in ("labs", "solutions", "checks", "course.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "notebooks/bad.md").write_text(f"# Bad\n\n```python\n{cell}\n```\n")
    done = execute(tmp_path / "out", root=tmp_path)
    assert done.returncode == 1 and complaint in done.stderr
