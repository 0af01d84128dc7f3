"""Lab 01's split: how often a right share is called wrong, and how often a wrong one passes for a tenth."""

import importlib.util
import sys
from fractions import Fraction
from math import comb
from pathlib import Path

import pytest

from cloudkata.checking.chance import fitting, likelihood

FILE = Path(__file__).parents[2] / "checks" / "01-versions-and-aliases" / "test_release.py"
RATE = 1e-6  # of false alarms, and of misses


@pytest.fixture(scope="module")
def lab01():
    """The lab's checks, with the figures that they use."""
    spec = importlib.util.spec_from_file_location("lab01_checks", FILE)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def exactly(calls, share, counts):
    """The chance of a count in `counts`, in whole numbers and not as the checks compute it."""
    hit, total = Fraction(share).limit_denominator(1000), Fraction(0)
    for k in counts:
        total += comb(calls, k) * hit**k * (1 - hit) ** (calls - k)
    return total


def test_the_sample_is_large_enough(lab01):
    assert lab01.CALLS >= 300
    assert lab01.THREADS == 8
    assert lab01.SHARE == 0.1


def test_a_tenth_is_called_wrong_less_than_once_in_a_million(lab01):
    false_alarm = 1 - exactly(lab01.CALLS, 0.1, lab01.FITTING)
    print(
        f"accepted {lab01.FITTING.start} to {lab01.FITTING[-1]} of {lab01.CALLS}, false alarm {float(false_alarm):.2g}"
    )
    assert 0 < false_alarm < RATE


@pytest.mark.parametrize("weight", [0.0, 0.5, 0.9])
def test_another_weight_passes_less_than_once_in_a_million(lab01, weight):
    miss = exactly(lab01.CALLS, weight, lab01.FITTING)
    print(f"weight {weight}: missed with {float(miss):.2g}")
    assert miss < RATE


@pytest.mark.parametrize(
    ("calls", "share", "counts"), [(10, 0.3, range(11)), (304, 0.1, range(8, 60)), (5, 0.0, range(1))]
)
def test_likelihood_is_exact(calls, share, counts):
    assert likelihood(calls, share, counts) == pytest.approx(float(exactly(calls, share, counts)), rel=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_no_wider_range_has_its_alarm_on_each_side(share):
    """Half of the alarm lies below and half above; a range that left out one count more would go over it."""
    found = fitting(200, share, RATE)
    below, above = range(found.start), range(found.stop, 201)
    assert likelihood(200, share, below) <= RATE / 2 >= likelihood(200, share, above)
    assert likelihood(200, share, range(found.start + 1)) > RATE / 2 < likelihood(200, share, range(found[-1], 201))
