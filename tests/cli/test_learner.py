"""The way through a course, from the first lab to the last."""

import json

import pytest


def test_from_the_first_lab_to_the_next(mini, solve):
    assert "Next: kata start 00" in mini.kata().stdout
    assert "The starter is now in workspace/00-table" in mini.kata("next").stdout
    assert "kata check 00" in mini.kata().stdout
    assert "0 of 1 checks passed" in mini.kata("check", expect=1).stdout
    assert "0 of 1 tasks are proved, after 1 attempt." in mini.kata().stdout
    solve("00-table")
    passed = mini.kata("check").stdout
    assert "What is written under an id is found by that id." in passed
    assert "Next: kata next (lab 01: A script" in passed
    assert "workspace/01-script" in mini.kata("next").stdout
    rows = json.loads(mini.kata("list", "--json", "-").stdout)["labs"]
    assert [(row["lab"], row["passed"], row["started"], row["attempts"]) for row in rows] == [
        ("00-table", True, True, 2),
        ("01-script", False, True, 0),
        ("02-function", False, False, 0),
    ]


def test_what_was_proved_is_told_once(mini, solve):
    mini.kata("start", "0")
    solve("00-table")
    assert "What your code was seen to do" in mini.kata("check", "0").stdout
    again = mini.kata("check", "0").stdout
    assert "What your code was seen to do" not in again and "Next: kata next" in again


def test_history_of_a_lab(mini, solve):
    mini.kata("start", "1")
    mini.kata("check", "1", "--task", "deploy", expect=1)
    solve("01-script")
    mini.kata("check", "1", "--task", "deploy")
    shown = mini.kata("list", "1", "--json", "-")
    attempts = json.loads(shown.stdout)["attempts"]
    assert [(entry["status"], entry["passed"], entry["checks"], entry["task"]) for entry in attempts] == [
        ("failed", 0, 1, "deploy"),
        ("passed", 1, 1, "deploy"),
    ]
    assert "✓ deploy" in shown.stderr and "✓ count" not in shown.stderr
    assert "1 of 2 tasks" in mini.kata("list").stdout  # one task is not the lab


def test_grading_something_else_is_no_progress(mini):
    mini.kata("check", "0", "--solution")
    mini.kata("check", "0", "--at", "labs/00-table", expect=1)
    assert not (mini.folder / "workspace").exists()


def test_hints_come_one_by_one(mini):
    assert "of 3  A key has a name." in mini.kata("hint", "0").stdout
    second = mini.kata("hint", "0", "key").stdout
    assert "A key has a name." in second and "stands in two places" in second and "AttributeName" not in second
    assert "kata solution 00 --task key" in mini.kata("hint", "0").stdout
    assert mini.kata("hint", "0").stdout.count(" of 3 ") == 3
    assert "did you mean key?" in mini.kata("hint", "0", "kye", expect=4).stderr


def test_a_hint_is_for_the_first_task_that_is_not_proved(mini, solve):
    mini.kata("start", "1")
    assert "task deploy" in mini.kata("hint").stdout
    solve("01-script")
    mini.kata("check", "1", "--task", "deploy")
    assert "task count" in mini.kata("hint").stdout


def test_edits_stay_unless_forced_and_then_backed_up(mini):
    mini.kata("start", "1")
    folder = mini.folder / "workspace" / "01-script"
    inode = folder.stat().st_ino
    starter = (folder / "counter.py").read_text()
    (folder / "counter.py").write_text("mine")
    (folder / "notes.txt").write_text("also mine")
    (folder / "deploy.py").unlink()
    for words in (("start", "1"), ("reset", "1")):
        mini.kata(*words)
        assert (folder / "counter.py").read_text() == "mine"
    assert (folder / "deploy.py").is_file()
    said = mini.kata("reset", "1").stdout
    assert "you edited it: counter.py" in said and "you edited it: notes.txt" in said
    assert "is the starter again" in mini.kata("reset", "1", "--force").stdout
    assert (folder / "counter.py").read_text() == starter and not (folder / "notes.txt").exists()
    assert folder.stat().st_ino == inode  # a shell, an editor or kata watch in it goes on
    (backup,) = (mini.folder / "workspace" / ".backups").iterdir()
    assert (backup / "counter.py").read_text() == "mine" and (backup / "notes.txt").read_text() == "also mine"
    assert "is as the starter" in mini.kata("reset", "1", "--force").stdout
    (folder / "counter.py").write_text("mine again")
    mini.kata("start", "1", "--force")
    assert (folder / "counter.py").read_text() == starter
    assert len(list((mini.folder / "workspace" / ".backups").iterdir())) == 2


def test_reset_of_what_was_not_started(mini):
    assert "kata start 01" in mini.kata("reset", "1", expect=4).stderr


def test_solution_before_a_pass_has_to_be_meant_and_is_remembered(mini, solve):
    assert "say --yes" in mini.kata("solution", "1", expect=4).stderr
    one = mini.kata("solution", "1", "--task", "count", "--yes").stdout
    assert "ADD amount :step" in one and 'key = "id"' not in one and "kata:" not in one
    both = mini.kata("solution", "1").stdout  # it asks once
    assert "ADD amount :step" in both and 'key = "id"' in both
    solve("01-script")
    mini.kata("check", "1")
    assert "passed, after the solution" in mini.kata("list").stdout


def test_solution_after_a_pass_is_no_confession(mini, solve):
    mini.kata("start", "0")
    solve("00-table")
    mini.kata("check", "0")
    assert 'key = "id"' in mini.kata("solution", "0").stdout
    assert "after the solution" not in mini.kata("list").stdout


@pytest.mark.parametrize("broken", ["newer", "damaged", "a folder"])
def test_progress_that_cannot_be_kept_does_not_stop_a_learner(mini, solve, broken):
    import sqlite3

    mini.kata("start", "0")
    solve("00-table")
    file = mini.folder / "workspace" / "progress.sqlite3"
    if broken == "newer":
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA user_version = 999")
        connection.close()
    elif broken == "damaged":
        file.write_bytes(b"no database" * 100)
    else:
        file.mkdir()
    before = file.read_bytes() if file.is_file() else None
    done = mini.kata("check", "0")
    assert "PASSED" in done.stdout
    assert "your progress is not kept: progress.sqlite3" in done.stderr
    for words in ((), ("list",), ("hint", "0"), ("next",)):
        mini.kata(*words)
    assert before is None or file.read_bytes() == before
