"""kill -9 of an engine, of its owner and of a function's processes, in random order: nothing of ours is left.

CLOUDKATA_STORM is how many kills are made (12 where it is not set); CLOUDKATA_SEED repeats one order of them.
"""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from cloudkata.sandbox.memory import descendants

ALL = 50
SECONDS = 10.0
FUNCTION = """
import time
def handler(event, context):
    time.sleep(event)
    return event
"""
# An owner of one engine: prints what the storm needs to know, then keeps two invocations running until it is killed.
OWNER = """
import base64, json, sys, threading, boto3
from botocore.config import Config
from cloudkata.engine.process import Engine
engine = Engine.start(folder=sys.argv[1])
key = engine.issue("learner")
def client(name):
    return boto3.client(name, endpoint_url=engine.endpoint, region_name="us-east-1",
                        aws_access_key_id=key.access_key_id,
                        aws_secret_access_key=key.secret_access_key, config=Config(retries={"total_max_attempts": 1}))
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))
lambda_ = client("lambda")
lambda_.create_function(FunctionName="f", Runtime="python3.12", Handler="app.handler", Timeout=30,
                        Role="arn:aws:iam::%s:role/r" % key.account, Code={"ZipFile": base64.b64decode(sys.argv[2])})
lambda_.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig={"Delay": 0.05})
lambda_.invoke(FunctionName="f", Payload=b"0")
print(json.dumps([engine.pid, engine.endpoint, key.access_key_id, key.secret_access_key]), flush=True)
def forever():
    while engine.alive:
        try:
            lambda_.invoke(FunctionName="f", Payload=b"0.05")
        except Exception:
            pass
for _ in range(2):
    threading.Thread(target=forever, daemon=True).start()
sys.stdin.read()
engine.stop()
"""


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("app.py", FUNCTION)
    return buffer.getvalue()


def until(condition, seconds: float = SECONDS) -> bool:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (found := condition()) and time.monotonic() < deadline:
        pause.wait(0.01)
    return bool(found)


def started(pid: int) -> str:
    """When a process was started, so that a number used again is not taken for it; "" once it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


class Owner:
    def __init__(self, folder: Path) -> None:
        import base64

        self.process = subprocess.Popen(
            [sys.executable, "-c", OWNER, str(folder), base64.b64encode(archive()).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.engine, *self._access = json.loads(self.process.stdout.readline())
        self.seen: dict[int, str] = {}
        self.look()

    def look(self) -> list[int]:
        """The functions' processes of now; everything ever seen is remembered."""
        found = descendants(self.engine)[1:]
        self.seen |= {pid: mark for pid in [self.process.pid, self.engine, *found] if (mark := started(pid))}
        return found

    def invoke(self) -> str:
        endpoint, key_id, secret = self._access
        made = boto3.client(
            "lambda",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=Config(retries={"total_max_attempts": 1}),
        )
        return made.invoke(FunctionName="f", Payload=b"0")["Payload"].read().decode()

    def left(self) -> list[int]:
        return [pid for pid, mark in self.seen.items() if started(pid) == mark]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(SECONDS)
        self.process.stdout.close()


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc to look at")
def test_nothing_is_left_after_a_storm_of_kills(tmp_path):
    number = int(os.environ.get("CLOUDKATA_STORM", "12"))
    seed = int(os.environ.get("CLOUDKATA_SEED", random.SystemRandom().randrange(10**6)))
    print(f"kill storm: {number} of {ALL}, seed {seed}")
    dice = random.Random(seed)
    owner: Owner | None = None
    try:
        for turn in range(number):
            owner = owner or Owner(tmp_path)
            functions = owner.look()
            what = dice.choice(("engine", "owner", "function", "everything"))
            if what == "function":
                if functions:
                    kill(dice.choice(functions))
                assert until(lambda owner=owner: owner.invoke() == "0"), (
                    f"turn {turn}: no answer after {what} was killed (seed {seed})"
                )
                continue
            targets = {"engine": [owner.engine], "owner": [owner.process.pid]}.get(what)
            everyone = [owner.process.pid, owner.engine, *functions]
            for pid in targets or dice.sample(everyone, len(everyone)):
                kill(pid)
            if what == "engine":  # its owner lives on: it tidies up, then goes
                assert until(lambda: list(tmp_path.iterdir()) == []), f"turn {turn}: a folder is left (seed {seed})"
            owner.close()
            assert until(lambda owner=owner: owner.left() == []), (
                f"turn {turn}: {owner.left()} are left after {what} (seed {seed})"
            )
            if what == "everything":
                from cloudkata.engine.process import sweep

                sweep(tmp_path)  # nobody was left to do it: the next start does
            assert until(lambda: list(tmp_path.iterdir()) == []), (
                f"turn {turn}: a folder is left after {what} (seed {seed})"
            )
            owner = None
    finally:
        if owner is not None:
            owner.close()
    assert owner is None or owner.left() == []
    assert until(lambda: list(tmp_path.iterdir()) == [])
