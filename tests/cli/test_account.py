"""`kata sandbox allow` and `kata check --target account`, as a person types it, on an engine that plays the account."""

import json
import stat
import sys
from pathlib import Path

import pytest

from cloudkata.sandbox.isolation import isolation
from cloudkata.targets import account as accounts

sys.path.insert(0, str(Path(__file__).parents[1] / "targets"))

from played_account import in_account  # noqa: E402

pytestmark = pytest.mark.skipif(not isolation().full, reason="without namespaces nothing runs on an account")


@pytest.fixture
def account(mini, target, tmp_path, monkeypatch):
    """An account that a person at a terminal has a profile for."""
    monkeypatch.setattr(accounts, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr(accounts, "VISIBLE_SECONDS", 2.0)
    folder = tmp_path / "aws"
    folder.mkdir()
    played = in_account(target.session("00").engine, folder)
    mini.env |= played.env
    return played


def allow(mini, played, **expected):
    return mini.kata("sandbox", "allow", "--profile", "sandbox", text=f"{played.account}\n", **expected)


def on_account(mini, *words, **expected):
    return mini.kata("check", *words, "--target", "account", "--profile", "sandbox", **expected)


def roles(played) -> set[str]:
    return {role["RoleName"] for role in played.client("iam").list_roles()["Roles"]}


def permission(played) -> Path:
    return played.folder / "settings" / "cloudkata" / "sandbox.json"


def test_allowing_shows_what_it_is_and_what_will_be_made(mini, account):
    said = allow(mini, account).stdout
    assert f"sandbox: arn:aws:iam::{account.account}:user/admin" in said
    assert f"Account   {account.account}" in said and "Region    us-east-1" in said
    assert "cloudkata-boundary" in said and "cloudkata-lab-00: what code for it may call of dynamodb" in said
    assert roles(account) >= {"cloudkata-lab-00", "cloudkata-lab-01", "cloudkata-lab-02"}


def test_the_permission_is_for_the_user_alone_and_holds_no_keys(mini, account):
    allow(mini, account)
    file = permission(account)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert account.account in text
    assert account.keys.access_key_id not in text and account.keys.secret_access_key not in text


def test_a_wrong_number_allows_and_makes_nothing(mini, account):
    said = mini.kata("sandbox", "allow", "--profile", "sandbox", text="123456789012\n", expect=4)
    assert "nothing was allowed or made" in said.stderr
    assert not permission(account).exists()
    assert not [name for name in roles(account) if name.startswith("cloudkata")]


def test_an_alias_is_shown(mini, account):
    account.client("iam").create_account_alias(AccountAlias="our-playground")
    said = mini.kata("sandbox", "allow", "--profile", "sandbox", text="no\n", expect=4)
    assert f"{account.account} (our-playground)" in said.stdout


def test_a_lab_is_proved_on_an_account_and_taken_down(mini, account):
    allow(mini, account)
    said = on_account(mini, "01", "--solution", "--json", "out.json")
    text = " ".join(said.stdout.split())
    assert f"Account {account.account}, Region us-east-1" in text
    assert "Lab 01 works there with dynamodb. Rough cost: Nothing." in text
    assert "is deleted; what is left: kata sandbox sweep --profile sandbox" in text
    assert "on the account, isolation: full" in text and "The account proved it." in text
    report = json.loads((mini.folder / "out.json").read_text())
    assert report["target"] == "account" and {check["status"] for check in report["checks"]} == {"passed"}
    assert account.client("dynamodb").list_tables()["TableNames"] == []


def test_what_is_kept_is_named(mini, account):
    allow(mini, account)
    said = on_account(mini, "00", "--solution", "--keep").stdout
    (table,) = account.client("dynamodb").list_tables()["TableNames"]
    assert "It stays there (--keep)" in said
    assert f"It is still deployed in account {account.account}, names that begin with {table[:11]}" in said


def test_an_account_must_be_allowed_before(mini, account):
    said = on_account(mini, "00", "--solution", expect=4)
    assert "was not allowed yet" in said.stderr and "kata sandbox allow --profile sandbox" in said.stderr


def test_a_permission_that_others_may_write_is_none(mini, account):
    allow(mini, account)
    permission(account).chmod(0o666)
    assert "is not a file of yours alone" in on_account(mini, "00", "--solution", expect=3).stderr


def test_code_that_calls_what_the_lab_does_not_is_no_failure(mini, account, solve):
    solve("00-table")
    deploy = mini.folder / "workspace" / "00-table" / "deploy.py"
    deploy.write_text(deploy.read_text() + '    lab.client("sqs").list_queues()\n')
    allow(mini, account)
    said = on_account(mini, "00", expect=3).stdout
    assert "lab 00 does not use sqs" in " ".join(said.split())
    assert account.client("dynamodb").list_tables()["TableNames"] == []


def test_a_wrong_belief_fails_on_an_account_too(mini, account):
    allow(mini, account)
    said = " ".join(on_account(mini, "00", "--variant", "any-key", expect=1).stdout.split())
    assert "NOT YET" in said and "The embedded engine tells whether it is your code or the account." in said


def sso(played) -> None:
    with (played.folder / "config").open("a") as file:
        file.write(
            "[profile sso]\nregion = us-east-1\nsso_session = school\nsso_account_id = 123456789012\n"
            "sso_role_name = Student\n[sso-session school]\nsso_region = us-east-1\n"
            "sso_start_url = https://example.awsapps.com/start\nsso_registration_scopes = sso:account:access\n"
        )


PROFILES = {
    "nobody": (lambda played: None, 4, "there is no profile 'nobody' in your AWS configuration; there are: "),
    "root": (lambda played: played.profile("root", played.root), 4, "which nothing here is run as"),
    "far": (lambda played: played.profile("far", region="eu-west-1"), 4, "but the labs are deployed in us-east-1"),
    "sso": (sso, 4, "has expired: aws sso login --profile sso"),
    "gone": (lambda played: played.profile("gone", endpoint_url="http://127.0.0.1:1"), 3, "AWS cannot be reached"),
}


@pytest.mark.parametrize(("command", "name"), [*(("check", name) for name in PROFILES), ("allow", "root")])
def test_a_profile_that_will_not_do_is_a_sentence(mini, account, name, command):
    prepare, status, said = PROFILES[name]
    prepare(account)
    words = ["sandbox", "allow"] if command == "allow" else ["check", "00", "--solution", "--target", "account"]
    done = mini.kata(*words, "--profile", name, expect=status)
    assert said in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "account"], "--target account needs --profile NAME"),
        (["--profile", "sandbox"], "--profile goes with --target account only"),
        (
            ["--target", "endpoint", "--profile", "sandbox", "--endpoint-url", "http://127.0.0.1:1"],
            "--profile goes with",
        ),
        (["--target", "account", "--profile", "sandbox", "--endpoint-url", "http://127.0.0.1:1"], "not with account"),
        (["--target", "account", "--profile", "sandbox", "--outputs", "o.json"], "o.json cannot be read"),
    ],
)
def test_options_that_do_not_fit_are_a_sentence(mini, account, words, said):
    assert said in " ".join(mini.kata("check", "00", *words, expect=4).stderr.split())


@pytest.mark.parametrize("command", [["doctor"], ["matrix", "00"]])
def test_other_commands_do_not_take_an_account(mini, command):
    said = mini.kata(*command, "--target", "account", expect=4).stderr
    assert "this command does not work on a real account" in said
