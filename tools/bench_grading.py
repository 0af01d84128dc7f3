"""Measures what grading takes: the whole command for each lab, and an attempt beside a bare script; JSON and a table.

python tools/bench_grading.py [--json FILE] [--times N] [LAB ...]

The bare script makes the same deployment and the same calls on the same engine, in plain processes: no sandbox, no
verification of outputs, no pytest, no verdicts. The two take turns.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import secrets
import statistics
import subprocess
import sys
import time
from pathlib import Path

from cloudkata.checking.lab import CheckedLab, Deployed
from cloudkata.course import Course, choose, find_course, load_lab
from cloudkata.course.model import Lab
from cloudkata.deployment.learner import Called
from cloudkata.grading.attempt import PASS, attempt
from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.session import Session
from cloudkata.targets.shared import Shared

RATIO = 1.3  # at most, for the labs that are compared
COMMAND_SECONDS = {"14-dynamodb-transactions": 3.0}  # at most, the median; other labs:
OTHER_SECONDS = 10.0
COMPARED = ("14-dynamodb-transactions",)
SLOWEST = 3

WORKER = """
import importlib, json, sys
import boto3
from kata_lab import Lab
sys.path.insert(0, sys.argv[1])
lab = Lab(folder=sys.argv[1], **json.loads(sys.argv[2]))
for line in sys.stdin:
    module, function, args, outputs = json.loads(line)
    lab.outputs.update(outputs)
    value = getattr(importlib.import_module(module), function)(lab, *args)
    print(json.dumps([value, lab.outputs]), flush=True)
"""


class Plain:
    """A process that runs a folder's functions as they come, one JSON line each way."""

    def __init__(self, folder: Path, session: Session, files: dict[str, str]) -> None:
        self.outputs: dict[str, str] = {}
        self._files = files
        settings = {"prefix": session.prefix, "region": session.region, "account": session.account}
        env = {
            "PATH": os.environ["PATH"],
            "AWS_REGION": session.region,
            "AWS_DEFAULT_REGION": session.region,
            "AWS_ENDPOINT_URL": session.endpoint,
            "AWS_ACCESS_KEY_ID": session.learner.access_key_id,
            "AWS_SECRET_ACCESS_KEY": session.learner.secret_access_key,
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        }
        words = [sys.executable, "-c", WORKER, str(folder), json.dumps({**settings, "poll": session.waiter_poll})]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True)

    def ask(self, file: str, function: str, args: list) -> list | None:
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps([file.removesuffix(".py"), function, args, self.outputs]) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        return None

    def call(self, function: str, *args, seconds: float = 60.0) -> Called:
        answer = self.ask(self._files[function], function, list(args))
        return Called(None, "it ended", "ExitError", lost=True) if answer is None else Called(answer[0])

    @property
    def usable(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


class PlainCrew:
    """What Crew does, with plain processes that are all started at once and replaced when one was killed."""

    def __init__(self, make, size: int) -> None:
        self._make = make
        self._idle = [make() for _ in range(size)]
        self._all = list(self._idle)

    @contextlib.contextmanager
    def lend(self):
        if not self._idle:
            self._all.append(self._make())
            self._idle.append(self._all[-1])
        worker = self._idle.pop(0)
        yield worker
        if worker._process.poll() is None:
            self._idle.append(worker)

    def close(self) -> None:
        for worker in self._all:
            worker.close()


def bare(course: Course, lab: Lab, session: Session, seed: int) -> float:
    """Seconds that a bare script takes for the deployment and the calls of an attempt."""
    began = time.perf_counter()
    folder = course.solution(lab.slug)
    outputs: dict[str, str] = {}

    def make() -> Plain:
        worker = Plain(folder, session, lab.calls)
        worker.outputs = outputs
        return worker

    crew = PlainCrew(make, lab.racers if lab.calls else 0)
    deployer = make()
    outputs.update(deployer.ask("deploy.py", "deploy", [])[1])
    deployer.close()
    for spec in lab.checks:
        module = importlib.util.spec_from_file_location("bare_checks", course.checks(lab.slug) / spec.file)
        found = importlib.util.module_from_spec(module)
        module.loader.exec_module(found)
        with contextlib.closing(CheckedLab(Deployed(session, outputs, crew, seed), spec.id)) as checked:
            getattr(found, spec.function)(checked)
    crew.close()
    return time.perf_counter() - began


def compared(course: Course, lab: Lab, times: int) -> dict:
    graded, plain = [], []
    with EmbeddedTarget() as target:
        for _ in range(times):
            seed = secrets.randbelow(1 << 32)
            began = time.perf_counter()
            result = attempt(course, lab, course.solution(lab.slug), Shared(target), seed=seed)
            graded.append(time.perf_counter() - began)
            if result.status != PASS:
                raise RuntimeError(f"{lab.slug}: {result.status}: {result.problem}")
            plain.append(bare(course, lab, target.session(lab.number), seed))
    ratio = statistics.median(graded) / statistics.median(plain)
    return {"attempt_seconds": statistics.median(graded), "bare_seconds": statistics.median(plain), "ratio": ratio}


def command(lab: Lab, times: int) -> dict:
    """The median of `kata check LAB --solution`, an engine of its own included, and the slowest checks."""
    found, slow = [], {}
    for _ in range(times):
        began = time.perf_counter()
        words = [sys.executable, "-m", "cloudkata.cli.main", "check", lab.number, "--solution", "--json", "-"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        found.append(time.perf_counter() - began)
        report = json.loads(done.stdout)
        if done.returncode:
            raise RuntimeError(f"{lab.slug}: {report['status']}: {report['problem']}")
        for check in report["checks"]:
            slow.setdefault(check["id"], []).append(check["seconds"])
    medians = sorted(((statistics.median(each), name) for name, each in slow.items()), reverse=True)
    return {
        "command_seconds": statistics.median(found),
        "slowest_checks": {name: seconds for seconds, name in medians[:SLOWEST]},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labs", nargs="*")
    parser.add_argument("--json", default="-", metavar="FILE")
    parser.add_argument("--times", type=int, default=7)
    options = parser.parse_args()
    course = find_course(Path(__file__))
    chosen = [choose(course, word) for word in options.labs] or list(course.labs)
    result, missed = {}, []
    for slug in chosen:
        lab = load_lab(course, slug)
        found = command(lab, options.times)
        limit = COMMAND_SECONDS.get(slug, OTHER_SECONDS)
        held = found["command_seconds"] <= limit
        line = f"{slug:28} {found['command_seconds']:6.2f} s, at most {limit:g}"
        if slug in COMPARED:
            found |= compared(course, lab, options.times)
            held = held and found["ratio"] <= RATIO
            line += f"; {found['ratio']:.2f} times a bare script, at most {RATIO:g}"
        missed += [] if held else [slug]
        print(f"{line}  {'held' if held else 'missed'}", file=sys.stderr)
        for name, seconds in found["slowest_checks"].items():
            print(f"    {seconds:6.2f} s  {name}", file=sys.stderr)
        result[slug] = found
    text = json.dumps({"schema": "cloudkata.bench-grading/1", "labs": result, "missed": missed}, indent=2) + "\n"
    sys.stdout.write(text) if options.json == "-" else Path(options.json).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
