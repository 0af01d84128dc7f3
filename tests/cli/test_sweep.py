"""`kata sandbox sweep`, as a person types it, in an account that an engine plays."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "targets"))

from played_account import in_account  # noqa: E402

from cloudkata.targets.embedded import EmbeddedTarget  # noqa: E402
from cloudkata.targets.ledger import Ledger  # noqa: E402


@pytest.fixture(scope="module")
def engine():
    with EmbeddedTarget() as target:
        yield target.engine


@pytest.fixture
def played(engine, tmp_path):
    made = in_account(engine, tmp_path)
    allowed = {"schema": "cloudkata.sandbox/1", "accounts": {made.account: {"at": engine.endpoint}}}
    folder = tmp_path / "settings" / "cloudkata"
    folder.mkdir(parents=True)
    (folder / "sandbox.json").write_text(json.dumps(allowed))
    (folder / "sandbox.json").chmod(0o600)
    return made


def kata(played, *words, expect=0):
    env = {**played.env, "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    command = [sys.executable, "-m", "cloudkata.cli.kata", *words]
    done = subprocess.run(command, check=False, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def ledger(played, prefix: str, *calls) -> Ledger:
    folder = played.folder / "state" / "cloudkata" / "ledgers"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Ledger(played.account, "us-east-1", prefix, prefix[4:6], folder=folder)
    for service, operation, names in calls:
        made.before(service, operation, names)
    return made


def queues(played) -> list[str]:
    return sorted(url.rpartition("/")[2] for url in played.client("sqs").list_queues().get("QueueUrls", ()))


def test_what_a_ledger_tells_of_is_taken_down_and_nothing_else(played):
    for name in ("kata14-ab12-q", "kata14-0000-q", "mine"):
        played.client("sqs").create_queue(QueueName=name)
    ledger(played, "kata14-ab12", ("sqs", "CreateQueue", ["kata14-ab12-q"])).close()
    said = kata(played, "sandbox", "sweep", "--profile", "sandbox", "--dry-run")
    assert "found" in said and "queue kata14-ab12-q" in said and "kata14-0000" not in said
    assert queues(played) == ["kata14-0000-q", "kata14-ab12-q", "mine"]
    said = kata(played, "sandbox", "sweep", "--profile", "sandbox", "--json", str(played.folder / "out.json"))
    assert "gone" in said and "1 gone." in said and queues(played) == ["kata14-0000-q", "mine"]
    (item,) = json.loads((played.folder / "out.json").read_text())["items"]
    assert (item["kind"], item["name"], item["state"]) == ("queue", "kata14-ab12-q", "gone")
    assert "Nothing of any attempt was found" in kata(played, "sandbox", "sweep", "--profile", "sandbox")
    assert list((played.folder / "state" / "cloudkata" / "ledgers").iterdir()) == []


def test_with_all_what_other_machines_deployed_goes_too(played):
    for name in ("kata14-0000-q", "mine", "kata-mine", "my-kata14-0000-q", "kata14-00001-q"):
        played.client("sqs").create_queue(QueueName=name)
    kata(played, "sandbox", "sweep", "--profile", "sandbox", "--all")
    assert queues(played) == ["kata-mine", "kata14-00001-q", "mine", "my-kata14-0000-q"]
    assert [user["UserName"] for user in played.client("iam").list_users()["Users"]] == ["admin"]


@pytest.mark.parametrize("more", [(), ("--all",)])
def test_an_attempt_that_runs_is_left_alone(played, more):
    played.client("sqs").create_queue(QueueName="kata14-ab12-q")
    running = ledger(played, "kata14-ab12", ("sqs", "CreateQueue", ["kata14-ab12-q"]))
    said = kata(played, "sandbox", "sweep", "--profile", "sandbox", *more, expect=1)
    assert "attempt kata14-ab12" in said and "runs right now" in said and queues(played) == ["kata14-ab12-q"]
    running.close()
    kata(played, "sandbox", "sweep", "--profile", "sandbox", *more)
    assert queues(played) == []


def test_what_is_scheduled_has_a_date_and_is_found_again(played):
    key = played.client("kms").create_key(Description="kata14-ab12-key")["KeyMetadata"]["KeyId"]
    ledger(played, "kata14-ab12", ("kms", "CreateKey", ["kata14-ab12-key"])).close()
    for _ in range(2):
        said = kata(played, "sandbox", "sweep", "--profile", "sandbox")
        assert "scheduled" in said and "KMS key kata14-ab12-key until 20" in said and "Sweep again" in said
    assert played.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_an_account_that_was_not_allowed_is_refused(engine, tmp_path):
    made = in_account(engine, tmp_path)
    kata(made, "sandbox", "sweep", "--profile", "sandbox", expect=4)
    kata(made, "sandbox", "sweep", "--profile", "nobody", expect=4)


def test_names_that_learners_made_are_shown_as_text(played):
    played.client("iam").create_role(RoleName="kata14-ab12-r", AssumeRolePolicyDocument="{}")
    played.client("kms").create_key(Description="kata14-ab12-[red]x\x1b[2J")
    ledger(played, "kata14-ab12").close()
    said = kata(played, "sandbox", "sweep", "--profile", "sandbox")
    assert "[red]x" in said and "\x1b" not in said
