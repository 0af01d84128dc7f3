"""A lab's solution works under the lab's policy, and code has no way around it. All labs, all actions: tests/proof."""

import json
from pathlib import Path

import pytest
from played_account import actions, in_account, session_under, without

from cloudkata.course import find_course, load_lab
from cloudkata.deployment.learner import deploy
from cloudkata.grading.attempt import Run, attempt_at
from cloudkata.grading.place import Place
from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.lab_roles import boundary_document, lab_policies, lab_policy

COURSE = find_course(Path(__file__))
FAST = "00-first-proof"
POLICIES = {policy.number: policy for policy in lab_policies(COURSE)}
ROLE_CHARACTERS, POLICY_CHARACTERS = (
    10_240,
    6_144,
)  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as made:
        yield made


@pytest.fixture
def played(target, tmp_path, monkeypatch):
    made = in_account(target.engine, tmp_path)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    return made


def test_the_solution_passes_under_its_policy(target, played):
    session = session_under(target, played, lab_policy(COURSE, FAST))
    done = attempt_at(
        COURSE, load_lab(COURSE, FAST), Place(load_lab(COURSE, FAST), COURSE.solution(FAST), session), target, Run()
    )
    assert (done.status, done.problem) == ("passed", "")
    assert {verdict.status for verdict in done.verdicts} == {"passed"}


def test_without_one_action_it_fails_and_the_call_is_named(target, played):
    action = "iam:PassRole"
    assert action in actions(lab_policy(COURSE, FAST))
    session = session_under(target, played, without(lab_policy(COURSE, FAST), action))
    assert f"is not authorized to perform: {action}" in deploy(COURSE.solution(FAST), session).error


def test_code_of_another_attempt_is_out_of_reach(target, played, tmp_path):
    policy = lab_policy(COURSE, FAST)
    mine, other = session_under(target, played, policy), session_under(target, played, policy)
    assert deploy(COURSE.solution(FAST), other).error == ""
    code = tmp_path / "code"
    code.mkdir(mode=0o755)
    (code / "deploy.py").write_text(
        f"def deploy(lab):\n    lab.client('lambda').get_function(FunctionName='{other.prefix}-hello')\n"
    )
    assert "not authorized to perform: lambda:GetFunction" in deploy(code, mine).error


ESCALATIONS = {
    "a role without the boundary": (
        "iam:CreateRole",
        "import boto3\n    boto3.client('iam').create_role(RoleName=lab.name('r'), AssumeRolePolicyDocument=TRUST)",
    ),
    "the lab's own role": (
        "iam:PutRolePolicy",
        "lab.client('iam').put_role_policy(RoleName='cloudkata-lab-00', PolicyName='lab', PolicyDocument=ALL)",
    ),
    "the boundary": (
        "iam:CreatePolicyVersion",
        "lab.client('iam').create_policy_version(PolicyArn=f'arn:aws:iam::{lab.account}:policy/cloudkata-boundary', "
        "PolicyDocument=ALL, SetAsDefault=True)",
    ),
    "a user": ("iam:CreateUser", "lab.client('iam').create_user(UserName=lab.name('u'))"),
    "a role of somebody else's": (
        "iam:PassRole",
        "lab.client('lambda').create_function(FunctionName=lab.name('f'), Runtime='python3.13', Handler='a.b', "
        "Role=f'arn:aws:iam::{lab.account}:role/cloudkata-lab-00', Code={'ZipFile': lab.package('.')})",
    ),
}


@pytest.mark.parametrize("what", ESCALATIONS)
def test_code_cannot_give_itself_more(target, played, tmp_path, what):
    action, code = ESCALATIONS[what]
    folder = tmp_path / "code"
    folder.mkdir(mode=0o755)
    all_of_it = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    text = f"import json\nALL = json.dumps({all_of_it!r})\nTRUST = ALL\n\n\ndef deploy(lab):\n    {code}\n"
    (folder / "deploy.py").write_text(text)
    error = deploy(folder, session_under(target, played, lab_policy(COURSE, FAST))).error
    assert f"not authorized to perform: {action}" in error


def test_what_a_function_may_do_is_bounded_whatever_its_role_allows(target, played, tmp_path):
    played.client("sqs").create_queue(QueueName="somebody-elses")
    folder = tmp_path / "code"
    (folder / "app").mkdir(mode=0o755, parents=True)
    folder.chmod(0o755)
    (folder / "app" / "handler.py").write_text(
        "import boto3\n\n\ndef handler(event, context):\n"
        "    try:\n        boto3.client('sqs').get_queue_url(QueueName='somebody-elses')\n"
        "    except Exception as error:\n        return str(error)\n"
    )
    solution = (COURSE.solution(FAST) / "deploy.py").read_text()
    role, admin = 'lab.role("hello")', 'lab.role("hello", [{"Action": "*", "Resource": "*"}])'
    assert role in solution
    (folder / "deploy.py").write_text(solution.replace(role, admin))
    session = session_under(target, played, lab_policy(COURSE, FAST))
    deployed = deploy(folder, session)
    assert deployed.error == ""
    reply = session.client("lambda", session.checks).invoke(FunctionName=deployed.outputs["FunctionName"])
    assert "not authorized to perform: sqs:GetQueueUrl" in reply["Payload"].read().decode()


@pytest.mark.parametrize("slug", COURSE.labs)
def test_every_lab_has_a_policy_that_iam_takes(slug):
    policy = lab_policy(COURSE, slug)
    assert len("".join(policy.document.split())) <= ROLE_CHARACTERS
    for statement in json.loads(policy.document)["Statement"]:
        for arn in statement[
            "Resource"
        ]:  # variables: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
            assert "${" not in "".join(arn.split(":", 5)[:5])
        everything = statement["Resource"] == ["*"]
        assert not everything or "aws:RequestedRegion" in json.dumps(statement.get("Condition", {}))
        assert not [one for one in statement["Action"] if one.endswith(":*") or one == "*"]


def test_the_boundary_is_one_that_iam_takes():
    document = boundary_document("123456789012")
    assert len(json.dumps(document, separators=(",", ":"))) <= POLICY_CHARACTERS
    assert "${" not in json.dumps(document)
