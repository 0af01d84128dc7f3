"""Checks that race, or that draw which record is poisoned, are decided the same way whatever the seed.

CLOUDKATA_SEEDS=30 runs the solutions and, with the checks of its own task, every misconception that often, and the
neighbours with the first five; without it nothing runs, since the matrix has each of them once.
"""

import functools
import os
from pathlib import Path

import pytest

from cloudkata.course import find_course, load_lab, load_misconceptions, load_neighbours
from cloudkata.course.variants import make_variant
from cloudkata.grading.attempt import FAIL, PASS, attempt
from cloudkata.grading.records import recorded
from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.shared import Shared

LABS = ("05-stream-failures", "14-dynamodb-transactions")
COURSE = find_course(Path(__file__))
SEEDS = range(1, int(os.environ.get("CLOUDKATA_SEEDS", "0")) + 1)
NEIGHBOURS = [(slug, variant) for slug in LABS for variant in load_neighbours(COURSE, slug)]
MISCONCEPTIONS = [(slug, variant) for slug in LABS for variant in load_misconceptions(COURSE, slug)]

pytestmark = pytest.mark.skipif(not SEEDS, reason="set CLOUDKATA_SEEDS to the number of seeds")
lab_of = functools.cache(functools.partial(load_lab, COURSE))


def name(case) -> str:
    return f"{case[0][:2]}-{case[1].id}"


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as made:
        yield Shared(made)


def outcomes(target, slug, folder, seeds=SEEDS, task=""):
    """seed -> (status, failing checks, faults)."""
    found = {}
    for seed in seeds:
        result = attempt(COURSE, lab_of(slug), folder, target, seed=seed, task=task)
        failing = [verdict.id for verdict in result.verdicts if verdict.status == "failed"]
        faults = [verdict.actual for verdict in result.verdicts if verdict.status == "error"]
        found[seed] = result.status, failing, result.problem or faults
    return found


def not_as(expected, found):
    return {seed: outcome for seed, outcome in found.items() if outcome != expected}


@pytest.mark.parametrize("slug", LABS)
def test_the_solution_passes_with_every_seed(slug, target):
    assert not_as((PASS, [], []), outcomes(target, slug, COURSE.solution(slug))) == {}


@pytest.mark.parametrize("case", NEIGHBOURS, ids=name)
def test_a_neighbour_passes_with_every_seed(case, target, tmp_path):
    slug, variant = case
    folder = make_variant(COURSE.solution(slug), variant, tmp_path / "neighbour")
    assert not_as((PASS, [], []), outcomes(target, slug, folder, SEEDS[:5])) == {}


@pytest.mark.parametrize("case", MISCONCEPTIONS, ids=name)
def test_a_misconception_fails_the_same_checks_with_every_seed(case, target, tmp_path):
    slug, variant = case
    folder = make_variant(COURSE.solution(slug), variant, tmp_path / "misconception")
    tasks = {spec.id: spec.task for spec in lab_of(slug).checks}
    task = tasks[variant.caught_by[0]]
    expected = FAIL, [check for check in recorded(COURSE, slug)[variant.id] if tasks[check] == task], []
    assert not_as(expected, outcomes(target, slug, folder, task=task)) == {}
