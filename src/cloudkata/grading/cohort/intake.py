"""Finds the submissions of a cohort, and makes a copy of one that is safe to run."""

from __future__ import annotations

import ast
import contextlib
import csv
import os
import stat
from collections import Counter
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from cloudkata.course import Course, CourseError, load_lab
from cloudkata.grading.cohort import names
from cloudkata.grading.cohort.archives import unpack
from cloudkata.grading.cohort.folders import copy_folder
from cloudkata.grading.cohort.remotes import fetch
from cloudkata.grading.cohort.tray import LEFT_OUT, Refused, Tray, named

FOLDER, ARCHIVE, REMOTE = "folder", "archive", "remote"
_ROWS = 20_000
_LOOKED_AT = 5000  # files, more than are taken
_ENTRY = "deploy.py"
_OTHER_LAB = "it looks like lab {}; this is about lab {}"
_SOURCE_BYTES = 1 << 20


@dataclass(frozen=True)
class Submission:
    """What one learner sent. `name` is as found; `problem` is why it is refused without a look into it."""

    name: str
    kind: str
    source: str
    ref: str = ""
    problem: str = ""

    @property
    def learner(self) -> str:
        return names.shown(self.name)

    @property
    def key(self) -> str:
        return names.key(self.name)


def find_submissions(place: Path) -> list[Submission]:
    """Those in a folder, or in a CSV file of remotes; by name. Raises CourseError when there are none to find."""
    if place.is_file() and place.suffix.lower() == ".csv":
        found = _in_table(place)
    elif place.is_dir():
        found = _in_folder(place)
    else:
        raise CourseError(f"{place} is neither a folder with submissions nor a .csv file of git remotes")
    if not found:
        raise CourseError(f"there are no submissions in {place}")
    times = Counter(one.name for one in found)
    twice = "it is there {} times under this name; keep one of them"
    found = [replace(one, problem=twice.format(times[one.name])) if times[one.name] > 1 else one for one in found]
    return sorted({one.name: one for one in found}.values(), key=lambda one: os.fsencode(one.name))


def _in_folder(place: Path) -> list[Submission]:
    found = []
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name in LEFT_OUT:
                continue
            if entry.is_symlink():
                found.append(Submission(entry.name, FOLDER, entry.path, problem="it is a link; send the files"))
            elif entry.is_dir(follow_symlinks=False):
                found.append(Submission(entry.name, FOLDER, entry.path))
            elif entry.name.lower().endswith(".zip"):
                found.append(Submission(entry.name[:-4], ARCHIVE, entry.path))
            else:
                found.append(Submission(entry.name, ARCHIVE, entry.path, problem="it is no folder and no .zip archive"))
    return found


def _in_table(place: Path) -> list[Submission]:
    """Rows with the columns `learner`, `url` and, if need be, `ref`: a branch or a tag."""
    try:
        with open(place, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if not {"learner", "url"} <= set(rows.fieldnames or ()):
                raise CourseError(f"{place.name}: its first line must name the columns learner and url")
            found = []
            for row in rows:
                name, url = (row["learner"] or "").strip(), (row["url"] or "").strip()
                if not name:
                    raise CourseError(f"{place.name}, line {rows.line_num}: there is no learner")
                problem = "" if url else "there is no url in its line"
                found.append(Submission(name, REMOTE, url, (row.get("ref") or "").strip(), problem))
                if len(found) > _ROWS:
                    raise CourseError(f"{place.name} has more than {_ROWS} lines")
    except (csv.Error, UnicodeDecodeError) as error:
        raise CourseError(f"{place.name} is no CSV file in UTF-8: {error}") from error
    return found


def fingerprint(submission: Submission) -> str:
    """Another one when what was sent is another: names, sizes and times of its files, or a remote's address."""
    where = submission.source if submission.kind == REMOTE else ""  # a folder may be called by another path
    found = sha256("\0".join((submission.kind, where, submission.ref, submission.problem)).encode("utf-8", "replace"))
    if submission.kind != REMOTE and not submission.problem:
        pending, left = [submission.source], _LOOKED_AT
        while pending and left:
            path, left = pending.pop(), left - 1
            with contextlib.suppress(OSError):
                about = os.lstat(path)
                found.update(os.fsencode(path[len(submission.source) :]) + f"\0{about.st_mode}".encode())
                if stat.S_ISDIR(about.st_mode):
                    with os.scandir(path) as entries:
                        pending += sorted(entry.path for entry in entries if entry.name not in LEFT_OUT)
                else:
                    found.update(f"{about.st_size} {about.st_mtime_ns}".encode())
    return found.hexdigest()[:16]


def prepare(submission: Submission, course: Course, slug: str, scratch: Path) -> Path:
    """A copy in the folder `scratch` of what was sent; the folder in it to grade. Raises Refused, and OSError."""
    if submission.problem:
        raise Refused(submission.problem)
    tray = Tray(scratch / "submission")
    if submission.kind == FOLDER:
        copy_folder(Path(submission.source), tray)
    elif submission.kind == ARCHIVE:
        unpack(Path(submission.source), tray)
    else:
        fetch(submission.source, submission.ref, tray, scratch / "remote")
    tray.open_up()
    folder = _own_folder(tray.root, slug)
    _is_of_this_lab(folder, course, slug)
    return folder


def _own_folder(root: Path, slug: str) -> Path:
    """Where deploy.py lies: in the lab's own folder of a whole course, or else the only one there is."""
    found = [path.parent for path in root.rglob(_ENTRY) if path.is_file()]
    found.sort(key=lambda path: (len(path.parts), path))
    named_so = [path for path in found if path.name == slug]
    named_so = [path for path in named_so if path.parent.name == "workspace"] or named_so
    if not found:
        raise Refused("there is no deploy.py in it" if any(root.iterdir()) else "it is empty")
    if len(named_so) == 1 or len(found) == 1:
        return (named_so or found)[0]
    if found[0] == root:
        return root
    places = ", ".join(path.relative_to(root).as_posix() for path in found)
    raise Refused(f"it has more than one deploy.py ({named(places)}); send the folder of this lab alone")


def _is_of_this_lab(folder: Path, course: Course, slug: str) -> None:
    """Refuse a folder with another lab's name, or all of its outputs and none of this one's. Otherwise checks tell."""
    if folder.name in course.labs and folder.name != slug:
        raise Refused(_OTHER_LAB.format(folder.name, slug))
    try:
        source = (folder / _ENTRY).read_bytes()
        words = (
            {
                node.value
                for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
            if len(source) <= _SOURCE_BYTES
            else set()
        )
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # running it will say so
    outputs = load_lab(course, slug).outputs
    if words & set(outputs):
        return
    for other in course.labs:
        if other == slug:
            continue
        theirs = set(load_lab(course, other).outputs)
        if theirs and theirs <= words and not theirs & set(outputs):
            raise Refused(_OTHER_LAB.format(other, slug))
