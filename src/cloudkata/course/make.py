"""Makes a course folder from what is installed, and a new lab in a course."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
import tomllib
from pathlib import Path

from cloudkata.course.find import MANIFEST, CourseError, find_course
from cloudkata.course.model import Course
from cloudkata.course.starter import write_starter

PARTS = ("labs", "solutions", "checks", "cards", "exams", "slides", "notebooks")
_PACKAGE = Path(__file__).parents[1]
_TEMPLATE = Path(__file__).with_name("template")
_SLUG = re.compile(r"[0-9]{2}(-[a-z0-9]+)+")
_ARRAY = re.compile(r"^labs\s*=\s*\[(.*?)\]", re.MULTILINE | re.DOTALL)
_LEFT_OUT = shutil.ignore_patterns("__pycache__", ".pytest_cache")


def content() -> Path:
    """The course that came with this installation: in the wheel, or the repository of an editable one."""
    for folder in (_PACKAGE / "content", _PACKAGE.parents[1]):
        if (folder / MANIFEST).is_file():
            return folder
    raise CourseError("this installation came without a course; install the wheel, or work in a clone")


def init_course(target: Path, force: bool = False) -> Path | None:
    """Make `target` a course folder, offline. An existing one is renewed if forced, its workspace untouched.

    Returns where the parts that were replaced are now, if there were any. Raises CourseError.
    """
    source = content()
    try:
        if (target / MANIFEST).exists():
            if not force:
                raise CourseError(
                    f"there is a course in {target} already; --force brings it to this version, "
                    "after a copy of what it replaces, and leaves your workspace alone"
                )
            if target.resolve() == source.resolve():
                raise CourseError(f"{target} is the very course that would be copied")
            return _renew(source, target)
        if target.exists() and any(target.iterdir()):
            raise CourseError(f"{target} is not empty; name a new folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as scratch:
            made = Path(scratch) / "course"
            made.mkdir()
            _copy(source, made)
            made.chmod(0o755)
            made.replace(target)
    except OSError as error:
        raise CourseError(f"{target} cannot be made a course folder: {error.strerror or error}") from error
    return None


def _renew(source: Path, target: Path) -> Path:
    root = target / "workspace" / ".backups"
    root.mkdir(parents=True, exist_ok=True)
    backup = Path(tempfile.mkdtemp(prefix=f"course-{time.strftime('%Y%m%d-%H%M%S')}-", dir=root))
    shutil.copyfile(target / MANIFEST, backup / MANIFEST)  # it stays: what was cut off can be forced again
    for name in PARTS:
        if (target / name).exists():
            shutil.move(target / name, backup / name)
    _copy(source, target)
    return backup


def _copy(source: Path, target: Path) -> None:
    for name in PARTS:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=_LEFT_OUT)
    shutil.copyfile(source / MANIFEST, target / MANIFEST)


def new_lab(course: Course, slug: str, title: str) -> list[Path]:
    """Make a lab that lint has nothing against, and whose starter fails its one check; its files, relative.

    Raises CourseError.
    """
    if not _SLUG.fullmatch(slug):
        raise CourseError(f'"{slug}" is no name for a lab: two digits and words, such as 42-my-lab')
    number = slug.split("-", 1)[0]
    for other in course.labs:
        if other.split("-", 1)[0] == number:
            raise CourseError(f"number {number} is taken by {other}")
    if '"' in title or "\\" in title:
        raise CourseError("a title has no quotes and no backslashes")
    places = {"lab": course.starter(slug), "solution": course.solution(slug), "checks": course.checks(slug)}
    for folder in places.values():
        if folder.exists():
            raise CourseError(f"{folder} is there already")
    manifest = _with_lab(course, slug)
    made = []
    try:
        for part, folder in places.items():
            for path in sorted((_TEMPLATE / part).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    target = folder / path.relative_to(_TEMPLATE / part)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    text = path.read_text(encoding="utf-8").replace("@number@", number).replace("@title@", title)
                    target.write_text(text, encoding="utf-8")
                    made.append(target.relative_to(course.root))
        (course.root / MANIFEST).write_text(manifest, encoding="utf-8")
    except OSError as error:
        raise CourseError(f"the lab cannot be made: {error.strerror or error}") from error
    written = write_starter(find_course(course.root), slug)
    return [*made, *(course.starter(slug).relative_to(course.root) / name for name in written)]


def _with_lab(course: Course, slug: str) -> str:
    """course.toml with one lab more, its comments kept. Raises CourseError when it is laid out in another way."""
    text = (course.root / MANIFEST).read_text(encoding="utf-8")
    found = _ARRAY.search(text)
    if found:
        inside = found.group(1).rstrip().removesuffix(",")
        comma = ", " if inside.strip() else ""
        text = f'{text[: found.start(1)]}{inside}{comma}"{slug}"{text[found.end(1) :]}'
    if not found or tomllib.loads(text).get("labs") != [*course.labs, slug]:
        raise CourseError(f"{MANIFEST} is not laid out as expected: add {slug} to `labs` yourself")
    return text
