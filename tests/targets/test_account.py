"""The account target, on an engine that plays the account: faults, delays, and what learner code can find out."""

import functools
import json
import socket
from pathlib import Path

import pytest
from faulty_account import BROKEN, DENIED, EXPIRED, IN_USE, ROLE_UNKNOWN, THROTTLED, TOO_MANY, faulty
from played_account import EVERYTHING

from cloudkata.course import CourseError, find_course, load_lab
from cloudkata.deployment.learner import Caller, deploy
from cloudkata.engine.remote import EngineError
from cloudkata.grading.attempt import attempt
from cloudkata.sandbox import isolation as isolations
from cloudkata.sandbox.isolation import isolation
from cloudkata.targets import account as accounts
from cloudkata.targets import lab_roles, sandbox
from cloudkata.targets.account import AccountSession, AccountTarget
from cloudkata.targets.embedded import EmbeddedTarget, JoinedTarget
from cloudkata.targets.lab_roles import lab_policy
from cloudkata.targets.owned import Owned
from cloudkata.targets.permission import permissions_file, remember
from cloudkata.targets.profile import open_profile
from cloudkata.targets.signing import Trouble
from cloudkata.targets.sweep import AT_ONCE, Pace, Sweep

MINI = find_course(Path(__file__).parents[1] / "mini_course")
TABLE, SCRIPT, FUNCTION = MINI.labs
pytestmark = pytest.mark.skipif(not isolation().full, reason="without namespaces nothing runs on an account")


@pytest.fixture(scope="module")
def engine():
    with EmbeddedTarget() as target:
        yield target.engine


@pytest.fixture
def moody(engine, tmp_path, monkeypatch):
    """(the account, its faults, a function that makes a target for a lab)."""
    monkeypatch.setattr(accounts, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr(accounts, "VISIBLE_SECONDS", 5.0)
    monkeypatch.setattr(accounts, "PATIENCE", dict.fromkeys(accounts.PATIENCE, 10.0))
    monkeypatch.setattr(lab_roles, "_PAUSE_SECONDS", 0.05)
    environment = AccountSession.environment  # botocore tries again for half a minute where it is let
    monkeypatch.setattr(AccountSession, "environment", lambda self: environment(self) | {"AWS_MAX_ATTEMPTS": "2"})
    with faulty(engine, tmp_path) as (played, faults):
        for name, value in played.env.items():
            monkeypatch.setenv(name, value)

        def target(slug: str, keep: bool = False, profile: str = "moody") -> AccountTarget:
            policy, opened = lab_policy(MINI, slug), open_profile(profile)
            lab_roles.make(opened, [policy])
            remember(opened)
            return AccountTarget(opened, policy, keep=keep)

        yield played, faults, target


def graded(target: AccountTarget, slug: str, folder: Path | None = None):
    return attempt(MINI, load_lab(MINI, slug), folder or MINI.solution(slug), target)


def left_in(played) -> list[str]:
    """What bears an attempt's name in the account."""
    session = JoinedTarget(played.engine).session_in(played.account, played.root, "kata")
    client = functools.cache(lambda service, region="": session.client(service, session.checks))
    looked = Sweep(client, Owned(any_attempt=True), pace=AT_ONCE, lenient=True).look()
    return [f"{thing.kind} {thing.name}" for thing in looked]


def code(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "code"
    folder.mkdir(mode=0o755)
    (folder / "deploy.py").write_text(text)
    return folder


def test_a_lab_is_proved_and_taken_down(moody):
    played, _, target = moody
    on = target(FUNCTION)
    done = graded(on, FUNCTION)
    assert (done.status, done.problem, done.target) == ("passed", "", "account")
    assert {verdict.status for verdict in done.verdicts} == {"passed"}
    assert (on.left, left_in(played)) == ([], [])
    roles = {role["RoleName"] for role in played.client("iam").list_roles()["Roles"]}
    assert "cloudkata-lab-02" in roles


def test_the_calls_that_changed_something_are_told(moody):
    _, _, target = moody
    calls = graded(target(FUNCTION), FUNCTION).deployment.calls
    assert [call.operation for call in calls] == ["CreateRole", "PutRolePolicy", "CreateFunction"]


def test_what_is_kept_stays_and_is_named(moody):
    played, _, target = moody
    on = target(TABLE, keep=True)
    assert graded(on, TABLE).status == "passed"
    ((account, prefix),) = on.kept
    assert (account, left_in(played)) == (played.account, [f"table {prefix}-things"])


def test_a_role_that_is_not_known_everywhere_yet_is_waited_for(moody):
    _, faults, target = moody
    faults.add("CreateFunction", ROLE_UNKNOWN, times=2)
    done = graded(target(FUNCTION), FUNCTION)
    assert (done.status, done.problem) == ("passed", "")
    assert faults.met == ["CreateFunction"] * 2


def test_a_role_that_is_never_known_ends(moody, monkeypatch):
    _, faults, target = moody
    monkeypatch.setattr(accounts, "VISIBLE_SECONDS", 1.0)
    faults.add("CreateFunction", ROLE_UNKNOWN)
    done = graded(target(FUNCTION), FUNCTION)
    assert done.status == "not deployed" and "cannot be assumed" in done.problem


WHY = [
    (THROTTLED, "too many requests"),
    (TOO_MANY, "too many requests"),
    (EXPIRED, "the session of an hour that code has on the account is over"),
    (IN_USE, "Table is being changed; try again in a minute"),
    (BROKEN, "not the code's doing"),
    (DENIED, "x:Y is none of them"),
]


@pytest.mark.parametrize(("error", "said"), WHY)
def test_each_error_of_the_accounts_is_a_sentence(error, said):
    assert said in accounts._why(Trouble("dynamodb", *error), "00")


def test_an_error_of_the_codes_making_is_none():
    assert accounts._why(Trouble("dynamodb", "ValidationException", "1 validation error"), "00") == ""


@pytest.mark.parametrize(("error", "said"), [WHY[0], WHY[-1]])
def test_what_is_not_the_codes_fault_is_an_error_and_nothing_stays(moody, error, said):
    played, faults, target = moody
    played_role = target(TABLE)
    faults.add("CreateTable", error)
    done = graded(played_role, TABLE)
    assert (done.status, done.verdicts) == ("error", ())
    assert said in done.problem and done.problem.count(error[0]) <= 1
    assert left_in(played) == []


def test_a_mistake_of_the_codes_stays_its_own(moody, tmp_path):
    _, _, target = moody
    wrong = code(tmp_path, "def deploy(lab):\n    lab.client('dynamodb').create_table(TableName=lab.name('x'))\n")
    done = graded(target(TABLE), TABLE, wrong)
    assert done.status == "not deployed" and "keySchema" in done.problem


def test_an_error_that_code_makes_up_excuses_nothing(moody, tmp_path):
    _, _, target = moody
    lying = code(tmp_path, "def deploy(lab):\n    raise RuntimeError('ThrottlingException AccessDeniedException')\n")
    assert graded(target(TABLE), TABLE, lying).status == "not deployed"


def test_a_call_that_the_lab_has_no_use_for_is_refused_and_named(moody, tmp_path):
    _, _, target = moody
    more = code(tmp_path, "def deploy(lab):\n    lab.client('sqs').create_queue(QueueName=lab.name('q'))\n")
    done = graded(target(TABLE), TABLE, more)
    assert done.status == "error" and "lab 00 does not use sqs" in done.problem


def test_a_fault_in_a_script_is_an_error_of_the_check_not_a_failure(moody):
    played, faults, target = moody
    on = target(SCRIPT)
    faults.add("UpdateItem", TOO_MANY)
    done = graded(on, SCRIPT)
    statuses = {verdict.id: (verdict.status, verdict.actual) for verdict in done.verdicts}
    status, actual = statuses["01.adds-up"]
    assert status == "error" and "too many requests" in actual
    assert done.status == "error" and left_in(played) == []


def test_keys_that_expire_in_the_middle_are_the_fault(moody):
    _, faults, target = moody
    with target(TABLE) as on:
        session = on.session("00")
        assert session.fault() == ""
        faults.add("GetCallerIdentity", ("ExpiredToken", "expired"))
        assert session.fault().startswith("the keys of the profile moody have expired")


def test_the_hour_of_a_session_ends(moody, monkeypatch):
    _, _, target = moody
    monkeypatch.setattr(accounts, "SESSION_SECONDS", -1)
    with target(TABLE) as on:
        assert "the session of an hour" in on.session("00").fault()


def test_what_cannot_be_taken_down_is_named(moody, monkeypatch):
    played, faults, target = moody
    monkeypatch.setattr(sandbox, "AT_ONCE", Pace(patience=1.0, pause=0.1, longest=0.2, lag=0.0))
    on = target(TABLE)
    faults.add("DeleteTable", DENIED)
    assert graded(on, TABLE).status == "passed"
    (table,) = left_in(played)
    assert [line for line in on.left if line.startswith(table)]


def test_only_what_nobody_can_show_on_aws_is_missing(moody):
    _, _, target = moody
    assert set(target(TABLE).lacks(["clock.advance", "requests.log", "lambda.layers"])) == {
        "clock.advance",
        "requests.log",
    }


def test_without_isolation_nothing_runs(moody, monkeypatch):
    _, _, target = moody
    monkeypatch.setattr(accounts, "isolation", lambda: isolations.Isolation("none", "for a test"))
    with pytest.raises(CourseError, match="so it could read your own keys"), target(TABLE):
        pass


def test_an_account_that_was_not_allowed_is_refused(moody):
    _, _, target = moody
    on = target(TABLE)
    permissions_file().unlink()
    with pytest.raises(CourseError, match=r"was not allowed yet.*kata sandbox allow --profile moody"), on:
        pass


def test_a_role_that_is_not_what_the_lab_needs_is_said(moody):
    played, _, target = moody
    on = target(TABLE)
    played.client("iam").put_role_policy(
        RoleName="cloudkata-lab-00", PolicyName="lab", PolicyDocument=json.dumps(EVERYTHING)
    )
    with pytest.raises(CourseError, match="is not what the lab needs now; run: kata sandbox allow"), on:
        pass


def test_what_was_made_before_is_renewed(moody):
    played, _, target = moody
    target(TABLE)
    played.client("iam").put_role_policy(
        RoleName="cloudkata-lab-00", PolicyName="lab", PolicyDocument=json.dumps(EVERYTHING)
    )
    said: list[str] = []
    opened = open_profile("moody")
    lab_roles.make(opened, [lab_policy(MINI, TABLE)], said.append)
    assert said == ["policy cloudkata-boundary: as it should be", "role cloudkata-lab-00: renewed"]
    lab_roles.must_be_current(opened, lab_policy(MINI, TABLE))


@pytest.mark.parametrize(
    ("denied", "said"),
    [
        ("iam:CreateRole", "it needs iam:CreatePolicy, .*iam:CreateRole"),
        ("sts:AssumeRole", "it needs sts:AssumeRole and sts:TagSession on the role cloudkata-lab-00"),
    ],
)
def test_a_profile_that_may_not_is_told_what_it_needs(moody, monkeypatch, denied, said):
    played, faults, target = moody
    monkeypatch.setattr(lab_roles, "_KNOWN_SECONDS", 0.2)
    if denied == "sts:AssumeRole":  # the engine lets whoever the role trusts
        faults.add("AssumeRole", ("AccessDenied", "not authorized to perform: sts:AssumeRole"), status=403)
        played.profile("poor", endpoint_url=open_profile("moody").endpoint)
    else:
        allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        policy = {
            "Version": "2012-10-17",
            "Statement": [allowed, {"Effect": "Deny", "Action": denied, "Resource": "*"}],
        }
        played.profile("poor", played.user("poor", policy))
    with pytest.raises(CourseError, match=said):
        target(TABLE, profile="poor")


def test_a_role_that_cannot_be_assumed_yet_is_waited_for(moody):
    _, faults, target = moody
    faults.add("AssumeRole", ("AccessDenied", "not authorized"), times=3, status=403)
    target(TABLE)
    assert faults.met == ["AssumeRole"] * 3


LOOK = """
import json
import os
import pathlib
import socket


def deploy(lab):
    lab.outputs["Environment"] = json.dumps(dict(os.environ))
    files = {}
    for top in ("/proc/self", "/proc/1", "/tmp", "/root", "/home", "/etc", "/var/task", HOME):
        for folder, _, names in os.walk(top):
            for name in names[:200]:
                try:
                    files[os.path.join(folder, name)] = pathlib.Path(folder, name).read_bytes()[:20000].decode("latin-1")
                except OSError:
                    pass
    lab.outputs["Files"] = json.dumps(files)
    reached = []
    for place in (("127.0.0.1", PORT), ("169.254.169.254", 80), ("1.1.1.1", 443)):
        try:
            socket.create_connection(place, 2).close()
            reached.append(place)
        except OSError:
            pass
    lab.outputs["Reached"] = json.dumps(reached)
    lab.outputs["Who"] = lab.client("sts").get_caller_identity()["Arn"] if ASK else ""
"""


def test_learner_code_sees_no_key_no_file_and_no_variable_of_the_users(moody, monkeypatch, tmp_path):
    played, _, target = moody
    monkeypatch.setenv("AWS_PROFILE", "moody")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEUSERSOWN123")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-users-own-secret-in-a-variable")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/the/users/own/bundle.pem")
    monkeypatch.delenv("AWS_CA_BUNDLE")
    text = (
        LOOK.replace("HOME", repr(str(played.folder))).replace("PORT", str(played.engine.port)).replace("ASK", "False")
    )
    with target(TABLE) as on:
        session = on.session("00")
        deployed = deploy(code(tmp_path, text), session)
    assert deployed.error == ""
    seen = json.dumps(deployed.outputs)
    secrets = {
        "the profile's": played.keys.secret_access_key,
        "the profile's id": played.keys.access_key_id,
        "the session's": session.learner.secret_access_key,
        "the session's token": session.learner.session_token,
        "a variable's": "the-users-own-secret-in-a-variable",
        "a variable's id": "AKIAOFTHEUSERSOWN123",
        "the folder": str(played.folder),
        "root's": played.root.secret_access_key,
    }
    in_its_own_code = {"the folder"}  # this test told it where to look
    assert [what for what, secret in secrets.items() if secret in seen and what not in in_its_own_code] == []
    environment = json.loads(deployed.outputs["Environment"])
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert "AWS_PROFILE" not in environment and environment["AWS_SESSION_TOKEN"] == "made-up"
    assert json.loads(deployed.outputs["Files"]), "it read nothing, so it proved nothing"
    assert not [name for name in json.loads(deployed.outputs["Files"]) if name.startswith(str(played.folder))]
    assert json.loads(deployed.outputs["Reached"]) == []


def test_scripts_have_the_same_way_out_and_no_other(moody, tmp_path):
    _, _, target = moody
    folder = code(tmp_path, "def deploy(lab):\n    pass\n")
    (folder / "ask.py").write_text(
        "def who(lab):\n    return lab.client('dynamodb').list_tables()\n\n\n"
        "def far(lab):\n    import boto3\n\n    return boto3.client('dynamodb', region_name='eu-west-1').list_tables()\n"
    )
    with target(TABLE) as on:
        caller = Caller(folder, on.session("00"), {"who": "ask.py", "far": "ask.py"})
        try:
            with pytest.raises(EngineError, match="dynamodb:ListTables is none of them"):
                caller.call("who")
            with pytest.raises(EngineError, match="lab 00 works in us-east-1"):
                caller.call("far")
        finally:
            caller.close()


def test_the_sandbox_is_let_to_a_listener_only(moody):
    """The engine's own port is not the relay's: what the code may reach is what was handed out."""
    _, _, target = moody
    with target(TABLE) as on:
        session = on.session("00")
        assert f":{session.port}" in session.environment()["AWS_ENDPOINT_URL"]
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", session.port), 1)
