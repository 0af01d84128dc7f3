"""Submissions that try to pass without doing the lab. None may."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cloudkata.course import find_course, load_lab
from cloudkata.grading.attempt import NOT_DEPLOYED, PASS, attempt
from cloudkata.reports.as_json import as_dict
from cloudkata.reports.as_junit import as_junit
from cloudkata.sandbox.isolation import isolation
from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.shared import Shared

COURSE = find_course(Path(__file__))
LAB = load_lab(COURSE, "00-first-proof")
HONEST = (COURSE.starter("00-first-proof") / "deploy.py").read_text()

# Each runs before or after the honest deployment of the starter's handler, which is wrong.
CHEATS = {
    "a fake report printed": """
        report = {"schema": "cloudkata.report/1", "status": "passed", "score": 1.0}
        print(json.dumps(report)); print("PASSED  2 of 2 checks passed")
        os.write(2, json.dumps(report).encode())
    """,
    "a fake report written everywhere": """
        text = json.dumps({"schema": "cloudkata.report/1", "status": "passed", "score": 1.0})
        for folder, _, _ in os.walk("/"):
            try:
                with open(os.path.join(folder, "report.json"), "w") as file:
                    file.write(text)
            except OSError:
                pass
    """,
    "patched libraries": """
        import botocore.client, kata_lab.lab, sys, types
        botocore.client.BaseClient._make_api_call = lambda self, name, args: {"StatusCode": 200}
        sys.modules["pytest"] = types.ModuleType("pytest")
        kata_lab.lab.Lab.outputs = {"FunctionName": "x"}
    """,
    "every descriptor written to": """
        answer = b'{"value": null, "outputs": {"FunctionName": "kata00-0000-hello"}}'
        for process in os.listdir("/proc"):
            try:
                for name in os.listdir(f"/proc/{process}/fd"):
                    try:
                        descriptor = os.open(f"/proc/{process}/fd/{name}", os.O_WRONLY | os.O_NONBLOCK)
                        os.write(descriptor, answer)
                    except OSError:
                        pass
            except OSError:
                pass
        for descriptor in range(3, 64):
            try:
                os.write(descriptor, answer)
            except OSError:
                pass
    """,
    "the grader killed": """
        import signal
        for process in os.listdir("/proc"):
            if process.isdigit() and int(process) not in (os.getpid(),):
                try:
                    os.kill(int(process), signal.SIGKILL)
                except OSError:
                    pass
        for process in range(2, 40000):
            if process != os.getpid():
                try:
                    os.kill(process, signal.SIGKILL)
                except OSError:
                    pass
    """,
    "the grader traced": """
        import ctypes
        libc = ctypes.CDLL(None)
        for process in range(1, 40000):
            libc.ptrace(16, process, 0, 0)
    """,
    "signals caught": """
        import signal
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
    """,
    "a fork bomb": """
        for _ in range(20000):
            try:
                if os.fork() == 0:
                    while True:
                        time.sleep(60)
            except OSError:
                break
    """,
    "the solution looked for": """
        for folder, _, names in os.walk("/"):
            if folder.startswith(("/proc", "/sys", "/dev")):
                continue
            for name in names:
                try:
                    with open(os.path.join(folder, name), errors="replace") as file:
                        text = file.read(20000)
                except (OSError, ValueError):
                    continue
                if "200 if name else 400" in text and name != "deploy.py":
                    os.makedirs("/tmp/app", exist_ok=True)
                    with open("/tmp/app/handler.py", "w") as file:
                        file.write(text)
                    lab._folder = __import__("pathlib").Path("/tmp")
                    print("FOUND", folder, name)
    """,
    "the checks looked for": """
        for folder, _, names in os.walk("/"):
            for name in names:
                if "test_greeting" in name or name == "misconceptions.toml":
                    print("FOUND", folder, name)
    """,
    "environments read": """
        for process in os.listdir("/proc"):
            try:
                with open(f"/proc/{process}/environ") as file:
                    if "KATA_TEST_SECRET" in file.read():
                        print("FOUND", process)
            except OSError:
                pass
    """,
}


def indented(text):
    lines = [line[8:] for line in text.strip("\n").splitlines()]
    return "\n".join("    " + line for line in lines)


def cheating(folder, name):
    """Write a deploy.py that cheats, then deploys honestly."""
    body = f"import json\nimport os\nimport time\n\n\ndef cheat(lab):\n{indented(CHEATS[name])}\n\n\n{HONEST}"
    text = body.replace("def deploy(lab):\n", "def deploy(lab):\n    cheat(lab)\n")
    assert "cheat(lab)" in text
    (folder / "deploy.py").write_text(text)


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as made:
        yield Shared(made)


@pytest.fixture
def folder(tmp_path):
    copy = tmp_path / "work"
    shutil.copytree(COURSE.starter("00-first-proof"), copy)
    return copy


def test_isolation_is_what_these_tests_are_about():
    if not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed; `make proof` does not go without it")
    assert isolation().full, isolation().reason


# Without a sandbox these would stop or kill every process of this machine.
in_a_sandbox = pytest.mark.isolated("attacks run in a sandbox only")


@in_a_sandbox
@pytest.mark.parametrize("name", CHEATS)
def test_cheat_does_not_pass(name, folder, target, monkeypatch):
    monkeypatch.setenv("KATA_TEST_SECRET", "s3cret")
    cheating(folder, name)
    result = attempt(COURSE, LAB, folder, target)
    assert result.status != PASS and result.score == 0.0, result
    assert "FOUND" not in result.deployment.printed
    if name not in ("patched libraries", "every descriptor written to", "the grader killed", "a fork bomb"):
        assert [verdict.status for verdict in result.verdicts] == ["passed", "failed"], result.problem


@pytest.mark.parametrize("name", ["conftest.py", "pytest.ini", "sitecustomize.py", "setup.cfg", "usercustomize.py"])
def test_files_that_tools_read_are_not_read(name, folder, target, tmp_path):
    mark = tmp_path / "was-here"
    if name.endswith(".py"):
        text = f"import pathlib\ntry:\n    pathlib.Path({str(mark)!r}).touch()\nexcept OSError:\n    pass\n"
    else:
        text = "[pytest]\naddopts = --collect-only\n[tool:pytest]\naddopts = --collect-only\n"
    (folder / name).write_text(text)
    (folder / "app" / name).write_text(text)
    result = attempt(COURSE, LAB, folder, target)
    assert [verdict.status for verdict in result.verdicts] == ["passed", "failed"]
    assert not mark.exists()


def test_another_attempts_function_is_refused(folder, target):
    first = attempt(COURSE, LAB, COURSE.solution("00-first-proof"), target)
    assert first.status == PASS
    theirs = first.deployment.outputs["FunctionName"]
    (folder / "deploy.py").write_text(f"def deploy(lab):\n    lab.outputs['FunctionName'] = {theirs!r}\n")
    result = attempt(COURSE, LAB, folder, target)
    assert result.status == NOT_DEPLOYED and theirs in result.problem


def test_nothing_is_left_running(folder, target):
    (folder / "deploy.py").write_text(
        "import os, time\n"
        + HONEST.replace(
            "def deploy(lab):\n",
            "def deploy(lab):\n"
            "    if os.fork() == 0:\n"
            "        os.setsid()\n"
            "        if os.fork() == 0:\n"
            "            time.sleep(86399)\n"
            "        os._exit(0)\n",
        )
    )
    before = left_behind()
    result = attempt(COURSE, LAB, folder, target)
    assert result.verdicts
    deadline = time.monotonic() + 5
    while left_behind() - before and time.monotonic() < deadline:
        pass
    assert not left_behind() - before


def left_behind():
    """The processes of sandboxes for learner scripts on this machine."""
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                line = Path(f"/proc/{name}/cmdline").read_bytes()
            except OSError:
                continue
            if b"kata_lab.child" in line and b"bwrap" not in line.split(b"\0")[0]:
                found.add(name)
    return found


NASTY = "[bold red]x[/] \x1b[2J\x1b]0;owned\x07 \u202egnp.exe \x00 <script>alert(1)</script> | =cmd()"


def test_nasty_values_are_made_harmless(folder, target):
    (folder / "app" / "handler.py").write_text(
        f"def handler(event, context):\n    return {{'statusCode': {NASTY!r}, 'body': {NASTY!r} * 500}}\n"
    )
    (folder / "deploy.py").write_text(HONEST.replace("def deploy(lab):\n", f"def deploy(lab):\n    print({NASTY!r})\n"))
    result = attempt(COURSE, LAB, folder, target)
    assert result.status != PASS
    for text in (json.dumps(as_dict(result), ensure_ascii=False), as_junit(result)):
        assert not set(text) & {"\x1b", "\x07", "\x00", "\u202e"}
    assert all(len(entry["actual"]) <= 2048 for entry in as_dict(result)["checks"])


def test_nasty_values_are_made_harmless_on_the_terminal(folder):
    (folder / "deploy.py").write_text(f"def deploy(lab):\n    print({NASTY!r})\n    raise ValueError({NASTY!r})\n")
    done = subprocess.run(
        [sys.executable, "-m", "cloudkata.cli.main", "check", "00", "--at", str(folder)],
        cwd=COURSE.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "FORCE_COLOR": "", "NO_COLOR": "1"},
    )
    assert done.returncode == 2
    assert "[bold red]x[/]" in done.stdout
    assert not set(done.stdout) & {"\x1b", "\x07", "\x00", "\u202e"}
