"""`kata deploy` and `kata destroy` as a person types them, where nothing can be deployed; what they do is in tests/proof."""

import importlib.util
import shutil

import pytest

STACK = "from cloudkata.cdk.stack import LabStack\n\n\nclass Solution(LabStack):\n    def build(self):\n        pass\n"


@pytest.fixture
def stacked(mini):
    """The mini course, with a stack for its first lab."""
    (mini.folder / "solutions" / "00-table" / "stack.py").write_text(STACK)
    return mini


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("deploy", "07"), 'no lab "07"'),
        (("deploy", "01"), "has no stack.py"),
        (("deploy", "00", "--target", "moon"), 'no target "moon"'),
        (("deploy", "00", "--target", "endpoint"), "--endpoint-url URL"),
        (("deploy", "00", "--target", "account"), "--profile NAME"),
        (("deploy", "00", "--endpoint-url", "nonsense"), "not the URL of an endpoint"),
        (("destroy", "07"), 'no lab "07"'),
        (("destroy", "00"), "no engine is up"),
        (("destroy", "00", "--target", "account", "--profile", "nobody"), "no profile 'nobody'"),
    ],
)
def test_what_cannot_be_deployed_is_a_sentence(stacked, monkeypatch, words, sentence):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: object())  # as where CDK is installed
    monkeypatch.setattr(shutil, "which", lambda name, *_, **__: f"/usr/bin/{name}")
    said = stacked.kata(*words, expect=4)
    assert sentence in said.stderr and "our fault" not in said.stderr and said.stdout == ""


def test_an_endpoint_that_nobody_answers_at_is_a_sentence(stacked):
    said = stacked.kata("destroy", "00", "--endpoint-url", "http://127.0.0.1:9", expect=3)
    assert "nobody answers at http://127.0.0.1:9" in said.stderr


def test_without_cdk_it_says_how_to_get_it(stacked, monkeypatch):
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "aws_cdk" else there(name, *rest)
    )
    said = stacked.kata("deploy", "00", expect=4)
    assert 'pip install "cloudkata[cdk]"' in said.stderr
    assert not (stacked.runtime / "cloudkata" / "engine.json").exists()  # no engine was started for nothing


def test_help_has_an_example(mini):
    for command in ("deploy", "destroy"):
        said = " ".join(mini.kata(command, "--help").stdout.split())
        assert f"kata {command} 14" in said
