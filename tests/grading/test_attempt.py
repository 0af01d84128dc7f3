"""What becomes of right, wrong and hostile submissions for lab 00."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from cloudkata.course import find_course, load_lab
from cloudkata.deployment.learner import deploy
from cloudkata.engine.process import EngineError
from cloudkata.grading.attempt import EXIT, FAIL, FAULT, NOT_DEPLOYED, PASS, attempt
from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.shared import Shared

COURSE = find_course(Path(__file__))
LAB = load_lab(COURSE, "00-first-proof")


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as made:
        yield Shared(made)


@pytest.fixture
def folder(tmp_path):
    copy = tmp_path / "work"
    shutil.copytree(COURSE.solution("00-first-proof"), copy)
    return copy


def statuses(result):
    return {verdict.id: verdict.status for verdict in result.verdicts}


def test_solution_passes(folder, target):
    result = attempt(COURSE, LAB, folder, target)
    assert result.status == PASS, result
    assert result.score == 1.0
    assert set(statuses(result).values()) == {"passed"}


def test_starter_passes_one_check_and_fails_the_other(target):
    result = attempt(COURSE, LAB, COURSE.starter("00-first-proof"), target)
    assert result.status == FAIL
    assert statuses(result) == {"00.greets-by-name": "passed", "00.refuses-a-missing-name": "failed"}
    failed = result.verdicts[1]
    assert failed.actual == "200" and "400" in failed.expected and failed.why
    assert result.score == 0.0


WRONG = {
    "refuses everybody": ('    return {"statusCode": 400, "body": ""}', {"00.greets-by-name"}),
    "greets a fixed name": (
        '    return {"statusCode": 200 if "name" in event else 400, "body": "Hello, Ada!"}',
        {"00.greets-by-name"},
    ),
    "raises without a name": (
        '    return {"statusCode": 200, "body": "Hello, " + event["name"]}',
        {"00.refuses-a-missing-name"},
    ),
    "status as text": (
        '    return {"statusCode": "200" if "name" in event else "400", "body": str(event)}',
        {"00.greets-by-name", "00.refuses-a-missing-name"},
    ),
    "answers nothing": ("    return None", {"00.greets-by-name", "00.refuses-a-missing-name"}),
    "ends its process": (
        "    import os; os._exit(0)",
        {"00.greets-by-name", "00.refuses-a-missing-name"},
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_handler_fails(name, folder, target):
    body, caught = WRONG[name]
    (folder / "app" / "handler.py").write_text(f"def handler(event, context):\n{body}\n")
    result = attempt(COURSE, LAB, folder, target)
    assert result.status == FAIL
    assert {check for check, status in statuses(result).items() if status == "failed"} >= caught


REFUSED = {
    "no deploy function": ("x = 1\n", "no function deploy"),
    "syntax error": ("def deploy(lab)\n", "SyntaxError"),
    "exception": ("def deploy(lab):\n    raise LookupError('lost')\n", "LookupError: lost"),
    "no outputs": ("def deploy(lab):\n    pass\n", "FunctionName is missing"),
    "a function that is not there": (
        "def deploy(lab):\n    lab.outputs['FunctionName'] = lab.name('ghost')\n",
        "there is no such function",
    ),
    "a name of somebody else": (
        "def deploy(lab):\n    lab.outputs['FunctionName'] = 'kata00-ffff-hello'\n",
        "lab.name(...) of this attempt did not make",
    ),
    "an output that is no text": ("def deploy(lab):\n    lab.outputs['FunctionName'] = ['a']\n", "is not the name"),
    "leaves at once": ("import os\nos._exit(0)\n", "ended before deploy(lab) returned"),
    "leaves in deploy": ("def deploy(lab):\n    raise SystemExit(0)\n", "SystemExit"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_deploy_is_refused_with_a_sentence(name, folder, target):
    source, said = REFUSED[name]
    (folder / "deploy.py").write_text(source)
    result = attempt(COURSE, LAB, folder, target)
    assert result.status == NOT_DEPLOYED
    assert said in result.problem
    assert not result.verdicts and result.score == 0.0


@pytest.mark.isolated("only a sandbox hides what is installed")
def test_the_grader_cannot_be_imported(folder, target):
    (folder / "deploy.py").write_text("def deploy(lab):\n    import cloudkata.grading\n")
    result = attempt(COURSE, LAB, folder, target)
    assert result.status == NOT_DEPLOYED
    assert "No module named 'cloudkata'" in result.problem


def test_error_names_the_learners_own_line(folder, target):
    (folder / "deploy.py").write_text("def deploy(lab):\n    helper()\n\n\ndef helper():\n    lost\n")
    result = attempt(COURSE, LAB, folder, target)
    assert [(frame.file, frame.line) for frame in result.deployment.frames] == [("deploy.py", 2), ("deploy.py", 6)]


def test_endless_deploy_is_ended(folder, target):
    (folder / "deploy.py").write_text("def deploy(lab):\n    while True:\n        pass\n")
    result = deploy(folder, target.session("00"), seconds=2.0)
    assert "did not finish within 2 seconds" in result.error
    assert result.seconds < 10


def test_endless_output_is_cut(folder, target):
    (folder / "deploy.py").write_text("def deploy(lab):\n    for _ in range(200):\n        print('x' * 10_000)\n")
    result = deploy(folder, target.session("00"))
    assert not result.error
    assert 0 < len(result.printed) <= 64 << 10


def test_seed_draws_the_same_names(folder, target):
    (folder / "app" / "handler.py").write_text(
        "def handler(event, context):\n    return {'statusCode': 500, 'body': event.get('name', '')}\n"
    )
    first, second, other = (attempt(COURSE, LAB, folder, target, seed=seed) for seed in (7, 7, 8))
    assert first.verdicts[0].expected == second.verdicts[0].expected != other.verdicts[0].expected


class Broken:
    name = "embedded"

    def __enter__(self):
        raise EngineError("the engine did not start: no room")

    def __exit__(self, *_):
        pass


def test_engine_that_does_not_start_is_our_fault(folder):
    result = attempt(COURSE, LAB, folder, Broken())
    assert (result.status, EXIT[result.status]) == (FAULT, 3)
    assert "no room" in result.problem


@pytest.mark.parametrize("moment", ["Running deploy.py", LAB.checks[0].claim, LAB.checks[1].claim])
def test_engine_that_dies_midway_is_our_fault(moment, folder):
    mine = EmbeddedTarget()

    def progress(text):
        if text == moment:
            os.kill(mine.engine.pid, signal.SIGKILL)

    result = attempt(COURSE, LAB, folder, mine, progress=progress)
    assert EXIT[result.status] == 3
    assert "failed" not in statuses(result).values()


def test_a_deploy_that_takes_too_much_memory_is_told_so(folder, target):
    (folder / "deploy.py").write_text("def deploy(lab):\n    x = [bytearray(b'x' * (16 << 20)) for _ in range(100)]\n")
    result = deploy(folder, target.session("00"))
    assert "used more than 1 GB of memory" in result.error
