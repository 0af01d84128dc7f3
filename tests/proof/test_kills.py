"""Wherever a deployment in an account is cut off, a sweep leaves nothing of it.

An engine plays the account. The child that runs a solution's deploy.py is killed after each call that changes something,
before it learns the answer, and the answer is lost to the ledger as well, as if the parent had been killed with it. What is
there afterwards is told by tests/proof/listings.py, which knows nothing of the sweep's own table.

CLOUDKATA_KILLS=all runs every cut of every lab, otherwise a share of them that is drawn and printed.
"""

from __future__ import annotations

import functools
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "targets")]

from accounts import ledgered  # noqa: E402
from listings import held, more_than, services_of  # noqa: E402

from cloudkata.course import find_course  # noqa: E402
from cloudkata.deployment.child import Child  # noqa: E402
from cloudkata.deployment.learner import deploy  # noqa: E402
from cloudkata.sandbox.isolation import isolation  # noqa: E402
from cloudkata.targets.calls import read_call  # noqa: E402
from cloudkata.targets.embedded import EmbeddedTarget  # noqa: E402
from cloudkata.targets.ledger import Written, read_ledgers  # noqa: E402
from cloudkata.targets.owned import Owned  # noqa: E402
from cloudkata.targets.session import Session  # noqa: E402
from cloudkata.targets.sweep import AT_ONCE, Item, Sweep  # noqa: E402
from cloudkata.targets.things import TABLE  # noqa: E402

COURSE = find_course(Path(__file__).parents[2])
ALL = os.environ.get("CLOUDKATA_KILLS") == "all"
SEED = int(os.environ.get("CLOUDKATA_SEED") or random.randrange(1 << 32))
MOST = 8  # cuts of a lab, where not all are made
AT_A_TIME = 2

pytestmark = pytest.mark.skipif(not isolation().full, reason="a child is relayed only where it is isolated")


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as started:
        yield started


class Cut:
    """Ends a child once `after` calls of it that change something have taken effect; 0 lets it be."""

    def __init__(self, after: int) -> None:
        self._after, self._seen = after, 0
        self.child: Child | None = None

    def around(self, send):
        def sending(request):
            answer = send(request)
            if read_call(request.method, request.target, request.lower, request.body).changes:
                self._seen += 1
                if self._seen == self._after:
                    assert self.child is not None
                    self.child.kill()
                    raise OSError("the parent is gone too")  # so the answer is in no ledger
            return answer

        return sending


@dataclass(frozen=True)
class Remains:
    """What a deployment left: its account, its ledger."""

    session: Session
    written: Written


def cut_off(target, slug: str, after: int, folder: Path) -> Remains:
    """Deploy a lab's solution in a new account, cut off after a number of changing calls, or 0 for not at all."""
    session, cut, solution = target.session(slug[:2]), Cut(after), COURSE.solution(slug)
    with ledgered(session, slug[:2], folder, cut.around) as (relayed, _):
        cut.child = Child(solution, relayed).__enter__()
        deployment = deploy(solution, relayed, child=cut.child)
        assert bool(deployment.error) == bool(after), deployment.error
    (written,) = [one for one in read_ledgers(folder=folder) if one.account == session.account]
    return Remains(session, written)


def swept(remains: Remains, table=TABLE) -> list[Item]:
    """Sweep with what somebody else finds: the ledger on disk."""
    session = remains.session
    owned = Owned(ledgers=[remains.written])
    sweep = Sweep(
        lambda service, _: session.client(service, session.checks), owned, pace=AT_ONCE, table=table, lenient=True
    )
    return sweep.run()


@functools.cache
def nothing(target, services: tuple[str, ...]) -> dict[str, int]:
    """What an account that was never used shows."""
    return held(target.session("00"), list(services))


def left(target, remains: Remains) -> dict[str, int]:
    services = services_of(remains.session)
    baseline = nothing(target, tuple(services))
    return more_than(held(remains.session, services, baseline), baseline)


@pytest.mark.parametrize("slug", COURSE.labs)
def test_after_a_kill_at_any_call_a_sweep_leaves_nothing(target, slug, tmp_path, capsys):
    whole = cut_off(target, slug, 0, tmp_path)
    made, there = {call.service for call in whole.written.calls if call.operation[:6] == "Create"}, left(target, whole)
    for service in made:  # or the lists would prove nothing
        names = {"states": "stepfunctions"}.get(service, service)
        assert any(name.partition(".")[0].startswith(names) for name in there), f"no list shows what {service} made"
    swept(whole)
    assert left(target, whole) == {}, "after a deployment that came to its end"

    cuts = range(1, len(whole.written.calls) + 1)
    if not ALL:
        cuts = sorted(random.Random(f"{SEED} {slug}").sample(cuts, min(MOST, len(cuts))))

    def cut(after: int) -> tuple[int, dict[str, int], list[Item]]:
        remains = cut_off(target, slug, after, tmp_path)
        assert len(remains.written.calls) == after and remains.written.calls[-1].status == 0
        items = swept(remains)
        return after, left(target, remains), [item for item in items if item.state != "gone"]

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        results = list(pool.map(cut, cuts))
    with capsys.disabled():
        print(f"\n{slug}: {len(results)} of {len(whole.written.calls)} cuts, seed {SEED}")
    assert [(after, there, items) for after, there, items in results if there or items] == []


@pytest.mark.parametrize(
    ("service", "slug"),
    [
        ("lambda", "00-first-proof"),
        ("iam", "00-first-proof"),
        ("dynamodb", "14-dynamodb-transactions"),
        ("sqs", "04-queue-failures"),
        ("kinesis", "05-stream-failures"),
        ("apigateway", "10-authorizers"),
        ("apigatewayv2", "10-authorizers"),
        ("cognito-idp", "11-cognito"),
        ("cognito-identity", "11-cognito"),
        ("s3", "11-cognito"),
        ("cloudfront", "12-edge-functions"),
        ("stepfunctions", "17-step-functions"),
        ("logs", "17-step-functions"),
    ],
)
def test_a_sweep_that_forgets_a_service_is_found_out(target, service, slug, tmp_path):
    """The proof above can fail: with one service taken out of the sweep's table it does."""
    remains = cut_off(target, slug, 0, tmp_path)
    swept(remains, [listing for listing in TABLE if listing.service != service])
    there = left(target, remains)
    assert there and {name.partition(".")[0] for name in there} == {service}
    swept(remains)
    assert left(target, remains) == {}
