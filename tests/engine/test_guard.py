"""What the engine's process refuses to do, tried in a process of its own: an audit hook cannot be taken back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from cloudkata.sandbox.isolation import isolation

SOURCE = """
import json, os, subprocess, sys, urllib.request
from pathlib import Path
from cloudkata.engine import guard
guard.put_up(Path(sys.argv[1]), json.loads(sys.argv[2]))
try:
    exec(sys.argv[3])
except guard.GuardError as error:
    print("refused:", error)
else:
    print("done")
"""


def tried(folder, act: str, functions_isolated: bool = True) -> str:
    command = [sys.executable, "-c", SOURCE, str(folder), json.dumps(functions_isolated), act]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "url",
    ["file:///etc/hostname", "FILE:///etc/hostname", " file:///etc/hostname", "ftp://127.0.0.1/x", "data:text/plain,x"],
)
def test_only_http_is_opened(tmp_path, url):
    assert tried(tmp_path, f"urllib.request.urlopen({url!r})") == "refused: the engine opens http and https only"


def test_http_is_opened(tmp_path):
    act = """
try:
    urllib.request.urlopen('http://127.0.0.1:9/')
except OSError as error:
    assert not isinstance(error, PermissionError)
"""
    assert tried(tmp_path, act) == "done"


@pytest.mark.isolated("without a sandbox functions are started on the host")
@pytest.mark.parametrize(
    "act",
    [
        "subprocess.run(['true'])",
        "subprocess.run('true', shell=True)",
        "subprocess.run([sys.executable, '-c', ''])",
        "os.system('true')",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "os.fork()",
        "os.popen('true')",
        "subprocess.run(['bwrap'])",
    ],
)
def test_no_program_is_started_on_the_host(tmp_path, act):
    assert tried(tmp_path, act).startswith("refused: the engine starts sandboxes only")


@pytest.mark.isolated("without a sandbox functions are started on the host")
def test_a_sandbox_is_started(tmp_path):
    assert tried(tmp_path, f"subprocess.run([{isolation().bwrap!r}, '--version'])") == "done"


def test_ministacks_own_workers_are_left_alone_where_they_run_the_functions(tmp_path):
    assert tried(tmp_path, "subprocess.run(['true'])", functions_isolated=False) == "done"


MANY_NODES = """
ready = "process.stdout.write('x'); process.stdin.resume()"
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
nodes = [subprocess.Popen(["node", "-e", ready], **pipes) for _ in range(12)]
said = [node.stdout.read(1) for node in nodes]
for node in nodes:
    node.kill()
    node.wait()
assert said == [b"x"] * len(nodes), said
"""


@pytest.mark.isolated("without a sandbox Node is started on the host")
@pytest.mark.skipif(shutil.which("node") is None, reason="this machine has no Node")
def test_the_processes_of_one_node_do_not_count_for_another(tmp_path):
    assert tried(tmp_path, MANY_NODES) == "done"
