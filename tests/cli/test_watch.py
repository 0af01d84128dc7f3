"""Watching a lab: a verdict on every save, what failed first, and nothing left after Ctrl-C."""

import io
import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from cloudkata.cli import watch
from cloudkata.course import find_course, load_lab
from cloudkata.grading.attempt import NOT_DEPLOYED, Attempt

SECONDS = 60.0
STOPPED = (0, 130)  # Ctrl-C while it waits, and in the middle of an attempt


class Session:
    """A command that goes on, its output line by line, in a process group of its own as a terminal would have it."""

    def __init__(self, person, *words) -> None:
        self.person = person
        self.process = subprocess.Popen(
            person.argv(*words),
            cwd=person.folder,
            env=person.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background ignores it
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("(the end)")

    def until(self, *words: str) -> str:
        """Everything up to the first line with one of `words` in it."""
        deadline, said = time.monotonic() + SECONDS, ""
        while True:
            line = self._lines.get(timeout=max(0.01, deadline - time.monotonic()))
            said += line
            assert line != "(the end)" or "(the end)" in words, said
            if any(word in line for word in words):
                return said

    def interrupt(self) -> int:
        """Press Ctrl-C; the exit status, once nothing that it started is left."""
        family = descendants(self.process.pid)
        os.killpg(self.process.pid, signal.SIGINT)
        status = self.process.wait(SECONDS)
        deadline = time.monotonic() + 10
        while left := [pid for pid in family if alive(*pid)]:
            assert time.monotonic() < deadline, [Path(f"/proc/{pid}/cmdline").read_bytes() for pid, _ in left]
            time.sleep(0.02)
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process.stdout.close()


def stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def alive(pid: int, born: str) -> bool:
    try:
        found = stat(pid)
    except OSError:
        return False
    return found[0] not in "ZX" and found[19] == born


def descendants(pid: int) -> list[tuple[int, str]]:
    """The processes below `pid`, each with its start time."""
    parents: dict[int, list[tuple[int, str]]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            found = stat(int(path.name))
        except OSError:
            continue
        parents.setdefault(int(found[1]), []).append((int(path.name), found[19]))
    below, todo = [], [pid]
    while todo:
        mine = parents.get(todo.pop(), [])
        below += mine
        todo += [child for child, _ in mine]
    return below


def nothing_left(mini) -> None:
    """An engine that had just been started needs a moment to find that nobody wants it."""
    deadline = time.monotonic() + 10
    while left := [path.name for path in mini.runtime.glob("kata-*")]:
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


@pytest.fixture
def watching(mini):
    """Starts a watch and waits for its first verdict."""
    made = []

    def start(*words) -> Session:
        made.append(Session(mini, "watch", *words))
        made[-1].first = made[-1].until("PASSED", "NOT YET", "NOT DEPLOYED")
        return made[-1]

    yield start
    for session in made:
        session.close()


def save(mini, name: str, old: str, new: str) -> None:
    file = mini.folder / "workspace" / name
    text = file.read_text()
    assert old in text
    put(mini, name, text.replace(old, new))


def put(mini, name: str, text: str) -> None:
    """Save a file in one piece, as most editors do: what is half written may be read for a moment."""
    written = mini.folder / "written"
    written.write_text(text)
    written.replace(mini.folder / "workspace" / name)


def solution(mini, name: str) -> str:
    return (mini.folder / "solutions" / name).read_text()


def test_every_save_gets_a_verdict(mini, watching):
    session = watching("0")
    assert "NOT YET" in session.first and "on the embedded engine" in session.first
    save(mini, "00-table/deploy.py", 'key = "key"', 'key = "name"')
    said = session.until("NOT YET")
    assert "saved at" in said and "'name'" in said
    save(mini, "00-table/deploy.py", 'key = "name"', "key = ")
    assert "SyntaxError" in session.until("NOT DEPLOYED")
    save(mini, "00-table/deploy.py", "key = ", 'key = "id"')
    assert "1 of 1 checks passed" in session.until("PASSED")
    assert re.search(r"\d\.\d\d s after the save", session.until("after the save"))
    assert "Next: kata next (lab 01" in session.until("Next:")
    assert session.interrupt() in STOPPED
    nothing_left(mini)
    attempts = json.loads(mini.kata("list", "0", "--json", "-").stdout)["attempts"]
    assert [each["status"] for each in attempts] == ["failed", "failed", "not deployed", "passed"]


def test_what_is_saved_while_it_is_graded_is_graded_again_and_told_once(mini):
    """As when a file is read while it is half written."""
    lab, folder = load_lab(find_course(mini.folder), "00-table"), mini.folder / "workspace/00-table"
    shutil.copytree(mini.folder / "labs/00-table", folder)
    ran = []

    class Grader:
        def grade(self, run):
            ran.append((folder / "deploy.py").read_text())
            if len(ran) == 1:
                (folder / "deploy.py").write_text("saved meanwhile")
            return Attempt(lab, "embedded", "full", 1, 1.0, NOT_DEPLOYED, problem="no reason")

    said = io.StringIO()
    watched = watch._Watched(find_course(mini.folder), lab, folder, Grader(), Console(file=said), "", [])
    saved = threading.Event()
    watched.check(saved)
    assert len(ran) == 2 and ran[1] == "saved meanwhile"
    assert said.getvalue().count("NOT DEPLOYED") == 1
    assert len(json.loads(mini.kata("list", "0", "--json", "-").stdout)["attempts"]) == 1
    threading.Timer(0.2, lambda: (saved.set(), (folder / "more.py").write_text("x"), saved.set())).start()
    watched.wait(saved)
    assert (folder / "more.py").exists(), "an event without a save is nothing to check"


def test_what_failed_is_tried_first_and_told_at_once(mini, watching, solve):
    solve("01-script")
    save(mini, "01-script/counter.py", "    reply = lab", "    return step\n    reply = lab")
    session = watching("1")
    assert "✗ failed  Each step is added" in session.first
    save(mini, "01-script/counter.py", "return step", "return -step")
    said = session.until("NOT YET")
    # the failed check stands before the line of the task that runs before it in the order of the lab
    assert said.index("✗ failed  Each step is added") < said.index("after the save") < said.index("✓ 1 of 1")
    assert said.count("✗ failed") == 1
    put(mini, "01-script/counter.py", solution(mini, "01-script/counter.py"))
    assert "3 of 3 checks passed" in session.until("PASSED")
    assert session.interrupt() in STOPPED


def test_a_folder_made_anew_is_what_is_checked(mini, watching):
    session = watching("0")
    folder = mini.folder / "workspace" / "00-table"
    folder.rename(mini.folder / "workspace" / "old")
    made = mini.folder / "workspace" / "made"
    made.mkdir()
    (made / "deploy.py").write_text(solution(mini, "00-table/deploy.py"))
    made.rename(folder)
    assert "1 of 1 checks passed" in session.until("PASSED")


def test_each_attempt_has_an_account_of_its_own(mini, watching, solve):
    """The same names deploy again and again, which one account would refuse."""
    solve("00-table")
    session = watching("0")
    assert "PASSED" in session.first
    for number in range(3):
        with (mini.folder / "workspace/00-table/deploy.py").open("a") as file:
            file.write(f"# {number}\n")
        session.until("PASSED")
        session.until("after the save")


def test_a_learner_that_ends_a_prepared_process_is_told_so(mini, watching):
    session = watching("0")
    save(mini, "00-table/deploy.py", "def deploy", "import os\nos._exit(3)\n\n\ndef deploy")
    assert "ended before deploy(lab) returned" in " ".join(session.until("NOT DEPLOYED").split())


@pytest.mark.parametrize("words", [("check", "1", "--solution"), ("check", "2", "--solution"), ("watch", "1")])
def test_ctrl_c_at_any_moment_leaves_nothing(mini, words):
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    for _ in range(4):
        session = Session(mini, *words)
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                session.process.wait(draw.uniform(0.5, 2.0))
        except pytest.fail.Exception:  # it was through already
            session.close()
            continue
        status = session.interrupt()
        said = session.until("(the end)")
        session.close()
        assert "Traceback" not in said, said
        # the command may have come to its end in the very moment it was to be stopped
        ended = status in (0, 1) and ("PASSED" in said or "NOT YET" in said)
        stopped = (status, "stopped" in said) == (130, True) or (status, "No longer watching" in said) == (0, True)
        assert stopped or ended, said
        nothing_left(mini)
