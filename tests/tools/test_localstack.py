"""LocalStack in host mode: what of it is ours. What LocalStack answers is proved by `make localstack`."""

import importlib.util
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "localstack"


def loaded(path: Path):
    spec = importlib.util.spec_from_file_location(f"localstack_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


command = loaded(TOOL / "host_mode" / "command.py")
runtime_api = loaded(TOOL / "host_mode" / "runtime_api.py")
prove = loaded(TOOL / "prove.py")

HANDLER = """
import os, sys
def handler(event, context):
    if event == "fail":
        raise LookupError("gone")
    if event == "end":
        os._exit(3)
    try:
        import pytest
    except ImportError:
        pytest = None
    print("seen")
    import boto3
    return {
        "cwd": os.getcwd(),
        "host": pytest is not None,
        "processes": sum(name.isdigit() for name in os.listdir("/proc")),
        "runtime": boto3.__file__,
    }
"""


@pytest.fixture(params=["bubblewrap", "none"])
def running(request, tmp_path, monkeypatch):
    """A function's process, with bubblewrap and without."""
    command.bubblewrap.cache_clear()
    if request.param == "none":
        monkeypatch.setattr(command, "bubblewrap", lambda: "")
    elif not command.bubblewrap():
        pytest.skip("bubblewrap does not work here")
    code, scratch = tmp_path / "code", tmp_path / "scratch"
    code.mkdir()
    scratch.mkdir()
    (code / "app.py").write_text(HANDLER)
    line, env = command.command(str(code), str(scratch), "app.handler")
    env = {"PATH": os.environ["PATH"], "_HANDLER": "app.handler", "AWS_LAMBDA_FUNCTION_NAME": "f", **env}
    env |= {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST"}
    runtime = runtime_api.Runtime(line, env, str(code))
    yield request.param, runtime
    runtime.kill()


def ask(runtime, event, request="r1"):
    """(kind, answer) of one invocation, once the process has asked for it."""
    if runtime.asked is False:
        kind, _, body = runtime.outcome.get(timeout=30)
        assert kind == "ready", body
    given = {"id": request, "deadline_ms": int(time.time() * 1000) + 30_000, "arn": "arn", "trace": ""}
    runtime.invocations.put({**given, "payload": json.dumps(event).encode()})
    kind, answered, body = runtime.outcome.get(timeout=30)
    assert answered in (request, None)
    return kind, body


def test_a_function_finds_its_code_and_aws_packages_and_nothing_of_the_hosts(running):
    how, runtime = running
    kind, body = ask(runtime, {})
    seen = json.loads(body)
    assert kind == "response" and seen["host"] is False
    if how == "bubblewrap":
        assert seen["cwd"] == "/var/task" and seen["runtime"] == "/var/runtime/boto3/__init__.py"
        assert seen["processes"] < 5
    assert "seen\n" in runtime.printed()


def test_an_error_keeps_its_type(running):
    kind, body = ask(running[1], "fail")
    assert kind == "error" and json.loads(body)["errorType"] == "LookupError"


def test_a_process_that_ends_is_said_to_have_ended(running):
    assert ask(running[1], "end") == ("exit", 3)


def test_what_is_missing_is_named(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "cat", "env"):
        (tools / name).symlink_to(shutil.which(name))
    (tools / "python3.13").write_text("#!/usr/bin/env bash\nexit 0\n")
    (tools / "python3.13").chmod(0o755)
    env = {"PATH": str(tools), "HOME": str(tmp_path)}
    done = subprocess.run([TOOL / "setup.sh", tmp_path / "venv"], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (69, "LocalStack in host mode needs Java, which is not here.\n")
    (tools / "python3.13").unlink()
    done = subprocess.run([TOOL / "setup.sh", tmp_path / "venv"], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (69, "LocalStack in host mode needs Python 3.13, which is not here.\n")


RECORDED = {"01.a": "passed", "01.b": "no lambda.layers", "01.c": "after 01.b"}


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (RECORDED, []),
        (RECORDED | {"01.b": "no lambda.other"}, []),
        (RECORDED | {"01.a": "no lambda.layers"}, ["01.a passed when it was recorded and is skipped now"]),
        (RECORDED | {"01.c": "failed: expected 1, saw 2"}, ["01.c must pass or be skipped: failed"]),
        (RECORDED | {"01.c": "passed"}, ["01.c passes now and is recorded as skipped"]),
        (RECORDED | {"01.d": "passed"}, ["01.d is not recorded"]),
    ],
)
def test_the_record_tells_when_skips_grow(seen, said):
    found = prove.problems(seen, RECORDED)
    assert len(found) == len(said) and all(text.startswith(start) for text, start in zip(found, said, strict=True))


def test_why_a_check_was_skipped_is_read_from_its_report():
    why = (
        "This target does not show lambda.layers (answered None); sqs.move-tasks (not moved). The embedded target can."
    )
    checks = [
        {"id": "01.a", "status": "passed", "why": ""},
        {"id": "01.b", "status": "skipped", "why": why},
        {"id": "01.c", "status": "skipped", "why": "It builds on 01.b, 01.d-e."},
        {"id": "01.d", "status": "failed", "why": "so", "expected": "1", "actual": "2"},
    ]
    assert prove.outcomes({"checks": checks}) == {
        "01.a": "passed",
        "01.b": "no lambda.layers, sqs.move-tasks",
        "01.c": "after 01.b, 01.d-e",
        "01.d": "failed: expected 1, saw 2 so",
    }


def test_every_check_of_the_course_is_recorded():
    from cloudkata.course import find_course, load_lab

    course = find_course(ROOT)
    checks = {spec.id for slug in course.labs for spec in load_lab(course, slug).checks}
    recorded = json.loads((TOOL / "labs.json").read_text())
    assert set(recorded) == checks
    assert all(outcome == "passed" or outcome.startswith(("no ", "after ")) for outcome in recorded.values())


def test_the_table_in_the_documentation_is_the_record():
    from cloudkata.course import find_course

    made = prove.table(find_course(ROOT), json.loads((TOOL / "labs.json").read_text()))
    assert made in (ROOT / "docs" / "targets.md").read_text()


def test_emulators_in_containers_listen_on_loopback_alone():
    import yaml

    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert sorted(profile for service in services.values() for profile in service["profiles"]) == [
        "current",
        "localstack",
        "ministack",
    ]
    assert services["localstack"]["image"] == "localstack/localstack:4.14.0"
    assert "LOCALSTACK_AUTH_TOKEN" in services["current"]["environment"]
    assert all(port.startswith("127.0.0.1:") for service in services.values() for port in service["ports"])
