"""Measures the embedded engine against its targets and against bare MiniStack; JSON on standard output.

python tools/bench.py [--json FILE] [--quick]

Runs that are compared take turns, so that a machine that slows down does so for all of them. A short table goes to
standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config

from cloudkata.engine import settings
from cloudkata.engine.process import Engine
from cloudkata.sandbox.memory import descendants

TARGETS = {
    "ready_seconds": 0.6,
    "warm_ms": 5.0,
    "cold_ms": 100.0,
    "dynamodb_ratio": 1.3,
    "dynamodb_ratio_auth": 1.3,
    "engine_pss_mb": 120.0,
    "environment_pss_mb": 45.0,
}
STATE_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
SOURCE = """
import os
if os.environ.get("HEAVY"):
    import boto3
    client = boto3.client("dynamodb", region_name="us-east-1")
def handler(event, context):
    return 1
"""


@dataclass(frozen=True)
class Target:
    """An endpoint and keys for it."""

    endpoint: str
    key: str
    secret: str

    def client(self, service: str):
        config = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            config=config,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
        )


def of(engine: Engine) -> Target:
    key = engine.issue("learner")
    return Target(engine.endpoint, key.access_key_id, key.secret_access_key)


def milliseconds(act) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def ready(times: int) -> dict:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        with Engine.start():
            found.append(time.perf_counter() - began)
    return {"ready_seconds": statistics.median(found), "ready_seconds_worst": max(found)}


class Function:
    """One function on one target."""

    def __init__(self, target: Target) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("app.py", SOURCE)
        role = target.client("iam").create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps(STATE_TRUST))[
            "Role"
        ]["Arn"]
        self._lambda = target.client("lambda")
        self._lambda.create_function(
            FunctionName="bench",
            Runtime="python3.12",
            Handler="app.handler",
            Role=role,
            MemorySize=512,
            Timeout=30,
            Code={"ZipFile": buffer.getvalue()},
        )
        self._wait("function_active_v2")

    def _wait(self, name: str) -> None:
        self._lambda.get_waiter(name).wait(FunctionName="bench", WaiterConfig={"Delay": 0.02, "MaxAttempts": 500})

    def invoke(self) -> None:
        reply = self._lambda.invoke(FunctionName="bench", Payload=b"{}")
        if reply["Payload"].read() != b"1":
            raise RuntimeError("the function did not answer 1")

    def renew(self, **variables: str) -> None:
        """Change its settings, so that the next invocation needs a new environment."""
        variables["TURN"] = str(random.random())
        self._lambda.update_function_configuration(FunctionName="bench", Environment={"Variables": variables})
        self._wait("function_updated_v2")


def functions(ours: Target, bare: Target, engine: Engine, warm: int, cold: int) -> dict:
    both = {"": Function(ours), "_bare": Function(bare)}
    for function in both.values():
        function.invoke()
    times: dict[str, list[float]] = {"warm": [], "warm_bare": [], "cold": [], "cold_bare": []}
    for _ in range(warm // 10):
        for name, function in both.items():
            times[f"warm{name}"] += [milliseconds(function.invoke) for _ in range(10)]
    for _ in range(cold):
        for name, function in both.items():
            function.renew()
            times[f"cold{name}"].append(milliseconds(function.invoke))
    found = {
        f"{name.replace('_bare', '')}_ms{'_bare' if 'bare' in name else ''}": statistics.median(values)
        for name, values in times.items()
    }
    both[""].renew(HEAVY="1")
    before = set(descendants(engine.pid))
    both[""].invoke()
    added = [pid for pid in descendants(engine.pid) if pid not in before]
    return found | {"environment_pss_mb": sum(pss_mb(pid) for pid in added), "environment_processes": len(added)}


def pss_mb(pid: int, field: str = "Pss") -> float:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next((int(line.split()[1]) / 1024 for line in file if line.startswith(f"{field}:")), 0.0)
    return 0.0


@contextlib.contextmanager
def plain_ministack(auth: bool):
    """MiniStack as its own program, without anything of ours."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="kata-bench-") as folder:
        env = {"PATH": os.environ["PATH"], "BIND_HOST": "127.0.0.1", **settings.environment(Path(folder), port)}
        env.pop("AUTH")
        if auth:
            env["AUTH"] = "true"
        for name in ("state", "s3", "tmp"):
            Path(folder, name).mkdir()
        program = [sys.executable, "-m", "ministack"]
        with subprocess.Popen(
            program, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
        ) as process:
            try:
                _wait_for(f"http://127.0.0.1:{port}/_ministack/health")
                yield Target(f"http://127.0.0.1:{port}", "111122223333", "test")
            finally:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(5)
                process.kill()


def _wait_for(url: str, seconds: float = 20.0) -> None:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=1):
            return
        pause.wait(0.02)
    raise RuntimeError("MiniStack did not start")


class Table:
    def __init__(self, target: Target) -> None:
        self._client = target.client("dynamodb")
        self._number = 0
        self._client.create_table(
            TableName="bench",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )

    def _item(self) -> dict:
        self._number += 1
        return {"id": {"S": str(self._number)}, "text": {"S": "x" * 100}}

    def transaction(self) -> None:
        puts = [{"Put": {"TableName": "bench", "Item": self._item()}} for _ in range(2)]
        self._client.transact_write_items(TransactItems=puts)

    def put(self) -> None:
        self._client.put_item(TableName="bench", Item=self._item())


def requests(ours: Target, rounds: int) -> dict:
    """100 transactions and 50 puts on each, in turns of 10 and 5; the ratio is that of the sums of the medians."""
    with plain_ministack(False) as open_, plain_ministack(True) as auth:
        tables = {"ours": Table(ours), "bare": Table(open_), "auth": Table(auth)}
        for table in tables.values():
            for _ in range(10):
                table.transaction()
                table.put()
        times: dict[str, dict[str, list[float]]] = {name: {"transaction": [], "put": []} for name in tables}
        order = list(tables)
        for _ in range(rounds):
            random.shuffle(order)
            for name in order:
                times[name]["transaction"] += [milliseconds(tables[name].transaction) for _ in range(10)]
                times[name]["put"] += [milliseconds(tables[name].put) for _ in range(5)]
    sums = {
        name: 10 * statistics.median(found["transaction"]) + 5 * statistics.median(found["put"])
        for name, found in times.items()
    }
    return {
        "dynamodb_ratio": sums["ours"] / sums["bare"],
        "dynamodb_ratio_auth": sums["ours"] / sums["auth"],
        "dynamodb_put_ms": statistics.median(times["ours"]["put"]),
        "dynamodb_put_ms_bare": statistics.median(times["bare"]["put"]),
        "dynamodb_put_ms_auth": statistics.median(times["auth"]["put"]),
    }


COUNTING = """
def handler(event, context):
    print("HANDLED", len(event["Records"]))
"""
STREAM_POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class Stream:
    """A stream of four shards with records in it, and a function that only counts them."""

    SHARDS, A_CALL = 4, 100

    def __init__(self, target: Target, records: int) -> None:
        self._records = records
        self._lambda, self._logs = target.client("lambda"), target.client("logs")
        iam, kinesis = target.client("iam"), target.client("kinesis")
        role = iam.create_role(RoleName="stream", AssumeRolePolicyDocument=json.dumps(STATE_TRUST))["Role"]["Arn"]
        iam.put_role_policy(RoleName="stream", PolicyName="all", PolicyDocument=json.dumps(STREAM_POLICY))
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("app.py", COUNTING)
        self._lambda.create_function(
            FunctionName="counts",
            Runtime="python3.12",
            Handler="app.handler",
            Role=role,
            Code={"ZipFile": buffer.getvalue()},
        )
        self._lambda.get_waiter("function_active_v2").wait(
            FunctionName="counts", WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
        )
        kinesis.create_stream(StreamName="stream", ShardCount=self.SHARDS)
        self._arn = kinesis.describe_stream_summary(StreamName="stream")["StreamDescriptionSummary"]["StreamARN"]
        left = [{"PartitionKey": f"k{number}", "Data": b"x" * 100} for number in range(records)]
        while left:
            part, left = left[: self.A_CALL], left[self.A_CALL :]
            replies = kinesis.put_records(StreamName="stream", Records=part)["Records"]
            left += [record for record, reply in zip(part, replies, strict=True) if "ErrorCode" in reply]

    def _handled(self) -> int:
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/counts")
        lines = [event["message"] for page in pages for event in page["events"]]
        return sum(int(line.split()[1]) for line in lines if line.startswith("HANDLED"))

    def rate(self) -> float:
        """Records handled a second, from the creation of the mapping on."""
        began = time.perf_counter()
        self._lambda.create_event_source_mapping(
            EventSourceArn=self._arn, FunctionName="counts", StartingPosition="TRIM_HORIZON", BatchSize=100
        )
        pause = threading.Event()
        while time.perf_counter() - began < 300:
            with contextlib.suppress(self._logs.exceptions.ResourceNotFoundException):
                if self._handled() >= self._records:
                    return self._records / (time.perf_counter() - began)
            pause.wait(0.05)
        raise RuntimeError("the stream was not read to its end")


def streams(records: int) -> dict:
    """On engines of their own, so that neither has anything else to do."""
    with Engine.start(factor=10) as engine, Engine.start(behaviours=[]) as bare:
        ours, theirs = Stream(of(engine), records).rate(), Stream(of(bare), records).rate()
    return {"stream_records_per_second": ours, "stream_records_per_second_bare": theirs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", default="-", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, for a first look")
    options = parser.parse_args()
    part = 10 if options.quick else 1
    found: dict = ready(max(2, 10 // part))
    with Engine.start() as engine, Engine.start(behaviours=[]) as bare:
        found["isolation"] = engine.isolation
        ours = of(engine)
        found |= functions(ours, of(bare), engine, 300 // part, 20 // part)
        found |= requests(ours, max(2, 10 // part))
        found |= {"engine_pss_mb": pss_mb(engine.pid), "engine_rss_mb": pss_mb(engine.pid, "Rss")}
    found |= streams(10_000 // part)
    result = {
        "schema": "cloudkata.bench/1",
        "cpus": os.cpu_count(),
        "targets": TARGETS,
        "found": found,
        "missed": [name for name, limit in TARGETS.items() if found[name] > limit],
    }
    text = json.dumps(result, indent=2) + "\n"
    sys.stdout.write(text) if options.json == "-" else Path(options.json).write_text(text, encoding="utf-8")
    for name, value in found.items():
        limit = TARGETS.get(name)
        said = "" if limit is None else f"target {limit:g}  {'missed' if name in result['missed'] else 'held'}"
        print(f"{name:24} {value if isinstance(value, str) else f'{value:.2f}':>9}  {said}", file=sys.stderr)


if __name__ == "__main__":
    main()
