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
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "targets")]

from accounts import ledgered  # noqa: E402
from listings import SIGNED_FOR, held, more_than, services_of  # noqa: E402
from played_account import in_account  # noqa: E402
from troubles import Troubles  # noqa: E402

from cloudkata.course import find_course  # noqa: E402
from cloudkata.deployment.child import Child  # noqa: E402
from cloudkata.deployment.learner import deploy  # noqa: E402
from cloudkata.targets.calls import read_call  # noqa: E402
from cloudkata.targets.embedded import EmbeddedTarget  # noqa: E402
from cloudkata.targets.lab_roles import lab_policy  # noqa: E402
from cloudkata.targets.ledger import Written, read_ledgers  # noqa: E402
from cloudkata.targets.owned import Owned  # noqa: E402
from cloudkata.targets.session import Session  # noqa: E402
from cloudkata.targets.sweep import AT_ONCE, Item, Pace, Sweep  # noqa: E402
from cloudkata.targets.things import TABLE  # noqa: E402

COURSE = find_course(Path(__file__).parents[2])
ALL = os.environ.get("CLOUDKATA_KILLS") == "all"
# All workers of a run must collect the same tests, so they draw from what they have in common.
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex(8)
SEED = int(os.environ.get("CLOUDKATA_SEED") or random.Random(RUN).randrange(1 << 32))
MOST = 8  # cuts of a lab, where not all are made
AT_A_TIME = 2
SOME = COURSE.labs if ALL else sorted(random.Random(SEED).sample(COURSE.labs, 2))
PATIENT = Pace(patience=120.0, pause=0.1, longest=0.5, lag=1.5)

pytestmark = pytest.mark.isolated("without namespaces code is not relayed")


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


def cut_off(target, slug: str, after: int, folder: Path, session: Session | None = None) -> Remains:
    """Deploy a lab's solution in a new account, or as `session` has it, cut off after a number of changing calls.

    0: not at all.
    """
    session, cut, solution = session or target.session(slug[:2]), Cut(after), COURSE.solution(slug)
    with ledgered(session, slug[:2], folder, cut.around) as (relayed, _):
        cut.child = Child(solution, relayed).__enter__()
        deployment = deploy(solution, relayed, child=cut.child)
        assert bool(deployment.error) == bool(after), deployment.error
    (written,) = [one for one in read_ledgers(session.account, folder) if one.prefix == session.prefix]
    return Remains(session, written)


def swept(remains: Remains, table=TABLE, troubles: Troubles | None = None) -> list[Item]:
    """Sweep with what somebody else finds: the ledger on disk."""
    session, owned = remains.session, Owned(ledgers=[remains.written])
    if troubles is None:
        reach, pace = lambda service, _: session.client(service, session.checks), AT_ONCE
    else:
        reach, pace = troubles.client(session), PATIENT
    last = remains.written.calls[-1].at
    return Sweep(reach, owned, pace=pace, table=table, lenient=True, since=last).run()


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


def some_cut(slug: str, written: Written) -> int:
    return random.Random(f"{SEED} {slug}").randint(1, len(written.calls))


def say(capsys, text: str) -> None:
    with capsys.disabled():
        print(f"\n{text}, seed {SEED}, {len(SOME)} of {len(COURSE.labs)} labs")


@pytest.mark.parametrize("slug", SOME)
def test_aws_may_refuse_and_lag_and_take_its_time(target, slug, tmp_path, capsys):
    say(capsys, f"{slug} with delays and refusals")
    remains = cut_off(target, slug, 0, tmp_path)
    troubles = Troubles(SEED, refusals=2, behind=0.3, slow=0.5, disabling=1.0)
    items = swept(remains, troubles=troubles)
    assert [item for item in items if item.state != "gone"] == []
    assert left(target, remains) == {}


def steady(counts: dict[str, int]) -> dict[str, int]:
    """Without logs, which functions go on to write."""
    return {name: count for name, count in counts.items() if not name.startswith("logs.")}


@pytest.mark.parametrize("slug", SOME)
def test_another_attempt_in_the_account_stays_as_it_is(target, slug, tmp_path, capsys):
    say(capsys, f"{slug} beside another attempt")
    other = cut_off(target, slug, 0, tmp_path)
    before, session = left(target, other), other.session
    mine = target.session_in(
        session.account, session.learner, f"kata{slug[:2]}-{random.Random(SEED).randbytes(2).hex()}"
    )
    swept(cut_off(target, slug, some_cut(slug, other.written), tmp_path, mine))
    after = left(target, other)
    assert before and steady(after) == steady(before)
    assert all(after.get(name, 0) >= count for name, count in before.items())


def kata(played, *words, text="") -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "cloudkata.cli.kata", *words]
    env = {"PATH": os.environ["PATH"], **played.env}
    return subprocess.run(
        command, check=False, env=env, cwd=COURSE.root, input=text, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize("slug", SOME)
def test_a_killed_kata_leaves_what_kata_sandbox_sweep_finds(target, slug, tmp_path, capsys):
    """As a user: kill -9 of the whole program in the middle of `kata check --target account`, then the sweep."""
    played = in_account(target.engine, tmp_path)
    done = kata(played, "sandbox", "allow", "--profile", "sandbox", text=f"{played.account}\n")
    assert done.returncode == 0, done.stderr
    session = target.session_in(played.account, played.root, "kata")
    services = [name for one in lab_policy(COURSE, slug).services for name in SIGNED_FOR.get(one, (one,))]
    services = sorted({*services, "iam", "logs", "lambda"} - {"sts", "execute-api", "cloudfront-keyvaluestore"})
    baseline = held(session, services)

    (tmp_path / "whole").mkdir()
    calls = len(cut_off(target, slug, 0, tmp_path / "whole").written.calls)
    # at least two, so that one has taken effect: the last may not have been sent yet
    wanted = random.Random(f"{SEED} {slug}").randint(2, max(2, calls))
    say(capsys, f"{slug}: kata killed after {wanted} calls")
    command = [sys.executable, "-m", "cloudkata.cli.kata", "check", slug[:2], "--solution", "--target", "account"]
    env = {"PATH": os.environ["PATH"], **played.env}
    process = subprocess.Popen(
        [*command, "--profile", "sandbox"], env=env, cwd=COURSE.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    folder, deadline = tmp_path / "state" / "cloudkata" / "ledgers", time.monotonic() + 60
    try:
        while sum(len(one.calls) for one in (read_ledgers(folder=folder) if folder.is_dir() else ())) < wanted:
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < deadline, "no call went out"
            time.sleep(0.005)
    finally:
        process.kill()
        process.communicate()
    assert more_than(held(session, services, baseline), baseline) != {}
    done = kata(played, "sandbox", "sweep", "--profile", "sandbox")
    assert done.returncode == 0, done.stdout + done.stderr
    assert more_than(held(session, services, baseline), baseline) == {}
    assert list(folder.iterdir()) == []
