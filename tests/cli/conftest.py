"""A copy of the mini course, and the command as a person types it there."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cloudkata.cli import main
from cloudkata.targets import embedded
from cloudkata.targets.shared import Shared

MINI = Path(__file__).parents[1] / "mini_course"
SECONDS = 120
# What starts processes that outlive it, or ends some, is a process of its own here too.
APART = {"up", "down", "matrix", "grade", "doctor", "--keep", "--workers"}


class Person:
    """Somebody at a terminal in `folder`, with a runtime folder of their own."""

    def __init__(self, folder: Path, runtime: Path, target: Shared) -> None:
        self.folder, self.runtime, self._target = folder, runtime, target
        self.env = {**os.environ, "COLUMNS": "80", "XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(runtime)}
        self.env.pop("LINES", None)

    def argv(self, *words) -> list[str]:
        return [sys.executable, "-m", "cloudkata.cli.kata", *map(str, words)]

    def kata(self, *words, expect: int = 0, text: str = "", **env) -> subprocess.CompletedProcess:
        """Run a command, here and on an engine that others use too; its exit status must be `expect`.

        Starting a process and an engine is most of what a short command costs, and tests of both have processes.
        """
        done = (self.apart if APART & set(words) else self._here)(list(map(str, words)), text, env)
        assert done.returncode == expect, (words, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done

    def apart(self, words: list[str], text: str, env: dict) -> subprocess.CompletedProcess:
        """Run a command in a process of its own."""
        return subprocess.run(
            self.argv(*words),
            cwd=self.folder,
            env=self.env | env,
            input=text,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def _here(self, words: list[str], text: str, env: dict) -> subprocess.CompletedProcess:
        said = [io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2)]
        with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryFile("w+", encoding="utf-8") as typed:
            typed.write(text)
            typed.seek(0)
            patch.chdir(self.folder)
            for name in os.environ.keys() - self.env.keys():
                patch.delenv(name)
            for name, value in (self.env | env).items():
                patch.setenv(name, value)
            patch.setattr(tempfile, "tempdir", None)
            patch.setattr(sys, "stdin", typed)
            patch.setattr(embedded, "EmbeddedTarget", lambda: self._target)
            with contextlib.redirect_stdout(said[0]), contextlib.redirect_stderr(said[1]):
                status = main.run(words)
        texts = []
        for stream in said:
            stream.flush()
            texts.append(stream.buffer.getvalue().decode())
        return subprocess.CompletedProcess(words, status, *texts)


@pytest.fixture(scope="session")
def target():
    """A target that the commands of many tests share, each with an account of its own."""
    with embedded.EmbeddedTarget() as made:
        yield Shared(made)


@pytest.fixture
def mini(tmp_path, target):
    """Somebody in a fresh copy of the mini course."""
    shutil.copytree(MINI, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__", "workspace"))
    with tempfile.TemporaryDirectory(prefix="kt-") as runtime:  # the names of sockets are short
        yield Person(tmp_path / "course", Path(runtime), target)


@pytest.fixture
def solve(mini):
    """Puts a lab's solution into the workspace, as if it had been written there."""

    def put(slug: str) -> None:
        shutil.copytree(mini.folder / "solutions" / slug, mini.folder / "workspace" / slug, dirs_exist_ok=True)

    return put
