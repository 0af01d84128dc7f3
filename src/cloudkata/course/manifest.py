"""The files of a lab that authors write in TOML, as pydantic models: what must be there, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloudkata.course.find import CourseError, read_toml

OutputKind = Literal[
    "alias-arn",
    "bucket-name",
    "distribution-domain",
    "distribution-id",
    "function-name",
    "http-url",
    "identity-pool-id",
    "layer-version-arn",
    "queue-url",
    "role-arn",
    "state-machine-arn",
    "stream-name",
    "table-name",
    "user-pool-client-id",
    "user-pool-id",
]
MAX_REAL_ACCOUNT_ONLY = 2
MAX_RACERS = 8  # processes of some 40 MB each
Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """What a file may hold is said in full: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskEntry(Strict):
    id: Id
    title: Text
    weight: Annotated[int, Field(ge=1)]
    skills: list[str] = []
    hints: Annotated[list[Text], Field(min_length=3, max_length=3)]


class LabManifest(Strict):
    """lab.toml."""

    title: Text
    summary: Text
    minutes: Annotated[int, Field(ge=1)]
    prerequisites: list[str] = []
    outputs: dict[str, OutputKind]
    calls: dict[str, str] = {}
    needs: list[Text] = []
    racers: Annotated[int, Field(ge=1, le=MAX_RACERS)] = 1
    not_enforced: list[str] = []
    real_account_only: Annotated[list[str], Field(max_length=MAX_REAL_ACCOUNT_ONLY)] = []
    cost: str = ""
    tasks: Annotated[list[TaskEntry], Field(min_length=1)]


class EditEntry(Strict):
    file: Text
    find: Text
    replace: str


class MisconceptionEntry(Strict):
    id: Id
    belief: Text
    source: Text
    correction: Text
    caught_by: Annotated[list[str], Field(min_length=1)]
    edits: Annotated[list[EditEntry], Field(min_length=1)]


class NeighbourEntry(Strict):
    id: Id
    why: Text
    edits: Annotated[list[EditEntry], Field(min_length=1)]


class MisconceptionFile(Strict):
    misconception: list[MisconceptionEntry]


class NeighbourFile(Strict):
    neighbour: list[NeighbourEntry]


_Model = TypeVar("_Model", bound=BaseModel)


def read_model(path: Path, model: type[_Model]) -> _Model:
    """A TOML file as a model. Raises CourseError that names the file, the key and what was expected."""
    data = read_toml(path)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise CourseError(f"{path.parent.name}/{path.name}: {key}: {first['msg']}") from error
