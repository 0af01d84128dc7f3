"""What a course consists of, as read from its files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Task:
    """A step of a lab. `hints` go from a nudge to the name of the API; `skills` are ids of the exam guides."""

    id: str
    title: str
    weight: int
    hints: tuple[str, ...]
    skills: tuple[str, ...] = ()


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
class Edit:
    """A change of one file of the solution: `find` stands there exactly once."""

    file: str
    find: str
    replace: str


@dataclass(frozen=True)
class Variant:
    """The solution with a few edits: a misconception, with the checks that must catch it, or a neighbour.

    `belief` is what somebody thinks who writes it so, or for a neighbour why it is equally right.
    """

    id: str
    belief: str
    edits: tuple[Edit, ...]
    source: str = ""
    correction: str = ""
    caught_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lab:
    """One lab: `slug` is its folder's name, `outputs` maps an output to its kind, `calls` a function to its file.

    `racers`: in how many processes at once checks call those functions. `needs`: the behaviours without which
    deploy.py itself cannot come to its end.
    """

    slug: str
    title: str
    summary: str
    minutes: int
    outputs: dict[str, str]
    tasks: tuple[Task, ...]
    checks: tuple[CheckSpec, ...]
    calls: dict[str, str] = field(default_factory=dict)
    racers: int = 1
    needs: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()
    not_enforced: tuple[str, ...] = ()
    real_account_only: tuple[str, ...] = ()
    cost: str = ""

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
