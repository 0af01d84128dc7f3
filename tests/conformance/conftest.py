"""Where the conformance tests run, and what counts as a pass there.

--target all            an engine with every behaviour (the default)
--target alone          an engine with the behaviour under test and those that its docstring says it needs
--target bare           MiniStack alone: a test marked with a behaviour must fail, by its own assertion, unless it
                        is marked `ministack` as well. It is run again when it passes, three times in all: MiniStack
                        looks at mappings once a second, and which comes first is chance
--target endpoint=URL   any AWS-compatible endpoint, such as LocalStack's

Each test says with a marker whether LocalStack has what it proves: `localstack`, or `not_localstack(reason)`, which
is run there as an expected failure.
"""

from __future__ import annotations

import importlib
import os
import re
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from cloudkata.engine.process import Engine
from cloudkata.sandbox.isolation import DISABLE_ENV

sys.path.insert(0, str(Path(__file__).parent))  # the tests import their support.py

from clocked import Clocked  # noqa: E402
from support import Account, wait_for_bare  # noqa: E402

BEHAVIOURS = "cloudkata.engine.behaviours"
_BARE_TRIES = 3
_WATCHED = {"function_states", "mapping_states"}  # changes are watched at real speed; elsewhere they are waited for
_PASSED = pytest.StashKey[bool]()
_NEEDS = re.compile(r"^Needs ([a-z_, ]+)\.", re.MULTILINE)


def pytest_addoption(parser):
    parser.addoption("--target", default=None, help="conformance tests: all, alone, bare or endpoint=URL")


def target_of(config) -> str:
    """The option where this folder was named on the command line (only then pytest knows it), or the variable."""
    return config.getoption("--target", default=None) or os.environ.get("CLOUDKATA_CONFORMANCE_TARGET", "all")


def pytest_configure(config):
    for line in (
        "behaviour(name): the test proves this behaviour and fails without it",
        "ministack: MiniStack does this itself; the test passes on bare MiniStack too",
        "localstack: LocalStack 4.14 passes this test too",
        "not_localstack(reason): LocalStack 4.14 cannot pass this test",
    ):
        config.addinivalue_line("markers", line)
    target = target_of(config)
    if target not in ("all", "alone", "bare") and not target.startswith("endpoint="):
        raise pytest.UsageError(f"--target is all, alone, bare or endpoint=URL, not {target}")
    if target == "bare":
        wait_for_bare()


def pytest_collection_modifyitems(config, items):
    ours = [item for item in items if item.path.is_relative_to(os.path.dirname(__file__))]
    endpoint = target_of(config).startswith("endpoint=")
    for item in ours:
        marks = [name for name in ("localstack", "not_localstack") if item.get_closest_marker(name)]
        if len(marks) != 1:
            raise pytest.UsageError(f"{item.nodeid}: mark it either localstack or not_localstack(reason)")
        reason = item.get_closest_marker("not_localstack")
        if endpoint and reason:
            item.add_marker(pytest.mark.xfail(reason=reason.args[0]))


def behaviour_of(node) -> str:
    """The behaviour that a test proves, or nothing."""
    marker = node.get_closest_marker("behaviour")
    return marker.args[0] if marker else ""


def needs(behaviour: str) -> list[str]:
    """The behaviour with all that its docstring, and theirs, say they need; those first."""
    document = importlib.import_module(f"{BEHAVIOURS}.{behaviour}").__doc__ or ""
    found: list[str] = []
    for line in _NEEDS.findall(document):
        for name in line.replace(" and ", ", ").split(","):
            found += [needed for needed in needs(name.strip()) if needed not in found]
    return [*found, behaviour]


def _must_fail(item) -> bool:
    """Whether a test has to fail here, since MiniStack alone has not what it proves."""
    return target_of(item.config) == "bare" and bool(behaviour_of(item)) and not item.get_closest_marker("ministack")


def pytest_runtest_protocol(item, nextitem):
    """Try a test that must fail again when it passed, as a whole: only one that always passes is reported."""
    if not _must_fail(item):
        return None  # as any other test is run
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for _ in range(_BARE_TRIES):
        item.stash[_PASSED] = False
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        if not item.stash[_PASSED]:
            break
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when != "call" or not _must_fail(item):
        return report
    if report.passed:
        item.stash[_PASSED] = True
        report.outcome = "failed"
        report.longrepr = f"MiniStack now does this itself: drop the module {behaviour_of(item)}, or sharpen this test"
    elif report.failed and call.excinfo is not None and _by_own_assertion(item, call.excinfo):
        report.outcome, report.longrepr = "passed", None
    return report


def _by_own_assertion(item, excinfo) -> bool:
    """Whether the test's own `assert` is what failed: neither its set-up nor a helper."""
    return excinfo.errisinstance(AssertionError) and str(excinfo.traceback[-1].path) == str(item.path)


def start_engine(behaviours: list[str] | None, factor: float = 1.0) -> Engine:
    """An engine with these behaviours. MiniStack's own way to run functions, on the host, needs the sandbox off."""
    with pytest.MonkeyPatch.context() as patch:
        if behaviours is not None and "function_environments" not in behaviours:
            patch.setenv(DISABLE_ENV, "1")
        return Engine.start(behaviours=behaviours, factor=factor)


@pytest.fixture(scope="session")
def engines():
    """Engines by the behaviours that they run and their time factor, each started once."""
    running: dict[tuple, Engine] = {}

    def get(behaviours: list[str] | None, factor: float) -> Engine:
        key = (None if behaviours is None else tuple(behaviours), factor)
        if key not in running:
            running[key] = start_engine(behaviours, factor)
        return running[key]

    yield get
    for engine in running.values():
        engine.stop()


@pytest.fixture
def aws(request, engines) -> Iterator[Account]:
    """A fresh account on the target."""
    yield from _account(request, engines)


@pytest.fixture
def other_aws(request, engines) -> Iterator[Account]:
    """Another fresh account on the same target."""
    yield from _account(request, engines)


def _account(request, engines) -> Iterator[Account]:
    """An account for one test. On bare MiniStack its mappings end with it: one at a poison record would go on for
    ever, and as MiniStack looks at one stream after the other, what the next tests wait for would come late."""
    account = _fresh(request, engines)
    yield account
    if target_of(request.config) == "bare":
        for mapping in account.lambda_.list_event_source_mappings().get("EventSourceMappings", []):
            account.lambda_.delete_event_source_mapping(UUID=mapping["UUID"])
    account.close()


def _fresh(request, engines) -> Account:
    target = target_of(request.config)
    if target.startswith("endpoint="):
        number = str(secrets.randbelow(9 * 10**11) + 10**11)
        return Account(target.removeprefix("endpoint="), number, number, "secret")
    behaviour = behaviour_of(request.node)
    wanted = {"all": None, "bare": [], "alone": needs(behaviour) if behaviour else []}[target]
    engine = engines(wanted, 1.0 if behaviour in _WATCHED else 10.0)
    key = engine.issue("learner")
    return Account(engine.endpoint, key.account, key.access_key_id, key.secret_access_key, engine.advance)


@pytest.fixture
def clocked(request) -> Iterator[Clocked]:
    """An engine at real speed for this test alone, since it moves time, with an account on it."""
    behaviour = behaviour_of(request.node)
    wanted = {"all": None, "bare": [], "alone": needs(behaviour)}[target_of(request.config)]
    with start_engine(wanted) as engine:
        key = engine.issue("learner")
        account = Account(engine.endpoint, key.account, key.access_key_id, key.secret_access_key, engine.advance)
        yield Clocked(engine, account)
        account.close()
