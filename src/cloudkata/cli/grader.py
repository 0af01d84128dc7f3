"""Makes one attempt for `kata grade`, in a process of its own: `python -m cloudkata.cli.grader`.

A job (grading/cohort/supervise.py) comes on standard input, and the report goes into the file it names. When that input
ends, so does this process; its engine and its sandboxes end with it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path


def main() -> None:
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_owner, daemon=True).start()

    from cloudkata.course import find_course, load_lab
    from cloudkata.grading.attempt import attempt
    from cloudkata.reports.as_json import as_dict
    from cloudkata.sandbox.isolation import isolation
    from cloudkata.targets.embedded import EmbeddedTarget

    if not isolation().full and not job["trust"]:
        print(f"this machine does not isolate what is graded: {isolation().reason}", flush=True)
        os._exit(1)
    course = find_course(Path(job["course"]))
    lab = load_lab(course, job["slug"])
    result = attempt(course, lab, Path(job["folder"]), EmbeddedTarget(), seed=job["seed"])
    answer = Path(job["answer"])
    beside = answer.with_name("report.new")
    beside.write_text(json.dumps(as_dict(result), ensure_ascii=False), encoding="utf-8")
    beside.replace(answer)
    os._exit(0)  # threads that only wait keep nobody here


def _end_with_owner() -> None:
    while os.read(0, 1 << 16):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
