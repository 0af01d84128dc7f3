"""Every lab's policy: the solution passes all its checks under exactly that, and each action of it is needed."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "targets"))

from played_account import actions, in_account, session_under, without  # noqa: E402

from cloudkata.course import find_course, load_lab  # noqa: E402
from cloudkata.engine.process import Engine  # noqa: E402
from cloudkata.grading.attempt import Attempt, Run, attempt, attempt_at  # noqa: E402
from cloudkata.grading.place import Place  # noqa: E402
from cloudkata.targets import account as accounts  # noqa: E402
from cloudkata.targets import lab_roles  # noqa: E402
from cloudkata.targets.account import AccountTarget  # noqa: E402
from cloudkata.targets.embedded import EmbeddedTarget  # noqa: E402
from cloudkata.targets.lab_roles import lab_policy  # noqa: E402
from cloudkata.targets.permission import remember  # noqa: E402
from cloudkata.targets.profile import open_profile  # noqa: E402

COURSE = find_course(Path(__file__))
NEEDED = [(slug, action) for slug in COURSE.labs for action in actions(lab_policy(COURSE, slug))]
# What AWS documents that a call needs, and the engine does not ask for; see needed_besides() in tools/policies.py.
NOT_ASKED = {
    ("02-layers", "lambda:GetLayerVersion"),
    ("12-edge-functions", "iam:CreateServiceLinkedRole"),
    ("12-edge-functions", "lambda:EnableReplication*"),
    ("12-edge-functions", "s3:GetBucketLocation"),
    ("12-edge-functions", "s3:GetObject"),
}
# What neighbours call, and the solution does not.
OF_NEIGHBOURS = {
    ("01-versions-and-aliases", "lambda:GetFunctionConfiguration"),
    ("04-queue-failures", "lambda:CreateAlias"),
    ("04-queue-failures", "lambda:PublishVersion"),
    ("04-queue-failures", "sqs:SetQueueAttributes"),
    ("14-dynamodb-transactions", "dynamodb:GetItem"),
    ("14-dynamodb-transactions", "dynamodb:PartiQLUpdate"),
}


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as made:
        yield made


@pytest.fixture
def played(target, tmp_path, monkeypatch):
    made = in_account(target.engine, tmp_path)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture(scope="module")
def slow_engine():
    """An engine whose time passes as AWS's does: checks that cannot move a clock rely on it."""
    with Engine.start(factor=1.0) as made:
        yield made


def solved(target, played, slug: str, policy) -> Attempt:
    """The solution, graded with all that the embedded target can show, under a policy."""
    lab, session = load_lab(COURSE, slug), session_under(target, played, policy)
    return attempt_at(COURSE, lab, Place(lab, COURSE.solution(slug), session), target, Run())


@pytest.mark.parametrize("slug", COURSE.labs)
def test_the_solution_passes_all_its_checks_under_its_policy(target, played, slug):
    done = solved(target, played, slug, lab_policy(COURSE, slug))
    assert (done.status, done.problem) == ("passed", "")
    assert {verdict.status for verdict in done.verdicts} == {"passed"}


@pytest.mark.parametrize(("slug", "action"), [one for one in NEEDED if one not in NOT_ASKED | OF_NEIGHBOURS])
def test_without_one_action_it_does_not_and_the_call_is_named(target, played, slug, action):
    done = solved(target, played, slug, without(lab_policy(COURSE, slug), action))
    assert done.status != "passed"
    told = done.problem + "".join(verdict.actual for verdict in done.verdicts)
    assert f"not authorized to perform: {action}" in told


@pytest.mark.parametrize("slug", COURSE.labs)
def test_the_solution_passes_on_an_account_and_leaves_nothing(slow_engine, tmp_path, monkeypatch, slug):
    for name, value in in_account(slow_engine, tmp_path).env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(accounts, "SETTLE_SECONDS", 3.0)
    monkeypatch.setattr(accounts, "VISIBLE_SECONDS", 5.0)
    monkeypatch.setattr(accounts, "PATIENCE", dict.fromkeys(accounts.PATIENCE, 30.0))
    profile, policy = open_profile("sandbox"), lab_policy(COURSE, slug)
    lab_roles.make(profile, [policy])
    remember(profile)
    on = AccountTarget(profile, policy)
    done = attempt(COURSE, load_lab(COURSE, slug), COURSE.solution(slug), on)
    assert (done.problem, on.left) == ("", [])
    assert done.status == "passed"
    skipped = [verdict for verdict in done.verdicts if verdict.status == "skipped"]
    assert {verdict.status for verdict in done.verdicts} <= {"passed", "skipped"} and len(skipped) < len(done.verdicts)
    assert all(verdict.why for verdict in skipped)
