"""What a course consists of, as read from its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Task:
    """A step of a lab. `hints` go from a nudge to the name of the API."""

    id: str
    title: str
    weight: int
    hints: tuple[str, ...]


@dataclass(frozen=True)
class CheckSpec:
    """A check as its source declares it; the claim is the first line of its docstring."""

    id: str
    task: str
    claim: str
    function: str
    file: str
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lab:
    """One lab: `slug` is its folder's name, `outputs` maps an output to its kind."""

    slug: str
    title: str
    summary: str
    minutes: int
    outputs: dict[str, str]
    tasks: tuple[Task, ...]
    checks: tuple[CheckSpec, ...]

    @property
    def number(self) -> str:
        return self.slug.split("-", 1)[0]


@dataclass(frozen=True)
class Course:
    """A course folder and the order of its labs."""

    root: Path
    labs: tuple[str, ...]

    def starter(self, slug: str) -> Path:
        return self.root / "labs" / slug

    def solution(self, slug: str) -> Path:
        return self.root / "solutions" / slug

    def checks(self, slug: str) -> Path:
        return self.root / "checks" / slug

    def workspace(self, slug: str) -> Path:
        return self.root / "workspace" / slug
