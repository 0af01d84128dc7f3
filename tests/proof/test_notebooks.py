"""Every notebook in a kernel of its own: without an error, with a plot, and saying what is seen."""

import subprocess
import sys
from pathlib import Path

import pytest

from cloudkata.course.teaching import load_material, missing

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.md"))


def execute(name: str, out: Path, root: Path = ROOT) -> subprocess.CompletedProcess:
    tool = root / "tools/notebooks.py"
    words = [sys.executable, tool, "--out", out, name]
    return subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)


def said(cell) -> str:
    """What a cell put out, as text."""
    parts = []
    for output in cell.outputs:
        parts.append(output.text if output.output_type == "stream" else output.data.get("text/plain", ""))
    return "\n".join(parts)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_draws_and_says_what_is_seen(path):
    import nbformat

    out = ROOT / "build/notebooks"  # `make book` shows these
    done = execute(path.stem, out)
    assert done.returncode == 0, done.stderr
    cells = [cell for cell in nbformat.read(out / f"{path.stem}.ipynb", 4).cells if cell.cell_type == "code"]
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
    done = execute("bad", tmp_path / "out", tmp_path)
    assert done.returncode == 1 and complaint in done.stderr
