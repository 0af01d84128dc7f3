"""What became of each submission, one JSON file each: written whole or not at all, so that a killed run goes on."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from cloudkata.course import CourseError
from cloudkata.grading.attempt import FAIL, FAULT, NOT_DEPLOYED, PASS

SCHEMA = "cloudkata.result/1"
REFUSED, STOPPED = "refused", "stopped"
STATUSES = (PASS, FAIL, NOT_DEPLOYED, REFUSED, STOPPED, FAULT)
_FOLDER, _LOCK, _ABOUT = "results", ".lock", "cohort.json"
_REASON = 300


@dataclass(frozen=True)
class Result:
    """One learner's result. `report` is a cloudkata.report/1 where an attempt was made; `score` is from 0 to 1.
    `source` is the fingerprint of what was graded.

    Beside an attempt's statuses there are `refused` (nothing was run) and `stopped` (it took more than an attempt
    may). With `error` there is no verdict, and the next run tries again.
    """

    learner: str
    key: str
    lab: str
    status: str
    score: float = 0.0
    reason: str = ""
    seconds: float = 0.0
    report: dict | None = None
    source: str = ""


class Store:
    """The results of one cohort at one lab, below the folder `root`."""

    def __init__(self, root: Path, slug: str) -> None:
        self.root, self._slug = root, slug
        self._results = root / _FOLDER

    @contextlib.contextmanager
    def opened(self, resume: bool) -> Iterator[Store]:
        """Have it for this process alone. Raises CourseError where there are results already, unless `resume`."""
        try:
            self._results.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CourseError(f"{self.root} cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise CourseError(f"another kata grade is at work on {self.root}") from error
        try:
            self._begin(resume)
            yield self
        finally:
            os.close(descriptor)

    def _begin(self, resume: bool) -> None:
        about = self.root / _ABOUT
        found = _read(about)
        if found and found.get("lab") != self._slug:
            raise CourseError(f"{self.root} has the results of lab {found.get('lab')}; name another folder")
        if not resume and any(self._results.glob("*.json")):
            raise CourseError(f"{self.root} has results already; go on with --resume, or name another folder")
        write_whole(about, {"schema": "cloudkata.cohort/1", "lab": self._slug})

    def all(self) -> dict[str, Result]:
        """The results so far, by key; a file that is damaged counts as none."""
        found = {}
        for path in sorted(self._results.glob("*.json")):
            data = _read(path)
            if data.pop("schema", "") == SCHEMA:
                with contextlib.suppress(TypeError):
                    result = Result(**data)
                    if result.key == path.stem and result.lab == self._slug and result.status in STATUSES:
                        found[result.key] = result
        return found

    def put(self, result: Result) -> None:
        """Keep a result, in place of one that is there. Raises OSError."""
        write_whole(self._results / f"{result.key}.json", {"schema": SCHEMA, **asdict(result)})


def write_whole(path: Path, data: dict) -> None:
    """Write JSON to `path`, all of it or nothing, also when the machine loses its power."""
    beside = path.with_name(f".{path.name}.new")
    with open(beside, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _read(path: Path) -> dict:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


# What differs from one attempt to the next without meaning anything: names and accounts, ports, ids, addresses.
_VARIES = (
    (re.compile(r"\b(kata\d\d)-[0-9a-f]{4}\b"), r"\1-…"),
    (re.compile(r"\b(127\.0\.0\.1|localhost):\d+"), r"\1"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "…"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.I), "0x…"),
    (re.compile(r"(?<!\d)\d{12}(?!\d)"), "…"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{16,}\b", re.I), "…"),
)


def steady(text: str) -> str:
    """`text` as one line that is the same for the same outcome, whichever run it comes from."""
    for pattern, replacement in _VARIES:
        text = pattern.sub(replacement, text)
    text = " ".join(text.split())
    return text if len(text) <= _REASON else text[: _REASON - 1] + "…"


def result_of(report: dict, learner: str, key: str, lab: str) -> Result:
    """The result that a report (cloudkata.report/1) comes to."""
    return Result(learner, key, lab, report["status"], report["score"], _reason(report), report["seconds"], report)


def _reason(report: dict) -> str:
    if report["status"] == PASS:
        return ""
    checks = report["checks"]
    bad = [entry for entry in checks if entry["status"] not in ("passed", "skipped")]
    if report["problem"] or not bad:
        return steady(report["problem"] or "nothing was proved")
    first = next((entry for entry in bad if entry["status"] != "blocked"), bad[0])
    failed = f"{len(bad)} of {len(checks)} checks did not pass"
    return steady(f"{failed}; first {first['id']}: {first['claim']}")
