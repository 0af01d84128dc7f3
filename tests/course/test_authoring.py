"""docs/authoring.md says what the files may hold, and all of it."""

import re
from pathlib import Path

from cloudkata.checking import CheckedLab
from cloudkata.course import lint
from cloudkata.course.manifest import LabManifest, MisconceptionEntry, NeighbourEntry, TaskEntry

TEXT = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text()


def test_every_key_is_documented():
    keys = {
        name for model in (LabManifest, TaskEntry, MisconceptionEntry, NeighbourEntry) for name in model.model_fields
    }
    assert [name for name in sorted(keys) if f"`{name}`" not in TEXT] == []


def test_all_that_a_check_can_do_is_documented():
    public = [name for name in vars(CheckedLab) if not name.startswith("_") and name != "close"]
    assert [name for name in public if not re.search(rf"`{name}\b", TEXT)] == []


def test_sections_of_a_brief_stand_in_their_order():
    assert ", ".join(lint.BRIEF_SECTIONS) in TEXT.replace("\n", " ")
