"""`kata notebook`, up to where JupyterLab would open."""

import json

import pytest

from cloudkata.cli.notebook import own_copy


def test_a_lab_without_a_notebook_is_a_sentence(mini):
    assert "there is no notebook for 00-table" in mini.kata("notebook", "00", expect=4).stderr


def test_the_learners_notebook_is_made_once_and_kept(tmp_path):
    pytest.importorskip("jupytext", reason="the extra for notebooks is not installed; make proof installs it")
    source = tmp_path / "00-a.md"
    source.write_text("# A\n\n```python\n1\n```\n")
    own = own_copy(source, tmp_path / "workspace/notebooks")
    cells = json.loads(own.read_text())["cells"]
    assert [cell["cell_type"] for cell in cells] == ["markdown", "code"]
    own.write_text("mine")
    source.write_text("# B\n")
    assert own_copy(source, tmp_path / "workspace/notebooks").read_text() == "mine"
