"""The solutions' own unit tests, run as an author runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTED = sorted({path.parent for path in ROOT.glob("solutions/*/tests/test_*.py")})


@pytest.mark.parametrize("folder", TESTED, ids=lambda folder: folder.parent.name)
def test_solution_passes_its_own_tests(folder):
    pytest.importorskip("moto", reason="moto comes with the extra `testing`")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "AWS_"))}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
