"""The engine that stays up: who may join it, what is graded there, and how it ends."""

import contextlib
import json
import os
import signal
import stat
import subprocess
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError


@pytest.fixture
def up(mini):
    mini.kata("up")
    yield mini
    mini.kata("down")


def tool(settings: dict):
    """A DynamoDB client as a tool makes it from the settings of `kata env`."""
    return boto3.client(
        "dynamodb",
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        region_name=settings["AWS_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def table(settings: dict, name: str, key: str = "id") -> None:
    tool(settings).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def settings(person, *words) -> dict:
    return json.loads(person.kata("env", *words, "--json", "-").stdout)


def runtime(person):
    return person.runtime / "cloudkata"


def gone(pid: int, seconds: float = 10.0) -> bool:
    deadline, pause = time.monotonic() + seconds, 0.02
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(pause)
    return False


def test_up_again_is_the_same_and_down_leaves_nothing(up):
    file = runtime(up) / "engine.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    first = json.loads(file.read_text())
    assert "was up" in up.kata("up").stdout
    assert json.loads(file.read_text()) == first
    made = settings(up)
    table(made, "any-name")
    assert tool(made).list_tables()["TableNames"] == ["any-name"]
    assert "nothing of it is left" in up.kata("down").stdout
    assert gone(first["pid"]) and not os.path.exists(first["state"]) and not file.exists()
    with pytest.raises(EndpointConnectionError):
        tool(made).list_tables()
    assert "No engine was up" in up.kata("down").stdout


def test_two_at_once_start_one(mini):
    both = [
        subprocess.Popen(
            mini.argv("up", "--json", "-"), cwd=mini.folder, env=mini.env, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [json.loads(process.communicate(timeout=60)[0])["endpoint"] for process in both]
    mini.kata("down")
    assert said[0] == said[1]


def test_env_is_for_a_shell_and_names_nothing_else(up):
    script = 'export AWS_PROFILE=mine AWS_SESSION_TOKEN=x; eval "$(cat)"; env'
    text = up.kata("env", "0").stdout
    done = subprocess.run(["sh", "-c", script], input=text, capture_output=True, text=True, check=True)
    seen = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert {name: seen[name] for name in settings(up, "0")} == settings(up, "0")
    assert "AWS_PROFILE" not in seen and "AWS_SESSION_TOKEN" not in seen


def test_env_without_an_engine_says_what_to_do(mini):
    assert "run: kata up" in mini.kata("env", expect=4).stderr


def test_a_killed_keeper_takes_the_engine_with_it(mini):
    mini.kata("up")
    first = json.loads((runtime(mini) / "engine.json").read_text())
    engine = tool(settings(mini))
    os.kill(first["pid"], signal.SIGKILL)
    assert gone(first["pid"])
    deadline = time.monotonic() + 10
    with pytest.raises(EndpointConnectionError):
        while time.monotonic() < deadline:
            with contextlib.suppress(ConnectionClosedError):  # in the very moment that it ends
                engine.list_tables()
    assert "run: kata up" in mini.kata("env", expect=4).stderr
    assert not (runtime(mini) / "engine.json").exists()
    mini.kata("up")
    mini.kata("down")


@pytest.mark.parametrize("form", ["plain", "cdk", "terraform"])
def test_what_another_tool_deployed_is_graded(up, form):
    made = settings(up, "0")
    name = f"{made['KATA_PREFIX']}-things"
    table(made, name)
    data = {"plain": {"Table": name}, "cdk": {"Stack": {"Table": name}}, "terraform": {"Table": {"value": name}}}[form]
    (up.folder / "outputs.json").write_text(json.dumps(data))
    assert "1 of 1 checks passed" in up.kata("check", "0", "--outputs", "outputs.json").stdout


def test_a_wrong_key_made_by_another_tool_fails(up):
    made = settings(up, "0")
    table(made, f"{made['KATA_PREFIX']}-things", key="name")
    (up.folder / "outputs.json").write_text(json.dumps({"Table": f"{made['KATA_PREFIX']}-things"}))
    assert "expected  the partition key" in up.kata("check", "0", "--outputs", "outputs.json", expect=1).stdout


def test_outputs_of_somewhere_else_are_refused(up):
    made = settings(up, "0")
    table(made, "other-things")
    for data, said in (
        ({"Table": "other-things"}, "Table"),
        ({"Table": f"{made['KATA_PREFIX']}-ghost"}, "there is no such table"),
        ({"Tabel": "x"}, "Table is missing"),
    ):
        (up.folder / "outputs.json").write_text(json.dumps(data))
        shown = " ".join(up.kata("check", "0", "--outputs", "outputs.json", expect=2).stdout.split())
        assert said in shown and "The outputs were refused" in shown


def test_checks_that_call_scripts_are_skipped_and_what_builds_on_them(up):
    made = settings(up, "1")
    table(made, f"{made['KATA_PREFIX']}-counter")
    (up.folder / "outputs.json").write_text(json.dumps({"Table": f"{made['KATA_PREFIX']}-counter"}))
    report = json.loads(up.kata("check", "1", "--outputs", "outputs.json", "--json", "-").stdout)
    assert {check["id"]: check["status"] for check in report["checks"]} == {
        "01.has-a-table": "passed",
        "01.adds-up": "skipped",
        "01.keeps-the-number": "skipped",
    }
    assert report["score"] == 0.5


@pytest.mark.parametrize(
    ("content", "said"), [("{", "is not JSON"), ("[1]", "holds no outputs"), (None, "cannot be read")]
)
def test_a_file_without_outputs_is_a_sentence(mini, content, said):
    if content is not None:
        (mini.folder / "outputs.json").write_text(content)
    assert said in mini.kata("check", "0", "--outputs", "outputs.json", expect=4).stderr


def test_outputs_need_an_engine_that_is_up(mini):
    (mini.folder / "outputs.json").write_text('{"Table": "x"}')
    assert "run: kata up, then deploy" in mini.kata("check", "0", "--outputs", "outputs.json", expect=4).stderr


def test_kept_is_there_to_look_at_until_down(mini):
    done = mini.kata("check", "0", "--solution", "--keep")
    assert 'eval "$(kata env 00)"' in done.stdout
    kept = settings(mini, "0")
    assert tool(kept).list_tables()["TableNames"] == [f"{kept['KATA_PREFIX']}-things"]
    mini.kata("check", "0", "--solution", "--keep")  # again, in an account of its own
    assert settings(mini, "0")["KATA_PREFIX"] != kept["KATA_PREFIX"]
    assert tool(settings(mini)).list_tables()["TableNames"] == []  # the account for tools is another
    mini.kata("down")
    assert list(runtime(mini).glob("*.json")) == []


@pytest.mark.parametrize("words", [("--solution", "--at", "x"), ("--keep", "--outputs", "x")])
def test_what_does_not_go_together(mini, words):
    assert "do not go together" in mini.kata("check", "0", *words, expect=4).stderr


def test_a_runtime_folder_that_others_may_write_is_refused(mini):
    folder = runtime(mini)
    folder.mkdir()
    folder.chmod(0o777)
    assert "not a folder of yours alone" in mini.kata("up", expect=3).stderr


def test_a_file_that_others_may_read_is_refused(up):
    file = runtime(up) / "engine.json"
    file.chmod(0o644)
    assert "is not a file of yours alone" in up.kata("env", expect=3).stderr
    file.chmod(0o600)
