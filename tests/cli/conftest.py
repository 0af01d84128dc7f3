"""A copy of the mini course, and the command as a person types it there."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

MINI = Path(__file__).parents[1] / "mini_course"
SECONDS = 120


class Person:
    """Somebody at a terminal in `folder`, with a runtime folder of their own."""

    def __init__(self, folder: Path, runtime: Path) -> None:
        self.folder, self.runtime = folder, runtime
        self.env = {**os.environ, "COLUMNS": "80", "XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(runtime)}

    def argv(self, *words) -> list[str]:
        return [sys.executable, "-m", "cloudkata.cli.kata", *map(str, words)]

    def kata(self, *words, expect: int = 0, **env) -> subprocess.CompletedProcess:
        """Run a command; its exit status must be `expect`."""
        done = subprocess.run(
            self.argv(*words),
            cwd=self.folder,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == expect, (words, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture
def mini(tmp_path):
    """Somebody in a fresh copy of the mini course."""
    shutil.copytree(MINI, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__", "workspace"))
    with tempfile.TemporaryDirectory(prefix="kt-") as runtime:  # the names of sockets are short
        yield Person(tmp_path / "course", Path(runtime))


@pytest.fixture
def solve(mini):
    """Puts a lab's solution into the workspace, as if it had been written there."""

    def put(slug: str) -> None:
        shutil.copytree(mini.folder / "solutions" / slug, mini.folder / "workspace" / slug, dirs_exist_ok=True)

    return put
