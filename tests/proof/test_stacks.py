"""The solutions by CDK: synthesized offline, without a finding, and with the same verdicts as by deploy.py."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cloudkata.cdk import deploy as stacks
from cloudkata.cdk.names import stack_name
from cloudkata.cdk.synth import Wanted, synthesize, wanted
from cloudkata.cli import main
from cloudkata.cli.standing import standing
from cloudkata.course import CourseError, find_course, load_lab
from cloudkata.deployment.crew import Crew
from cloudkata.deployment.learner import deploy
from cloudkata.grading.attempt import PASS, Attempt, Run, attempt_deployed
from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.owned import Owned
from cloudkata.targets.permission import remember
from cloudkata.targets.profile import open_profile
from cloudkata.targets.session import Session
from cloudkata.targets.sweep import AT_ONCE, FOUND, Sweep

sys.path.insert(0, str(Path(__file__).parents[1] / "targets"))

from played_account import in_account  # noqa: E402

COURSE = find_course(Path(__file__))
ROOT = Path(__file__).parents[2]
SEED = 20261124


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as made:
        yield made


@pytest.fixture(scope="module")
def sessions(target) -> dict[str, Session]:
    """The account that each lab's stack is deployed in."""
    return {slug: target.session(slug.split("-", 1)[0]) for slug in COURSE.labs}


@pytest.fixture(scope="module")
def assembly(sessions, tmp_path_factory) -> Path:
    """The cloud assembly of all labs, for those accounts."""
    out = tmp_path_factory.mktemp("cdk") / "out"
    synthesize([wanted(COURSE, slug, each.prefix, each.endpoint) for slug, each in sessions.items()], out)
    return out


def graded(slug: str, session: Session, outputs: dict[str, str], target) -> Attempt:
    """All checks, with those that call scripts, on what was deployed in an account."""
    lab = load_lab(COURSE, slug)
    with Crew(COURSE.solution(slug), session, lab.calls, lab.racers if lab.calls else 0) as crew:
        return attempt_deployed(COURSE, lab, outputs, session, target, Run(SEED), crew)


def things(session: Session, owned: Owned) -> set[str]:
    """What of `owned` is in an account."""
    look = Sweep(lambda service, _: session.client(service, session.checks), owned, pace=AT_ONCE, lenient=True).look()
    return {f"{one.kind} {one.name}" for one in look if one.state == FOUND}


def verdicts(attempt: Attempt) -> dict[str, str]:
    return {one.id: one.status for one in attempt.verdicts}


@pytest.mark.parametrize("slug", COURSE.labs)
def test_a_stack_gets_the_same_verdicts_as_deploy_py(slug, sessions, assembly, target):
    session = sessions[slug]
    lab = load_lab(COURSE, slug)
    outputs = stacks.deploy(session, assembly)
    deployed = things(session, Owned(everything=True))
    assert set(outputs) == set(lab.outputs) and deployed
    by_stack = graded(slug, session, outputs, target)

    other = target.session(lab.number)
    made = deploy(COURSE.solution(slug), other)
    assert not made.error, made.error
    by_hand = graded(slug, other, made.outputs, target)

    assert verdicts(by_stack) == verdicts(by_hand)
    assert by_hand.status == PASS and len(by_hand.verdicts) == len(lab.checks)

    there, left = stacks.destroy(session)
    assert there and not left
    # what checks made for themselves, with names of their own, may be there
    assert not things(session, Owned(everything=True)) & deployed
    assert not things(session, Owned([session.prefix]))
    assert stacks.destroy(session) == (False, [])


def test_a_changed_stack_updates_what_is_there(target, tmp_path):
    session, folder = target.session("01"), tmp_path / "01-changed"
    shutil.copytree(COURSE.solution("01-versions-and-aliases"), folder)

    def deployed(number: int) -> dict[str, str]:
        synthesize([Wanted(str(folder), session.prefix, session.endpoint)], tmp_path / str(number))
        return stacks.deploy(session, tmp_path / str(number))

    first = deployed(1)
    assert deployed(2) == first  # nothing is to be done
    stack = folder / "stack.py"
    stack.write_text(stack.read_text(encoding="utf-8").replace('"Hello"', '"Good evening"'), encoding="utf-8")
    assert deployed(3) == first
    functions = session.client("lambda", session.checks)
    found = functions.get_function_configuration(FunctionName=first["AliasArn"])
    assert (found["Version"], found["Environment"]["Variables"]["GREETING"]) == ("2", "Good evening")


def test_a_stack_that_fails_says_why_and_is_replaced_by_the_next(target, tmp_path):
    session, folder = target.session("00"), tmp_path / "00-changed"
    shutil.copytree(COURSE.solution("00-first-proof"), folder)
    stack = folder / "stack.py"
    right = stack.read_text(encoding="utf-8")

    def deployed(text: str, number: int) -> dict[str, str]:
        stack.write_text(text, encoding="utf-8")
        synthesize([Wanted(str(folder), session.prefix, session.endpoint)], tmp_path / str(number))
        return stacks.deploy(session, tmp_path / str(number))

    with pytest.raises(stacks.StackError, match=r"[mM]emorySize"):
        deployed(right.replace('code=self.package("app"),', 'code=self.package("app"), memory_size=20000,'), 1)
    assert set(deployed(right, 2)) == {"FunctionName"}
    assert stacks.destroy(session) == (True, [])


def test_a_stack_with_a_mistake_is_a_sentence(tmp_path):
    folder = tmp_path / "00-changed"
    shutil.copytree(COURSE.solution("00-first-proof"), folder)
    (folder / "stack.py").write_text("from cloudkata.cdk.stack import LabStack\n\nclass Solution(LabStack): pass\n")
    with pytest.raises(CourseError, match=r"cannot be synthesized(.|\n)*NotImplementedError"):
        synthesize([Wanted(str(folder), "kata00-abcd")], tmp_path / "out")


def test_all_are_synthesized_without_a_network_and_without_a_finding():
    command = [sys.executable, "tools/synth.py"]
    if shutil.which("bwrap"):
        command = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", "--", *command]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "cdk-nag: nothing" in run.stdout and "cfn-lint: nothing" in run.stdout
    assert all(slug in run.stdout for slug in COURSE.labs)


def test_a_finding_that_is_not_justified_ends_the_synthesis(tmp_path):
    folder = tmp_path / "14-changed"
    shutil.copytree(COURSE.solution("14-dynamodb-transactions"), folder)
    stack = folder / "stack.py"
    more = "        __import__('aws_cdk').aws_s3.Bucket(self, 'open')\n"
    stack.write_text(stack.read_text(encoding="utf-8") + more, encoding="utf-8")
    with pytest.raises(CourseError, match="AwsSolutions-S10"):
        synthesize([Wanted(str(folder), "kata14-abcd")], tmp_path / "out", nag=True)


def test_a_target_that_leaves_custom_resources_out_is_a_sentence(target, tmp_path):
    session, folder = target.session("05"), tmp_path / "05-changed"
    shutil.copytree(COURSE.solution("05-stream-failures"), folder)
    synthesize([Wanted(str(folder), session.prefix, session.endpoint)], tmp_path / "out")
    name = stack_name(session.prefix)
    template = tmp_path / "out" / f"{name}.template.json"
    made = json.loads(template.read_text(encoding="utf-8"))
    custom = next(one for one in made["Resources"].values() if one["Type"] == "AWS::CloudFormation::CustomResource")
    custom["Type"] = "AWS::CloudFormation::WaitConditionHandle"  # which takes anything and does nothing
    template.write_text(json.dumps(made), encoding="utf-8")
    with pytest.raises(stacks.StackError, match=r"cannot be deployed by CDK there: .* open_shop of deploy"):
        stacks.deploy(session, tmp_path / "out")
    assert stacks.destroy(session) == (True, [])


@pytest.fixture
def account(target, tmp_path, monkeypatch) -> str:
    """A played account that was allowed; its profile."""
    played = in_account(target.engine, tmp_path)
    for name, value in played.env.items():
        monkeypatch.setenv(name, value)
    remember(open_profile("sandbox"))
    return "sandbox"


def test_an_account_takes_a_stack_with_the_profile_s_own_keys(account, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(ROOT)
    file, to = tmp_path / "outputs.json", ("--target", "account", "--profile", account)
    assert main.run(["deploy", "02", *to, "--json", str(file)]) == 0
    assert "Rough cost" in capsys.readouterr().err
    with standing(COURSE, "02-layers", "", account) as (place, session):
        outputs = json.loads(file.read_text(encoding="utf-8"))
        done = attempt_deployed(COURSE, load_lab(COURSE, "02-layers"), outputs, session, place, Run(SEED))
        assert {one.status for one in done.verdicts} == {"passed", "skipped"}
    assert main.run(["destroy", "02", *to]) == 0
    assert "nothing of it is left" in " ".join(capsys.readouterr().out.split())


def test_the_commands_deploy_for_kata_check_and_take_down():
    with tempfile.TemporaryDirectory(prefix="kt-") as runtime:
        env = {**os.environ, "XDG_RUNTIME_DIR": runtime, "COLUMNS": "80"}

        def kata(*words: str, expect: int = 0) -> str:
            command = [sys.executable, "-m", "cloudkata.cli.kata", *words]
            run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=180, check=False)
            assert run.returncode == expect, (words, run.stdout, run.stderr)
            return run.stdout

        try:
            file = f"{runtime}/outputs.json"
            assert "kata destroy 04" in kata("deploy", "04", "--json", file)
            assert "11 of 11 checks passed" in kata("check", "04", "--outputs", file)
            assert json.loads(kata("deploy", "04", "--json", "-")) == json.loads(Path(file).read_text())
            assert "nothing of it is left" in kata("destroy", "04")
            assert "was not deployed" in kata("destroy", "04")
            assert "there is no such" in kata("check", "04", "--outputs", file, expect=2)
        finally:
            kata("down")
