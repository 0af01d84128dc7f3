"""What the README and the first brief say, typed in a clean clone."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def typed(folder, *words):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "VIRTUAL_ENV"))}
    return subprocess.run(
        words, cwd=folder, env={**env, "COLUMNS": "80"}, capture_output=True, text=True, timeout=400, check=False
    )


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """(a clone, what `make try` came to there)."""
    folder = tmp_path_factory.mktemp("clone") / "cloudkata"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True, timeout=60)
    base = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
    return folder, typed(folder, "make", "try", f"PYTHON={base}")


def test_make_try_refutes_and_then_proves(tried):
    _, done = tried
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"✗ failed.*NOT YET.*PASSED", done.stdout, re.DOTALL), done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_lab_00_as_its_brief_says(tried):
    clone, _ = tried
    assert "kata check 00" in (clone / "README.md").read_text()
    brief = (clone / "labs/00-first-proof/README.md").read_text()
    assert "kata check 00" in brief and "workspace/00-first-proof/app/handler.py" in brief
    first = typed(clone, ".venv/bin/kata", "check", "00")
    assert first.returncode == 1 and "✗ failed" in first.stdout
    handler = clone / "workspace/00-first-proof/app/handler.py"
    line = next(line for line in handler.read_text().splitlines() if "a request without a name must get a 400" in line)
    handler.write_text(handler.read_text().replace(line, "    status = 200 if name else 400"))
    second = typed(clone, ".venv/bin/kata", "check", "00")
    assert second.returncode == 0 and "PASSED" in second.stdout
    assert typed(clone, "git", "status", "--porcelain").stdout == ""
