"""Lab 14's races are decided the same way whatever the seed and however the processes fall in with each other.

CLOUDKATA_SEEDS=30 runs the solution, every neighbour and every misconception that often; without it nothing runs,
since the matrix has each of them once.
"""

import os
from pathlib import Path

import pytest

from cloudkata.course import find_course, load_lab, load_misconceptions, load_neighbours
from cloudkata.course.variants import make_variant
from cloudkata.grading.attempt import FAIL, PASS, attempt
from cloudkata.grading.records import recorded
from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.shared import Shared

SLUG = "14-dynamodb-transactions"
COURSE = find_course(Path(__file__))
LAB = load_lab(COURSE, SLUG)
NEIGHBOURS = load_neighbours(COURSE, SLUG)
MISCONCEPTIONS = load_misconceptions(COURSE, SLUG)
SEEDS = range(1, int(os.environ.get("CLOUDKATA_SEEDS", "0")) + 1)

pytestmark = pytest.mark.skipif(not SEEDS, reason="set CLOUDKATA_SEEDS to the number of seeds")


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as made:
        yield Shared(made)


def outcomes(target, folder):
    """seed -> (status, failing checks)."""
    found = {}
    for seed in SEEDS:
        result = attempt(COURSE, LAB, folder, target, seed=seed)
        failing = [verdict.id for verdict in result.verdicts if verdict.status == "failed"]
        faults = [verdict.actual for verdict in result.verdicts if verdict.status == "error"]
        found[seed] = result.status, failing, result.problem or faults
    return found


def not_as(expected, found):
    return {seed: outcome for seed, outcome in found.items() if outcome != expected}


def test_the_solution_passes_with_every_seed(target):
    assert not_as((PASS, [], []), outcomes(target, COURSE.solution(SLUG))) == {}


@pytest.mark.parametrize("variant", NEIGHBOURS, ids=lambda variant: variant.id)
def test_a_neighbour_passes_with_every_seed(variant, target, tmp_path):
    folder = make_variant(COURSE.solution(SLUG), variant, tmp_path / "neighbour")
    assert not_as((PASS, [], []), outcomes(target, folder)) == {}


@pytest.mark.parametrize("variant", MISCONCEPTIONS, ids=lambda variant: variant.id)
def test_a_misconception_fails_the_same_checks_with_every_seed(variant, target, tmp_path):
    folder = make_variant(COURSE.solution(SLUG), variant, tmp_path / "misconception")
    expected = FAIL, recorded(COURSE, SLUG)[variant.id], []
    assert not_as(expected, outcomes(target, folder)) == {}
