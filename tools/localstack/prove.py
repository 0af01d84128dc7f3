"""Grades the solutions of all labs on LocalStack 4.14, and compares which checks ran with the record beside this file.

python tools/localstack/prove.py [--record] [--endpoint-url URL] [LAB ...]
python tools/localstack/prove.py --table        the record as the table in docs/targets.md

Starts a LocalStack of its own, without Docker, unless it is given the URL of one. Where Python 3.13, Java or npm is
missing it says so and proves nothing. A check that was recorded as passed must pass; one that did not is skipped for a
behaviour that was found missing, never failed. With --record the record is written anew. Exit status: 0 as recorded.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cloudkata.course import Course, choose, find_course, load_lab

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RECORD = HERE / "labs.json"
BUILD = ROOT / "build" / "localstack"
NOT_HERE = 69  # of setup.sh: something that LocalStack needs is missing
WORKERS = 2
LONGEST = ("04-queue-failures",)  # it waits in real time, so it begins first
START_SECONDS, LAB_SECONDS = 120, 420
MISSING = re.compile(r"(?:^no |, )([a-z]+\.[a-z0-9-]+)")
BEHAVIOUR = re.compile(r"\b([a-z]+\.[a-z0-9-]+) \(")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labs", nargs="*", metavar="LAB")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--endpoint-url", default="")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    course = find_course(ROOT)
    if options.table:
        print(table(course, json.loads(RECORD.read_text())))
        return 0
    slugs = [choose(course, word) for word in options.labs] or list(course.labs)
    slugs.sort(key=lambda slug: slug not in LONGEST)
    with contextlib.ExitStack() as stack:
        url = options.endpoint_url
        if not url:
            done = subprocess.run([HERE / "setup.sh", BUILD / "venv"], check=False)
            if done.returncode == NOT_HERE:
                print("LocalStack: skipped, nothing was proved on it.")
                return 0
            if done.returncode:
                return done.returncode
            url = stack.enter_context(localstack())
        began = time.monotonic()
        with ThreadPoolExecutor(WORKERS) as pool:
            reports = list(pool.map(lambda slug: graded(slug, url), slugs))
    seen: dict[str, str] = {}
    for slug, report in zip(slugs, reports, strict=True):
        print(line(slug, report))
        seen |= outcomes(report)
    if options.record:
        kept = json.loads(RECORD.read_text()) if RECORD.exists() and options.labs else {}
        RECORD.write_text(json.dumps(kept | seen, indent=2, sort_keys=True) + "\n")
    recorded = json.loads(RECORD.read_text())
    wrong = problems(seen, recorded)
    for problem in wrong:
        print(problem)
    counts = [sum(value == "passed" for value in seen.values()), len(seen)]
    print(
        f"LocalStack: {counts[0]} of {counts[1]} checks passed, {len(wrong)} wrong, {time.monotonic() - began:.0f} s."
    )
    return 1 if wrong else 0


@contextlib.contextmanager
def localstack() -> Iterator[str]:
    """The URL of a LocalStack that ends with the context; its files last below build/."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    BUILD.mkdir(parents=True, exist_ok=True)
    with open(BUILD / "log", "wb") as log:
        command = [HERE / "start.sh", BUILD / "venv", BUILD, str(port)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"LocalStack did not start: see {BUILD / 'log'}")
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_localstack/health", timeout=2):
            return True
    except OSError:
        return False


def graded(slug: str, url: str) -> dict:
    """The report on a lab's solution."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        command = [sys.executable, "-m", "cloudkata.cli.kata", "check", slug, "--solution"]
        command += ["--target", "endpoint", "--endpoint-url", url, "--json", str(file)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=LAB_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return {
                "status": "error",
                "problem": f"not done after {LAB_SECONDS} s",
                "checks": [],
                "tasks": [],
                "seconds": 0,
            }
        if not file.exists():
            return {"status": "error", "problem": done.stdout + done.stderr, "checks": [], "tasks": [], "seconds": 0}
        return json.loads(file.read_text())


def outcomes(report: dict) -> dict[str, str]:
    """What each check came to: "passed", or for one that was skipped the behaviours that were missing, or its status."""
    found: dict[str, str] = {}
    for check in report["checks"]:
        found[check["id"]] = reason(check) if check["status"] == "skipped" else said(check)
    return found


def reason(check: dict) -> str:
    missing = sorted(set(BEHAVIOUR.findall(check["why"])))
    if missing:
        return f"no {', '.join(missing)}"
    return "after " + ", ".join(re.findall(r"\d\d\.[a-z0-9-]+", check["why"]))


def said(check: dict) -> str:
    if check["status"] == "passed":
        return "passed"
    text = f"{check['status']}: expected {check['expected']}, saw {check['actual']} {check['why']}"
    return " ".join(text.split())[:300]


def problems(seen: dict[str, str], recorded: dict[str, str]) -> list[str]:
    """A sentence for each check that did worse than recorded, or that no record tells of."""
    found = []
    for check, outcome in seen.items():
        before = recorded.get(check)
        if outcome != "passed" and not outcome.startswith(("no ", "after ")):
            found.append(f"{check} must pass or be skipped: {outcome}")
        elif before is None:
            found.append(f"{check} is not recorded ({outcome}): run tools/localstack/prove.py --record")
        elif before == "passed" != outcome:
            found.append(f"{check} passed when it was recorded and is skipped now: {outcome}")
        elif outcome == "passed" != before:
            found.append(f"{check} passes now and is recorded as skipped: run tools/localstack/prove.py --record")
    return found


def table(course: Course, recorded: dict[str, str]) -> str:
    """Of each lab: how many checks pass there, the tasks of which none does, and what is missing for the others."""
    rows = ["| lab | checks that pass | tasks without one | missing for the others |", "| --- | --- | --- | --- |"]
    for slug in course.labs:
        lab = load_lab(course, slug)
        passing = [spec for spec in lab.checks if recorded.get(spec.id) == "passed"]
        bare = [task.id for task in lab.tasks if task.id not in {spec.task for spec in passing}]
        missing = {name for spec in lab.checks for name in MISSING.findall(recorded.get(spec.id, ""))}
        names = ", ".join(f"`{name}`" for name in sorted(missing))
        rows.append(f"| {lab.number} | {len(passing)} of {len(lab.checks)} | {', '.join(bare)} | {names} |")
    passed = sum(outcome == "passed" for outcome in recorded.values())
    return "\n".join([*rows, f"| all | {passed} of {len(recorded)} | | |"])


def line(slug: str, report: dict) -> str:
    statuses = [check["status"] for check in report["checks"]]
    tasks = [task["id"] for task in report["tasks"]]
    passing = {check["task"] for check in report["checks"] if check["status"] == "passed"}
    bare = [task for task in tasks if task not in passing]
    text = f"{slug}: {statuses.count('passed')} of {len(statuses)} passed, {statuses.count('skipped')} skipped"
    text += f", {report['seconds']:.0f} s"
    if bare:
        text += f"; no check passed of {', '.join(bare)}"
    return text + (f"; {report['problem']}"[:300] if report.get("problem") else "")


if __name__ == "__main__":
    sys.exit(main())
