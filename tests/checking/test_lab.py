"""What a check's `lab` keeps for the checks after it."""

import contextlib
from types import SimpleNamespace

import pytest

from cloudkata.checking import CheckedLab
from cloudkata.checking.lab import Deployed, Draw


@pytest.fixture
def deployed():
    return Deployed(SimpleNamespace(), {}, SimpleNamespace(), 1)


def test_what_was_made_once_is_there_for_every_check(deployed):
    made = []
    for name in ("00.first", "00.second"):
        kept = CheckedLab(deployed, name).once("trial", lambda: made.append("made") or made)
        assert kept is made
    assert made == ["made"]


def test_what_could_not_be_made_is_tried_again(deployed):
    lab = CheckedLab(deployed, "00.first")
    with pytest.raises(ZeroDivisionError):
        lab.once("trial", lambda: 1 // 0)
    assert lab.once("trial", lambda: "made") == "made"


def test_nothing_is_kept_for_another_attempt(deployed):
    CheckedLab(deployed, "00.first").once("trial", lambda: "made")
    other = Deployed(SimpleNamespace(), {}, SimpleNamespace(), 1)
    assert CheckedLab(other, "00.first").once("trial", lambda: "other") == "other"


def test_the_process_of_call_stays_the_same_for_a_check(deployed):
    lent = []

    @contextlib.contextmanager
    def lend():
        lent.append(SimpleNamespace(usable=True, call=lambda function, *args, seconds: (len(lent), function, args)))
        yield lent[-1]

    deployed.crew.lend = lend
    lab = CheckedLab(deployed, "00.first")
    assert lab.own_caller is lab.own_caller is lent[0]
    assert lab.call("release", "folder") == (1, "release", ("folder",))
    assert lab.caller() is not lent[0]
    lent[0].usable = False
    assert lab.own_caller is lab.own_caller is lent[2]


def test_the_checks_of_an_attempt_draw_no_name_twice():
    """An owner that another check has used already makes a right solution fail; four syllables did in 2 of 100."""
    for seed in range(500):
        drawn = [name for number in range(17) for name in Draw(seed, f"14.check-{number}").names(3)]
        assert len(set(drawn)) == len(drawn), f"seed {seed}"
