"""How the commands look and behave at a terminal: narrow ones, without colour, with completion, at a pipe's end."""

import json
import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

COMMANDS = (
    *("next", "start", "check", "watch", "hint", "list", "reset", "solution", "up", "down", "env", "init", "doctor"),
    *("lint", "matrix", "sync", "new-lab"),
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def at_a_terminal(person, *words, keys=(), seconds=60.0, **env) -> str:
    """What a command writes to a terminal; each of `keys` is (what to wait for, what to press then)."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        person.argv(*words), cwd=person.folder, env=person.env | env, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said, waiting, deadline = "", list(keys), time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    said += os.read(ours, 1 << 16).decode("utf-8", "replace")
                except OSError:
                    break
            if waiting and waiting[0][0] in said:
                os.write(ours, waiting.pop(0)[1].encode())
        process.wait(60)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert not waiting, said
    return said


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example(mini, name):
    said = " ".join(mini.kata(name, "--help").stdout.split())
    assert re.search(rf"Examples?: .*kata {name}", said), said


def test_every_command_is_in_the_help(mini):
    said = mini.kata("--help").stdout
    assert [name for name in COMMANDS if not re.search(rf"│ {name} ", said)] == []


@pytest.mark.parametrize("words", [(), ("list",), ("list", "1"), ("hint", "1"), ("check", "0"), ("--help",)])
def test_a_narrow_terminal_gets_whole_words(mini, words):
    mini.kata("start", "0")
    said = COLOUR.sub("", at_a_terminal(mini, *words, COLUMNS="40", NO_COLOR="1", TERM="dumb", LINES="24"))
    assert [line for line in said.splitlines() if len(line.rstrip()) > 40] == []


def test_colour_at_a_terminal_and_none_when_it_is_not_wanted(mini):
    assert COLOUR.search(at_a_terminal(mini, "hint", "0", TERM="xterm-256color"))
    plain = at_a_terminal(mini, "check", "0", TERM="xterm-256color", NO_COLOR="1")
    # bold and dim are no colours
    assert [code for code in COLOUR.findall(plain) if re.search(r"\b(3[0-7]|9[0-7]|38)\b", code)] == []
    assert "NOT YET" in plain


def test_progress_is_shown_at_a_terminal_and_nowhere_else(mini):
    said = at_a_terminal(mini, "check", "0", TERM="xterm-256color")
    assert "Starting the engine" in said and "Running deploy.py" in said
    assert "Starting the engine" not in mini.kata("check", "0", expect=1).stdout


def completed(mini, line: str) -> list[str]:
    words = line.split(" ")
    done = mini.kata(_KATA_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    return done.stdout.split()


def test_completion_knows_commands_labs_and_options(mini):
    assert completed(mini, "kata st") == ["start"]
    assert completed(mini, "kata check 0") == ["00", "01", "02", "00-table", "01-script", "02-function"]
    assert completed(mini, "kata hint 02-") == ["02-function"]
    assert "--keep" in completed(mini, "kata check --")
    (mini.folder / "course.toml").unlink()
    assert completed(mini, "kata check 0") == []


def test_completion_has_a_script_for_each_shell(mini):
    for shell in ("bash", "zsh", "fish"):
        assert f"complete_{shell}" in mini.kata(_KATA_COMPLETE=f"source_{shell}").stdout


def test_a_reader_that_has_seen_enough_is_no_error(mini):
    command = f"{' '.join(mini.argv('list'))} | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=mini.folder, env=mini.env, capture_output=True, text=True, check=False
    )
    assert done.stderr == "" and done.returncode in (0, 1)


def test_solution_asks_at_a_terminal(mini):
    no = at_a_terminal(mini, "solution", "0", keys=[("Show it?", "n\r")])
    assert 'key = "id"' not in no and "stopped" in no
    yes = at_a_terminal(mini, "solution", "0", keys=[("Show it?", "y\r")])
    assert 'key = "id"' in COLOUR.sub("", yes)


def test_after_the_first_pass_one_exam_question(mini, solve):
    file = mini.folder / "exams" / "questions"
    shutil.rmtree(file, ignore_errors=True)
    file.mkdir(parents=True)
    options = "\n".join(
        f'[[question.option]]\ntext = "option {number}"\nwhy = "why {number}"\nright = {"true" if number == 2 else "false"}'
        for number in range(4)
    )
    (file / "one.toml").write_text(
        '[[question]]\nid = "keys"\ntext = "What finds an item?"\nskills = ["C02-1.3.4"]\ncards = ["table-key"]\n'
        f'page = "https://docs.aws.amazon.com/x"\n{options}\n'
    )
    check = mini.folder / "checks/00-table/test_table.py"
    check.write_text(check.read_text().replace('@check(task="key")', '@check(task="key", cards=["table-key"])'))
    shutil.rmtree(mini.folder / "workspace", ignore_errors=True)
    solve("00-table")
    said = at_a_terminal(mini, "check", "0", keys=[("a letter, then Enter", "a"), ("chosen: a", "\r")])
    assert "What finds an item?" in said and "why 2" in said and ("Right." in said or "Not so." in said)
    assert (
        said.index("What your code was seen to do") < said.index("What finds an item?") < said.index("Next: kata next")
    )
    again = at_a_terminal(mini, "check", "0")
    assert "What finds an item?" not in again
    piped = mini.kata("check", "0", "--json", "-")
    assert json.loads(piped.stdout)["status"] == "passed"
