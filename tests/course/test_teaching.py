"""Decks and notebooks as `kata lint` and `kata coverage` know them."""

import shutil
from pathlib import Path

import pytest

from cloudkata.course import CourseError, find_course
from cloudkata.course.lint_teaching import lint_teaching
from cloudkata.course.teaching import load_material, missing, notes

ROOT = Path(__file__).parents[2]
DECK = """---
marp: true
covers:
  tasks: [greet]
---

# One

![A diagram.](diagrams/a.svg)

<!-- _class: demo -->
<!-- Say this. -->

```sh demo
kata check 00   # fails
```

```text seen
NOT YET
```
"""
NOTEBOOK = """---
jupyter:
  covers:
    tasks: [greet]
---

```python
print(6 * 7)
```

```text seen
42
```

## Change one thing

## What the exam asks
"""


@pytest.fixture
def course(tmp_path):
    """A course of lab 00 alone, with a deck and a notebook that nothing is wrong with."""
    for name in ("labs", "solutions", "checks"):
        shutil.copytree(ROOT / name / "00-first-proof", tmp_path / name / "00-first-proof")
    (tmp_path / "course.toml").write_text('labs = ["00-first-proof"]\n')
    (tmp_path / "slides/diagrams").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "slides/diagrams/a.dot").write_text("digraph { a }")
    (tmp_path / "slides/diagrams/a.svg").write_text("<svg></svg>")
    (tmp_path / "slides/00-first-proof.md").write_text(DECK.replace("greet", task(tmp_path)))
    (tmp_path / "notebooks/00-first-proof.md").write_text(NOTEBOOK.replace("greet", task(tmp_path)))
    return find_course(tmp_path)


def task(root: Path) -> str:
    import tomllib

    return tomllib.loads((root / "labs/00-first-proof/lab.toml").read_text())["tasks"][0]["id"]


def test_nothing_is_wrong_with_a_good_deck_and_a_good_notebook(course):
    assert lint_teaching(course) == []


def test_the_course_has_nothing_that_dangles():
    assert lint_teaching(find_course(ROOT)) == []


@pytest.mark.parametrize(
    ("kind", "old", "new", "said"),
    [
        ("slides", "tasks: [", "tasks: [fly, ", "there is no task fly"),
        ("slides", "  tasks:", "  cards: [no-card]\n  tasks:", "there is no card no-card"),
        ("slides", "  tasks:", "  skills: [C03-none]\n  tasks:", "there is no skill C03-none"),
        ("slides", "  tasks:", "  labs: [1]\n  tasks:", "covers: labs"),
        ("slides", "# One", "# One `00.no-such-check`", "there is no check 00.no-such-check"),
        ("slides", "<!-- Say this. -->", "", "slide 1 has no speaker notes"),
        ("slides", "diagrams/a.svg", "diagrams/b.svg", "there is no picture diagrams/b.svg"),
        ("slides", "kata check 00", "kata check 77", 'there is no lab "77"'),
        ("slides", "kata check 00", "kata check 00 --variant none", 'has no variant "none"'),
        ("slides", "kata check 00", "rm -r x", "runs something else than kata"),
        ("slides", "text seen", "text", "does not say what is seen"),
        ("notebooks", "text seen", "text", "does not say what is seen"),
        ("notebooks", "## Change one thing", "", "Change one thing"),
        ("notebooks", "tasks: [", "tasks: [fly, ", "there is no task fly"),
    ],
)
def test_what_dangles_is_named(course, kind, old, new, said):
    file = course.root / kind / "00-first-proof.md"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    (problem, *_) = lint_teaching(course)
    assert f"{kind}/00-first-proof.md" in problem and said in problem


def test_a_diagram_without_its_text_is_named(course):
    (course.root / "slides/diagrams/a.dot").unlink()
    assert "drawn from" in lint_teaching(course)[0]


def test_a_deck_of_no_lab_is_named(course):
    (course.root / "slides/77-none.md").write_text(DECK)
    assert lint_teaching(course) == ["slides/77-none.md: there is no lab 77-none"]


def test_a_lab_without_a_deck_is_named_where_others_have_one(course):
    deck = course.root / "slides/00-first-proof.md"
    deck.rename(deck.with_name("77-none.md"))
    assert "there is no slides/00-first-proof.md" in lint_teaching(course)
    deck.with_name("77-none.md").unlink()
    assert lint_teaching(course) == []


def test_demos_are_commands_with_what_is_seen_of_them(course):
    (demo,) = load_material(course.root / "slides/00-first-proof.md").demos
    assert demo.commands == (("kata check 00", True),) and demo.seen == ("NOT YET",)


def test_a_directive_is_no_note():
    assert notes("<!-- _class: lead -->") == ""
    assert notes("<!-- Look here: now. -->") == "Look here: now."


def test_a_file_without_yaml_is_a_sentence(tmp_path):
    (tmp_path / "a.md").write_text("# A")
    with pytest.raises(CourseError, match="does not begin with YAML"):
        load_material(tmp_path / "a.md")


@pytest.mark.parametrize(
    ("line", "held"), [("2 of 3", True), ("a … of 3", True), ("3 of 3", False), ("of  3 x", True), ("of … a", False)]
)
def test_what_is_seen_is_found_in_what_was_said(line, held):
    assert (missing((line,), "a is\n 2 of 3\nx") == []) is held
