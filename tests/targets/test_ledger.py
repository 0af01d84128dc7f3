"""The ledger of an account: on disk before a call goes out, whole after a kill, and no call without it."""

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from cloudkata.targets import ledger as ledgers
from cloudkata.targets.ledger import Ledger, LedgerError, read_ledger, read_ledgers

WHO = ("123456789012", "us-east-1", "kata14-ab12", "14")


def test_a_call_is_on_disk_before_it_goes_out_and_its_answer_after(tmp_path):
    made = Ledger(*WHO, folder=tmp_path)
    number = made.before("dynamodb", "CreateTable", ["kata14-ab12-wallet"])
    (before,) = read_ledger(made.path).calls
    made.after(number, 200, ["arn:table"])
    (after,) = read_ledger(made.path).calls
    assert (before.operation, before.names, before.status, before.made) == (
        "CreateTable",
        ("kata14-ab12-wallet",),
        0,
        (),
    )
    assert (after.status, after.made) == (200, ("arn:table",))


def test_it_is_for_the_user_alone_and_synced(tmp_path, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size) or real(descriptor))
    made = Ledger(*WHO, folder=tmp_path)
    made.before("sqs", "CreateQueue", ["q"])
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert synced[-1] == made.path.stat().st_size


def test_the_folder_of_all_ledgers_is_the_users_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = ledgers.ledger_folder()
    assert folder.is_relative_to(tmp_path) and stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    with pytest.raises(LedgerError, match="yours alone"):
        ledgers.ledger_folder()


def test_a_file_that_others_may_write_is_not_believed(tmp_path):
    made = Ledger(*WHO, folder=tmp_path)
    made.path.chmod(0o666)
    with pytest.raises(LedgerError, match="yours alone"):
        read_ledger(made.path)


def test_a_ledger_says_whether_it_is_still_written(tmp_path):
    made = Ledger(*WHO, folder=tmp_path)
    assert read_ledger(made.path).running
    made.close()
    assert not read_ledger(made.path).running
    with pytest.raises(LedgerError, match="over"):
        made.before("sqs", "CreateQueue", ["q"])


def test_lines_that_were_cut_short_are_left_out(tmp_path):
    made = Ledger(*WHO, folder=tmp_path)
    made.after(made.before("sqs", "CreateQueue", ["one"]), 200)
    made.before("sqs", "CreateQueue", ["two"])
    made.close()
    whole = made.path.read_bytes()
    for length in range(len(whole)):
        made.path.write_bytes(whole[:length])
        found = read_ledger(made.path)
        lines = whole[:length].count(b"\n")
        assert (found is None) == (lines == 0)
        assert lines == 0 or len(found.calls) == {1: 0, 2: 1, 3: 1}[lines]


def test_a_line_that_is_no_json_does_not_hide_the_others(tmp_path):
    made = Ledger(*WHO, folder=tmp_path)
    made.before("sqs", "CreateQueue", ["one"])
    with made.path.open("ab") as file:
        file.write(b"\0\0\0\n[]\n")
    made.before("sqs", "CreateQueue", ["two"])
    assert [call.names for call in read_ledger(made.path).calls] == [("one",), ("two",)]


def test_a_full_disk_is_a_sentence_and_leaves_whole_lines(tmp_path, monkeypatch):
    made = Ledger(*WHO, folder=tmp_path)
    made.before("sqs", "CreateQueue", ["one"])
    length, real = made.path.stat().st_size, os.write
    monkeypatch.setattr(os, "write", _filling(real))
    with pytest.raises(LedgerError, match="was not sent: No space left on device"):
        made.before("sqs", "CreateQueue", ["two"])
    assert made.path.stat().st_size == length and "No space left" in made.problem
    monkeypatch.undo()
    with pytest.raises(LedgerError):  # what the code does after that is not sent either
        made.before("sqs", "CreateQueue", ["three"])


def _filling(real):
    """A write of which ten bytes find room."""
    room = [10]

    def write(descriptor, data):
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        done, room[0] = real(descriptor, data[: room[0]]), 0
        return done

    return write


LIMITED = """
import resource, signal, sys
from pathlib import Path
from cloudkata.targets.ledger import Ledger, LedgerError
made = Ledger("1", "us-east-1", "kata14-ab12", "14", folder=Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (made.path.stat().st_size + 400, resource.RLIM_INFINITY))
sent = 0
try:
    while True:
        made.before("sqs", "CreateQueue", [f"name-{sent}"])
        sent += 1
except LedgerError:
    print(sent)
"""


def test_where_the_system_itself_refuses_to_write_every_sent_call_is_told(tmp_path):
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True)
    (found,) = read_ledgers(folder=tmp_path)
    assert int(done.stdout) > 0 and len(found.calls) == int(done.stdout)


ENDLESS = """
import sys
from pathlib import Path
from cloudkata.targets.ledger import Ledger
made = Ledger("1", "us-east-1", "kata14-ab12", "14", folder=Path(sys.argv[1]))
number = 0
while True:
    number = made.before("sqs", "CreateQueue", [f"name-{number}"])
    print(number, flush=True)
    made.after(number, 200, [])
"""


def test_a_kill_at_any_moment_loses_no_call_that_went_out(tmp_path):
    for turn in range(5):
        folder = tmp_path / str(turn)
        folder.mkdir()
        process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(folder)], stdout=subprocess.PIPE, text=True)
        for _ in range(3 + turn * 7):
            last = process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        process.wait()
        process.stdout.close()
        sent = int(rest[-1] if rest else last)
        (found,) = read_ledgers(folder=folder)
        assert not found.running and len(found.calls) >= sent
        assert [call.number for call in found.calls] == list(range(1, len(found.calls) + 1))


def test_ledgers_of_one_account_come_oldest_first(tmp_path):
    for prefix, account in (("kata14-0001", "1"), ("kata14-0002", "2"), ("kata14-0003", "1")):
        Ledger(account, "us-east-1", prefix, "14", folder=tmp_path).close()
        time.sleep(0.002)
    assert [one.prefix for one in read_ledgers("1", tmp_path)] == ["kata14-0001", "kata14-0003"]


def test_what_is_no_ledger_is_passed_over(tmp_path):
    (tmp_path / "x.jsonl").write_text(json.dumps({"schema": "other"}) + "\n")
    (tmp_path / "x.jsonl").chmod(0o600)
    assert list(read_ledgers(folder=tmp_path)) == []
