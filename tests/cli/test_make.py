"""What makes course folders and labs; and CONTRIBUTING.md, followed word for word."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_a_new_lab_lints_and_its_one_check_fails(mini):
    said = mini.kata("new-lab", "42-my-lab").stdout
    assert "made: labs/42-my-lab/lab.toml" in said and "kata check 42" in said
    assert "Nothing to complain about" in mini.kata("lint").stdout
    report = json.loads(mini.kata("check", "42", "--json", "-", expect=1).stdout)
    assert [entry["status"] for entry in report["checks"]] == ["failed"]
    assert "My lab" in mini.kata("list").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("my-lab",), "two digits and words"),
        (("42-My_Lab",), "two digits and words"),
        (("01-other",), "number 01 is taken by 01-script"),
        (("42-my-lab", "--title", 'a "quoted" one'), "no quotes"),
    ],
)
def test_a_name_that_will_not_do_makes_nothing(mini, words, said):
    assert said in mini.kata("new-lab", *words, expect=4).stderr
    assert sorted(path.name for path in (mini.folder / "labs").iterdir()) == ["00-table", "01-script", "02-function"]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ('# order\nlabs = [\n    "00-table",\n    "01-script",\n    "02-function",\n]\nname = "x"\n', True),
        ('labs = [] # none\nlabs2 = ["00-table"]\n', True),
        ('"labs" = ["00-table"]\n', False),
    ],
)
def test_course_toml_keeps_what_else_it_says(mini, text, fits):
    file = mini.folder / "course.toml"
    file.write_text(text)
    if fits:
        mini.kata("new-lab", "42-my-lab")
        assert '"42-my-lab"]' in file.read_text()
        assert file.read_text().count("#") == text.count("#")
    else:
        assert "add 42-my-lab to `labs` yourself" in mini.kata("new-lab", "42-my-lab", expect=4).stderr
        assert file.read_text() == text and not (mini.folder / "labs/42-my-lab").exists()


def test_contributing_makes_a_lab_whose_matrix_holds(mini):
    """From nothing, with the commands and the files that CONTRIBUTING.md shows, in their order."""
    for name in ("labs", "solutions", "checks"):
        shutil.copytree(ROOT / name / "00-first-proof", mini.folder / name / "00-first-proof")
    ran = []
    for language, path, body in _BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text()):
        if language != "sh":
            assert path, "a file's block must name the file"
            (mini.folder / path).write_text(body)
            continue
        for line in body.splitlines():
            command, _, comment = line.partition("#")
            program, *words = shlex.split(command)
            if program == "rm":
                (mini.folder / words[0]).unlink()
            else:
                assert program == "kata"
                words += ["--json", "matrix.json"] if words[0] == "matrix" else []
                ran.append(mini.kata(*words, expect=1 if comment.strip().startswith("fails") else 0).stdout)
    assert "Nothing to complain about" in "".join(ran)
    assert "The matrix of 42-rounding holds: 7 attempts" in ran[-1]
    records = json.loads((mini.folder / "checks/42-rounding/records.json").read_text())
    assert "half-to-even" in json.dumps(records)
    (lab,) = json.loads((mini.folder / "matrix.json").read_text())["labs"]
    assert lab["holds"] and lab["problems"] == [] and lab["seconds"] > 0
    wrong = {attempt["id"]: attempt["failing"] for attempt in lab["attempts"] if attempt["kind"] == "misconception"}
    assert wrong == records["failing"]


def test_init_makes_a_course_and_renews_it_without_losing_anything(mini, tmp_path):
    target = tmp_path / "somewhere" / "course"
    assert f"cd {target}" in " ".join(mini.kata("init", target).stdout.split())
    mini.folder = target
    assert "kata start 00" in mini.kata().stdout
    mini.kata("start", "00")
    mine = target / "workspace/00-first-proof/deploy.py"
    mine.write_text("mine")
    (target / "labs/00-first-proof/README.md").write_text("changed")
    assert "--force" in mini.kata("init", target, expect=4).stderr
    said = mini.kata("init", target, "--force").stdout
    assert mine.read_text() == "mine"
    assert (target / "labs/00-first-proof/README.md").read_text().startswith("# 00 First proof")
    (backup,) = (target / "workspace/.backups").iterdir()
    assert backup.name in said.replace("\n", "")
    assert (backup / "labs/00-first-proof/README.md").read_text() == "changed"


def test_init_takes_no_folder_that_holds_something_else(mini, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x")
    assert "is not empty" in mini.kata("init", tmp_path / "full", expect=4).stderr
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["file"]
