"""Measures `kata grade` on mixed cohorts of known verdicts: whether they come out right, and the time for each attempt.

python tools/bench_cohort.py [--json FILE] [--lab LAB] [--seed N] [--sizes 20 200]

Solutions, starters, neighbours, misconceptions and cheats, a third of them packed. Of two sizes, an attempt of the
larger one may take 15% more of the machine's time than one of the smaller. The rest of what a cohort must show, kills
included, is in tests/proof/test_cohort.py; CLOUDKATA_COHORT=200 makes it as large.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path

import cohort

from cloudkata.course import Course, choose, find_course
from cloudkata.grading.cohort.admission import cores

RATIO = 1.15


def measure(course: Course, slug: str, number: int, seed: int) -> dict:
    """One cohort of `number`; seconds are real ones, and an attempt's share of them is for each core."""
    with tempfile.TemporaryDirectory(prefix="kata-bench-") as scratch:
        place, out = Path(scratch, "in"), Path(scratch, "out")
        place.mkdir()
        expected = cohort.make_mixed(place, course, slug, number, seed)
        began = time.monotonic()
        done = cohort.grade(course, slug, place, out)
        took = time.monotonic() - began
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        results = [json.loads(path.read_text(encoding="utf-8")) for path in (out / "results").glob("*.json")]
        return {
            "submissions": number,
            "seconds": round(took, 2),
            "seconds_an_attempt": round(took * cores() / number, 3),
            "median_of_the_attempt_itself": round(statistics.median(one["seconds"] for one in results), 3),
            "wrong": cohort.wrong(out, expected),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", default="")
    parser.add_argument("--lab", default="00")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 200])
    options = parser.parse_args()
    course = find_course(Path.cwd())
    slug = choose(course, options.lab)
    seed = secrets.randbelow(1 << 32) if options.seed is None else options.seed
    print(f"lab {slug}, seed {seed}, {cores()} cores, load {os.getloadavg()[0]:.1f}")
    found = []
    for size in options.sizes:
        found.append(measure(course, slug, size, seed))
        shown = {name: value for name, value in found[-1].items() if name != "wrong"}
        print("  ".join(f"{name} {value}" for name, value in shown.items()), flush=True)
        for line in found[-1]["wrong"]:
            print(f"  wrong: {line}")
    ratio = found[-1]["seconds_an_attempt"] / found[0]["seconds_an_attempt"]
    holds = ratio <= RATIO and not any(one["wrong"] for one in found)
    print(f"an attempt of {options.sizes[-1]} takes {ratio:.2f} times one of {options.sizes[0]} (at most {RATIO})")
    if options.json:
        data = {"lab": slug, "seed": seed, "cores": cores(), "sizes": found, "ratio": round(ratio, 3), "holds": holds}
        Path(options.json).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
