"""Drives the commands in tmux at 80 columns and 24 lines, from `kata` to the first pass of a lab, and keeps the screens.

    python tools/capture.py --lab 00 > docs/session.md

The course is a fresh copy in a temporary folder; the edit is the solution's files, put into the workspace.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("course.toml", "labs", "solutions", "checks", "cards", "exams")
WIDTH, HEIGHT = 80, 24
PROMPT = "$ "
SECONDS = 180.0


class Terminal:
    """A tmux session of its own; use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self._socket = f"kata-capture-{os.getpid()}"
        env = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PS1": PROMPT,
            "HOME": str(folder),
            "TERM": "screen-256color",
            "LANG": "C.UTF-8",
            "HISTFILE": "/dev/null",
        }
        words = ["new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), "-c", str(folder)]
        self._tmux(*words, "env", "-i", *(f"{name}={value}" for name, value in env.items()), "bash", "--norc")

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_) -> None:
        self._tmux("kill-server")

    def _tmux(self, *words: str) -> str:
        argv = ["tmux", "-L", self._socket, "-f", "/dev/null", *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    def screen(self) -> str:
        lines = self._tmux("capture-pane", "-p").splitlines()
        return "\n".join(line.rstrip() for line in lines).rstrip()

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def run(self, command: str, *, answers: tuple[tuple[str, str], ...] = ()) -> str:
        """Type a command on an empty screen and wait for the prompt; the screen then. Each answer: (what for, keys)."""
        self._tmux("send-keys", "-l", f"clear; {command}")
        self.press("Enter")
        deadline, waiting = time.monotonic() + SECONDS, list(answers)
        while time.monotonic() < deadline:
            time.sleep(0.2)
            shown = self.screen()
            if waiting and waiting[0][0] in shown:
                for key in waiting.pop(0)[1]:
                    self.press(key)
            elif shown.splitlines() and shown.splitlines()[-1] == PROMPT.strip():
                return shown.rstrip("$ \n")
        raise TimeoutError(f"{command} did not come back:\n{self.screen()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lab", default="00")
    lab = parser.parse_args().lab
    (slug,) = [path.name for path in (ROOT / "labs").glob(f"{lab}-*")]
    with tempfile.TemporaryDirectory(prefix="kata-capture-") as scratch:
        course = Path(scratch) / "course"
        course.mkdir()
        for name in PARTS:
            copy = shutil.copyfile if (ROOT / name).is_file() else shutil.copytree
            copy(ROOT / name, course / name)
        print(
            f"# A session\n\nAt a terminal of {WIDTH} columns and {HEIGHT} lines, from `kata` to the first pass of lab {lab}."
        )
        print("Made by `tools/capture.py`.")

        def show(command: str, screen: str, text: str) -> None:
            print(f"\n{text}\n\n```\n{PROMPT}{command}\n{screen}\n```")

        with Terminal(course) as terminal:
            show("kata", terminal.run("kata"), "Where am I?")
            show(f"kata start {lab}", terminal.run(f"kata start {lab}"), "The starter:")
            show(f"kata check {lab}", terminal.run(f"kata check {lab}"), "The first check fails, and says why:")
            show(f"kata hint {lab}", terminal.run(f"kata hint {lab}"), "A nudge:")
            shutil.copytree(course / "solutions" / slug, course / "workspace" / slug, dirs_exist_ok=True)
            leave = (("q leaves it out", "q"),)
            done = terminal.run(f"kata check {lab}", answers=leave)
            show(f"kata check {lab}", done, "After the edit:")
            show("kata list", terminal.run("kata list"), "And where that leaves you:")


if __name__ == "__main__":
    main()
