"""What a deck (slides/NN-slug.md, for Marp) or a notebook (notebooks/NN-slug.md, for jupytext) says of itself.

Both are Markdown with YAML in front, where `covers` names tasks of the lab, cards and skills; in a notebook it stands
under `jupyter`. A block of code marked `demo` holds commands to run live, one marked `seen` what is then seen: each of
its lines occurs in the output, `…` standing for anything, and white space for any other.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from cloudkata.course.find import CourseError
from cloudkata.course.manifest import Strict
from cloudkata.course.model import Course

DECK, NOTEBOOK = "slides", "notebooks"
_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_BLOCK = re.compile(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_SETTING = re.compile(r"\s*_?(class|paginate|header|footer|color|background\w*|theme|style|math|size|title)\s*:")
_CHECK = re.compile(r"`([0-9]{2}\.[a-z0-9]+(?:-[a-z0-9]+)+)`")
_ANYTHING = "…"


class Covers(Strict):
    """What of a lab is taught."""

    tasks: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()


@dataclass(frozen=True)
class Demo:
    """Commands with what a person then sees of them: (command, whether it is to fail) and texts of their output."""

    commands: tuple[tuple[str, bool], ...]
    seen: tuple[str, ...]


@dataclass(frozen=True)
class Material:
    """A deck or a notebook. `kind` is the folder it lies in, `body` its text after the YAML."""

    slug: str
    kind: str
    covers: Covers
    body: str

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.slug}.md"

    @property
    def slides(self) -> list[str]:
        """The texts between a deck's rules."""
        return re.split(r"^---$", self.body, flags=re.MULTILINE)

    @property
    def demos(self) -> list[Demo]:
        found: list[Demo] = []
        commands: list[tuple[str, bool]] = []
        for _, mark, text in _BLOCK.findall(self.body):
            lines = [line for line in text.splitlines() if line.strip()]
            if mark == "demo":
                commands += [(shlex.join(shlex.split(line, comments=True)), _fails(line)) for line in lines]
            elif mark == "seen" and commands:
                found.append(Demo(tuple(commands), tuple(lines)))
                commands = []
        return found + ([Demo(tuple(commands), ())] if commands else [])

    @property
    def checks(self) -> list[str]:
        """The checks it names in backticks."""
        return _CHECK.findall(self.body)

    @property
    def pictures(self) -> list[str]:
        return re.findall(r"!\[[^\]]*\]\(([^)]+)\)", self.body)

    @property
    def code(self) -> list[tuple[str, tuple[str, ...]]]:
        """A notebook's cells of code, each with what the `seen` block after it says of its output."""
        found: list[tuple[str, tuple[str, ...]]] = []
        for language, mark, text in _BLOCK.findall(self.body):
            if language == "python":
                found.append((text, ()))
            elif mark == "seen" and found:
                lines = tuple(line for line in text.splitlines() if line.strip())
                found[-1] = (found[-1][0], (*found[-1][1], *lines))
        return found


def materials(course: Course, kind: str) -> Iterator[Path]:
    """The files of a kind, in the order of their names."""
    yield from sorted((course.root / kind).glob("*.md"))


def load_material(path: Path) -> Material:
    """Read a deck or a notebook. Raises CourseError that says which file, and what is wrong."""
    import yaml

    shown = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{shown} cannot be read: {error}") from error
    front = _FRONT.match(text)
    if not front:
        raise CourseError(f"{shown} does not begin with YAML between two lines of ---")
    try:
        data = yaml.safe_load(front.group(1)) or {}
        where = data.get("jupyter", {}) if path.parent.name == NOTEBOOK else data
        covers = Covers.model_validate(where.get("covers") or {})
    except (yaml.YAMLError, AttributeError) as error:
        raise CourseError(f"{shown}: its YAML cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise CourseError(f"{shown}: covers: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return Material(path.stem, path.parent.name, covers, text[front.end() :])


def notes(slide: str) -> str:
    """What the speaker sees of a slide and nobody else."""
    return "\n".join(text for text in _COMMENT.findall(slide) if not _SETTING.match(text)).strip()


def missing(seen: tuple[str, ...], output: str) -> list[str]:
    """Those of the `seen` lines that do not occur in `output`."""
    flat = " ".join(output.split())
    return [
        line
        for line in seen
        if not re.search(".*?".join(re.escape(" ".join(part.split())) for part in line.split(_ANYTHING)), flat)
    ]


def _fails(line: str) -> bool:
    return line.partition("#")[2].strip().startswith("fails")
