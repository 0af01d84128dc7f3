"""`kata grade` as an instructor types it, at the miniature course."""

import csv
import json
import os
import shutil
import zipfile

import pytest

SOLUTION, STARTER = "solutions/00-table", "labs/00-table"
FORMULA = '=HYPERLINK("x")'


@pytest.fixture
def place(mini, tmp_path):
    """Submissions: right, unfinished, another lab's, an archive whose name is a formula, and one that raises."""
    folder = tmp_path / "in"
    shutil.copytree(mini.folder / SOLUTION, folder / "ada")
    shutil.copytree(mini.folder / STARTER, folder / "bob")
    shutil.copytree(mini.folder / "solutions" / "02-function", folder / "eve")
    shutil.copytree(mini.folder / SOLUTION, folder / "tom")
    (folder / "tom" / "deploy.py").write_text("def deploy(lab):\n    raise LookupError(lab.name('x'))\n")
    with zipfile.ZipFile(folder / f"{FORMULA}.zip", "w") as archive:
        archive.write(mini.folder / SOLUTION / "deploy.py", "lab/deploy.py")
    return folder


@pytest.fixture
def grade(mini, tmp_path):
    def run(place, *words, expect=0, **env):
        secret = ("--secret", tmp_path / "secret")
        return mini.kata("grade", place, "--out", tmp_path / "out", *secret, *words, expect=expect, **env)

    return run


def rows(folder):
    with open(folder / "gradebook.csv", encoding="utf-8", newline="") as file:
        return {row["learner"]: row for row in csv.DictReader(file)}


@pytest.mark.isolated("kata grade refuses without a sandbox")
def test_a_cohort_from_submissions_to_gradebook(grade, place, tmp_path):
    out = tmp_path / "out"
    done = grade(place, "--lab", "00", "--canvas", "--json", "-")
    found = rows(out)
    assert {name: (row["status"], row["score"]) for name, row in found.items()} == {
        "ada": ("passed", "1"),
        "bob": ("failed", "0"),
        "eve": ("refused", "0"),
        "tom": ("not deployed", "0"),
        f"'{FORMULA}": ("passed", "1"),
    }
    assert "02-function" in found["eve"]["reason"] and found["tom"]["reason"] == "LookupError: kata00-…-x"
    assert "00.finds-by-id" in found["bob"]["reason"]
    data = json.loads(done.stdout)
    assert data["schema"] == "cloudkata.cohort/1" and data["counts"]["passed"] == 2
    names = {path.relative_to(out).as_posix().rpartition("-")[0] for path in out.glob("*/*")}
    assert {f"{folder}/{name}" for folder in ("results", "feedback", "gradescope") for name in ("ada", "eve")} <= names
    assert (out / "canvas.csv").exists() and (out / "junit.xml").exists() and (out / "class.html").exists()

    # a second run goes on: what has a verdict is left alone, and only who is new, or handed in again, is graded
    before = {path: path.stat().st_mtime_ns for path in (out / "results").iterdir()}
    shutil.copytree(place / "ada", place / "zoe")
    shutil.copy(place / "ada" / "deploy.py", place / "bob" / "deploy.py")  # handed in again
    again = grade(place, "--lab", "00", "--resume")
    assert "4 of 6 are graded already" in again.stderr
    after = {path: path.stat().st_mtime_ns for path in before}
    assert {path.name.partition("-")[0] for path in before if after[path] != before[path]} == {"bob"}
    right = {name: found["ada"] | {"learner": name} for name in ("bob", "zoe")}
    assert rows(out) == found | right


def test_without_isolation_nothing_runs_unless_it_is_trusted(grade, place, tmp_path):
    for name in ("bob", "eve", "tom", f"{FORMULA}.zip"):
        (shutil.rmtree if (place / name).is_dir() else os.unlink)(place / name)
    done = grade(place, "--lab", "00", expect=4, CLOUDKATA_NO_ISOLATION="1")
    assert "--trust" in done.stderr and not (tmp_path / "out").exists()
    done = grade(place, "--lab", "00", "--trust", CLOUDKATA_NO_ISOLATION="1")
    assert "not isolated" in done.stderr and rows(tmp_path / "out")["ada"]["status"] == "passed"


def test_results_may_not_lie_among_the_submissions(mini, place, tmp_path):
    done = mini.kata("grade", place, "--lab", "00", "--out", place / "out", expect=4)
    assert "lie in one another" in done.stderr
    options = ("--lab", "00", "--out", tmp_path / "out", "--secret", place / "secret")
    assert "among the submissions" in mini.kata("grade", place, *options, expect=4).stderr
    assert not (place / "secret").exists()
