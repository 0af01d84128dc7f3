"""Every notebook in a kernel of its own: without an error, with a plot, and saying what is seen."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
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


def fetched(ask: urllib.request.Request) -> dict:
    """The JSON of a server that has said where it is, and may not listen yet."""
    last = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(ask, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.URLError:
            if time.monotonic() > last:
                raise
            time.sleep(0.1)


def test_kata_notebook_opens_jupyterlab_with_an_engine_and_takes_both_away(tmp_path):
    kata, course = Path(sys.executable).with_name("kata"), tmp_path / "course"
    (tmp_path / "run").mkdir(mode=0o700)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"ServerApp": {"allow_root": True, "open_browser": False, "port": port}}
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps(settings))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "JUPYTER_"))}
    env |= {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run"), "JUPYTER_CONFIG_DIR": str(tmp_path)}
    subprocess.run([kata, "init", course], check=True, capture_output=True, timeout=60)
    words = [kata, "notebook", "00"]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(words, cwd=course, env=env, text=True, start_new_session=True, **pipe) as running:
        deadline = threading.Timer(120, os.killpg, (running.pid, signal.SIGKILL))
        deadline.start()
        try:
            said, found = "", None
            while not found and (line := running.stdout.readline()):
                said += line
                found = re.search(r"(http://127\.0\.0\.1:\d+)(/lab/\S*)\?token=(\w+)", line)
            assert found, said
            base, place, token = found.groups()
            assert place == "/lab/tree/workspace/notebooks/00-first-proof.ipynb"
            ask = urllib.request.Request(f"{base}/api/contents{place.removeprefix('/lab/tree')}")
            ask.add_header("Authorization", f"token {token}")
            assert fetched(ask)["type"] == "notebook"
            assert (tmp_path / "run/cloudkata/engine.json").exists()
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            said += running.stdout.read()
            running.wait(60)
            deadline.cancel()
    assert not (tmp_path / "run/cloudkata/engine.json").exists(), said
