"""Every rule of `kata lint` can fail: each is broken in a copy of the course."""

import shutil
from pathlib import Path

import pytest

from cloudkata.course import CourseError, find_course, load_lab
from cloudkata.course.lint import lint_course, lint_lab
from cloudkata.course.starter import starter_text, write_starter

ROOT = Path(__file__).parents[2]
SLUG = "00-first-proof"


@pytest.fixture
def course(tmp_path):
    for name in ("labs", "solutions", "checks"):
        shutil.copytree(ROOT / name / SLUG, tmp_path / name / SLUG, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "course.toml").write_text(f'labs = ["{SLUG}"]\n')
    return find_course(tmp_path)


def change(path, old, new):
    text = path.read_text()
    assert text.count(old) >= 1, (path, old)
    path.write_text(text.replace(old, new, 1))


def test_the_course_is_clean():
    course = find_course(ROOT)
    assert lint_course(course) == []
    assert [problem for slug in course.labs for problem in lint_lab(course, slug)] == []


BREAKS = {
    "stale starter": ("labs/{}/app/handler.py", "status = 200", "status = 201", "is stale"),
    "unknown task in a region": (
        "solutions/{}/app/handler.py",
        "kata: task greet",
        "kata: task gret",
        "names the task",
    ),
    "region not closed": ("solutions/{}/app/handler.py", "# kata: end", "# the end", "must be a comment"),
    "check of no task": ("checks/{}/test_greeting.py", '@check(task="greet")', '@check(task="x")', "no task x"),
    "check without claim": (
        "checks/{}/test_greeting.py",
        '"""A request with a name gets a 200 and a greeting with that very name."""',
        "pass",
        "needs a claim",
    ),
    "argument that is no literal": (
        "checks/{}/test_greeting.py",
        '@check(task="greet")',
        '@check(task="greet", needs=[check])',
        "must be literals",
    ),
    "comes after nothing": (
        "checks/{}/test_greeting.py",
        '@check(task="greet")',
        '@check(task="greet", after=["00.ghost"])',
        "comes after 00.ghost",
    ),
    "find text twice": (
        "checks/{}/misconceptions.toml",
        'find = "status = 200 if name else 400"',
        'find = "name"',
        "times in app/handler.py, not once",
    ),
    "variant that is no Python": (
        "checks/{}/misconceptions.toml",
        'replace = "status = 200" }]',
        'replace = "status = (" }]',
        "is no Python after its edits",
    ),
    "caught by nothing": (
        "checks/{}/misconceptions.toml",
        'caught_by = ["00.greets-by-name"]',
        'caught_by = ["00.ghost"]',
        "which is no check of this lab",
    ),
    "two neighbours": ("checks/{}/neighbours.toml", "[[neighbour]]", "[[nachbar]]", "neighbours.toml"),
    "literal name": (
        "solutions/{}/deploy.py",
        "FunctionName=name,",
        'FunctionName="hello",',
        "FunctionName is a literal",
    ),
    "missing section": ("labs/{}/README.md", "## Compare", "## Something else", "sections of README.md"),
    "unknown key": ("labs/{}/lab.toml", "minutes = 10", "minuets = 10", "minutes: Field required"),
    "wrong kind": ("labs/{}/lab.toml", '"function-name"', '"functoin"', "outputs.FunctionName"),
    "two hints": ("labs/{}/lab.toml", '    "The status of an answer is yours', '#   "', "tasks.0.hints"),
    "no TOML": ("labs/{}/lab.toml", "title = ", "title ", "is not valid TOML"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_rule_is_broken(name, course):
    path, old, new, said = BREAKS[name]
    change(course.root / path.format(SLUG), old, new)
    problems = lint_lab(course, SLUG)
    assert any(said in problem for problem in problems), problems


def test_only_absences_prove_nothing(course):
    (course.checks(SLUG) / "test_more.py").write_text(
        "from cloudkata.checking import check, expect\n\n\n"
        '@check(task="greet")\ndef test_quiet(lab):\n    """Nothing happens."""\n'
        '    expect("errors", []).equals([], why="x")\n\n\n'
        '@check(task="greet")\ndef test_silent(lab):\n    """Nothing at all."""\n    lab.settle()\n'
    )
    problems = lint_lab(course, SLUG)
    assert any("00.quiet expects only that something is absent" in problem for problem in problems)
    assert any("00.silent expects nothing" in problem for problem in problems)


def test_labs_and_course_toml_agree(course):
    (course.root / "course.toml").write_text('labs = ["01-ghost"]\n')
    problems = lint_course(find_course(course.root))
    assert problems == [
        "course.toml names 01-ghost, but there is no labs/01-ghost",
        f"labs/{SLUG} is not in course.toml",
    ]


def test_not_utf8_is_a_sentence(course):
    (course.starter(SLUG) / "lab.toml").write_bytes(b'title = "\xff"\n')
    with pytest.raises(CourseError, match=r"lab\.toml is not UTF-8"):
        load_lab(course, SLUG)


def test_sync_makes_the_starter_again(course):
    handler = course.starter(SLUG) / "app" / "handler.py"
    wanted = handler.read_text()
    handler.write_text("broken")
    (course.starter(SLUG) / "extra.py").write_text("")
    assert write_starter(course, SLUG) == ["app/handler.py", "extra.py"]
    assert handler.read_text() == wanted and not (course.starter(SLUG) / "extra.py").exists()
    assert write_starter(course, SLUG) == []


def test_region_is_replaced_by_its_starter():
    text = "a\n    # kata: task t\n    b\n    c\n    # kata: starter\n    # d\n    #\n    # kata: end\ne\n"
    assert starter_text(text, "x") == ("a\n    d\n\ne\n", {"t": 2})
