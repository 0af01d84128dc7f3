"""Lab 14's races are decided the same way whatever the seed and however the processes fall in with each other.

CLOUDKATA_SEEDS=30 runs the solution and, with the checks of its own task, every misconception that often, and the
neighbours with the first five; without it nothing runs, since the matrix has each of them once.
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


def outcomes(target, folder, seeds=SEEDS, task=""):
    """seed -> (status, failing checks, faults)."""
    found = {}
    for seed in seeds:
        result = attempt(COURSE, LAB, folder, target, seed=seed, task=task)
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
    assert not_as((PASS, [], []), outcomes(target, folder, SEEDS[:5])) == {}


@pytest.mark.parametrize("variant", MISCONCEPTIONS, ids=lambda variant: variant.id)
def test_a_misconception_fails_the_same_checks_with_every_seed(variant, target, tmp_path):
    folder = make_variant(COURSE.solution(SLUG), variant, tmp_path / "misconception")
    tasks = {spec.id: spec.task for spec in LAB.checks}
    task = tasks[variant.caught_by[0]]
    expected = FAIL, [check for check in recorded(COURSE, SLUG)[variant.id] if tasks[check] == task], []
    assert not_as(expected, outcomes(target, folder, task=task)) == {}
