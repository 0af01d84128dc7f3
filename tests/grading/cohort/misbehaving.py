"""Stands in for the process of an attempt: does what the folder to grade is called."""

import json
import os
import sys
import time
from pathlib import Path

job = json.loads(sys.stdin.buffer.readline())
what = Path(job["folder"]).name
answer = Path(job["answer"])
tmp = Path(os.environ["TMPDIR"])
report = {"schema": "cloudkata.report/1", "status": "passed", "score": 1.0, "seconds": 0.1, "problem": "", "checks": []}
mark = Path(job["folder"]).with_suffix(".pids")


def stay():
    mark.write_text(str(os.getpid()))
    while True:
        time.sleep(1)


if what == "passes":
    answer.write_text(json.dumps(report))
elif what == "hangs":
    stay()
elif what == "fills":
    for number in range(200):
        (tmp / str(number)).write_bytes(b"x" * (1 << 20))
    stay()
elif what == "eats":
    block = bytearray(os.urandom(1 << 20) * 300)
    stay()
elif what == "forks":
    for _ in range(60):
        if os.fork() == 0:
            time.sleep(60)
    stay()
elif what == "forks-and-hides":
    if os.fork() == 0:
        os.setsid()
        with open(mark, "a") as file:
            file.write(f"{os.getpid()} ")
        time.sleep(600)
    time.sleep(600)
elif what == "crashes":
    raise RuntimeError("out of ideas")
elif what == "lies":
    answer.write_text("[]")
elif what == "ignores":
    import signal

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stay()
