"""Measures `kata watch` from a save to the verdict, on a warm engine, in a course of its own.

    python tools/watch_bench.py 14 wallet.py --saves 10
    python tools/watch_bench.py 14 wallet.py --variant look-then-transfer    to the first verdict on what failed before

Prints each time and the median, in seconds. Measure when the machine is otherwise idle.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cloudkata.course import choose, choose_variant, find_course
from cloudkata.course.variants import make_variant

ROOT = Path(__file__).parents[1]
PAUSE_SECONDS = 3.0  # between two saves, as of somebody who types


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lab")
    parser.add_argument("file", help="what is saved, relative to the lab's folder")
    parser.add_argument("--saves", type=int, default=10)
    parser.add_argument("--variant", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kata-bench-") as scratch:
        for name in ("labs", "solutions", "checks"):
            shutil.copytree(ROOT / name, Path(scratch) / name)
        shutil.copyfile(ROOT / "course.toml", Path(scratch) / "course.toml")
        course = find_course(Path(scratch))
        slug = choose(course, options.lab)
        if options.variant:
            make_variant(course.solution(slug), choose_variant(course, slug, options.variant), course.workspace(slug))
        else:
            shutil.copytree(course.solution(slug), course.workspace(slug))
        found = measure(course.root, slug, options)
    print(f"median {statistics.median(found):.2f} s of {len(found)} saves, lab {slug} {options.variant}")


def measure(root: Path, slug: str, options) -> list[float]:
    argv = [sys.executable, "-m", "cloudkata.cli.kata", "watch", slug]
    with subprocess.Popen(
        argv, cwd=root, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "80"}
    ) as watch:
        try:
            until(watch, "checks passed in")
            file = root / "workspace" / slug / options.file
            source, found = file.read_text(encoding="utf-8"), []
            for number in range(options.saves):
                time.sleep(PAUSE_SECONDS)
                began = time.time()
                file.write_text(f"{source}# {number}\n", encoding="utf-8")
                until(watch, "after the save" if options.variant else "checks passed in")
                found.append(time.time() - began)
                print(f"{found[-1]:.2f}", flush=True)
                if options.variant:
                    until(watch, "after the save")  # of all of it
        finally:
            watch.send_signal(signal.SIGINT)
    return found


def until(watch: subprocess.Popen, words: str) -> None:
    for line in watch.stdout:
        if words in line:
            return
    raise RuntimeError("kata watch ended")


if __name__ == "__main__":
    main()
