"""What a real account needs before labs are deployed in it: a role for each lab, and a boundary for every role.

Code for a lab works in a session of the lab's role, whose policy (checks/NN/policy.json, see tools/policies.py) allows
the calls that its solution makes, on resources that bear the attempt's prefix; the prefix is the session's tag `kata`.
Roles that this code makes must have the same permissions boundary as the lab's role itself, so that nothing that runs
with them can do more (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from botocore.exceptions import ClientError

from cloudkata.course.find import CourseError
from cloudkata.course.model import Course
from cloudkata.targets.permission import COMMAND
from cloudkata.targets.profile import DENIED, Profile, explained
from cloudkata.targets.session import Keys

BOUNDARY = "cloudkata-boundary"
TAG = "kata"  # of a session: the prefix of its attempt
POLICY = "lab"
SESSION_SECONDS = 3600
_VERSIONS = 5  # that IAM keeps of a policy
_KNOWN_SECONDS = 60.0  # until a new role can be assumed
_ONCE_SECONDS = 10.0
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class LabPolicy:
    """A lab's policy: the lab's number, and the document as text, in which `<account>` stands for the account's number.

    A variable cannot stand there: in an ARN those are filled in after the fifth colon only
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
    """

    number: str
    document: str

    def document_for(self, account: str) -> dict:
        return _in_account(self.document, account)

    @property
    def role(self) -> str:
        return f"cloudkata-lab-{self.number}"

    @property
    def services(self) -> list[str]:
        """The services that it allows calls of, by their names in policies."""
        statements = json.loads(self.document)["Statement"]
        return sorted({action.partition(":")[0] for one in statements for action in one["Action"]})


def lab_policies(course: Course) -> list[LabPolicy]:
    """The policies of all labs that have one."""
    return [lab_policy(course, slug) for slug in course.labs if _file(course, slug).is_file()]


def _file(course: Course, slug: str) -> Path:
    return course.checks(slug) / "policy.json"


def lab_policy(course: Course, slug: str) -> LabPolicy:
    """The policy of a lab. Raises CourseError where it has none."""
    file = _file(course, slug)
    try:
        document = file.read_text(encoding="utf-8")
        json.loads(document)
    except (OSError, ValueError):
        raise CourseError(f"{slug} has no policy for a real account yet: {file} is not there, or is not JSON") from None
    return LabPolicy(slug.split("-", 1)[0], document)


def boundary_document(account: str) -> dict:
    text = resources.files("cloudkata.targets").joinpath("boundary.json").read_text(encoding="utf-8")
    return _in_account(text, account)


def _in_account(document: str, account: str) -> dict:
    return json.loads(document.replace("<account>", account))


def boundary_arn(account: str) -> str:
    return f"arn:aws:iam::{account}:policy/{BOUNDARY}"


def trust_document(account: str, number: str) -> str:
    """Whoever the account itself lets, for an attempt at this lab only."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {"StringLike": {f"aws:RequestTag/{TAG}": f"kata{number}-*"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make(profile: Profile, policies: list[LabPolicy], said: Callable[[str], None] = lambda text: None) -> None:
    """Make or renew the boundary and the roles; says each as it is there. Raises EngineError or CourseError."""
    needs = "iam:CreatePolicy, iam:CreatePolicyVersion, iam:CreateRole, iam:PutRolePolicy and their like"
    iam = profile.client("iam")
    with explained(profile.name, needs):
        said(f"policy {BOUNDARY}: {_boundary(iam, profile.account)}")
        for policy in policies:
            said(f"role {policy.role}: {_role(iam, profile.account, policy)}")
    for policy in policies:
        assume(profile, policy, f"kata{policy.number}-allow", within=_KNOWN_SECONDS)


def _boundary(iam, account: str) -> str:
    arn, document = boundary_arn(account), boundary_document(account)
    try:
        current = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    except iam.exceptions.NoSuchEntityException:
        iam.create_policy(PolicyName=BOUNDARY, PolicyDocument=json.dumps(document))
        return "made"
    if _as_dict(iam.get_policy_version(PolicyArn=arn, VersionId=current)["PolicyVersion"]["Document"]) == document:
        return "as it should be"
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    if len(versions) >= _VERSIONS:
        oldest = min((one for one in versions if not one["IsDefaultVersion"]), key=lambda one: one["CreateDate"])
        iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
    return "renewed"


def _role(iam, account: str, policy: LabPolicy) -> str:
    trust, arn = trust_document(account, policy.number), boundary_arn(account)
    try:
        iam.create_role(
            RoleName=policy.role,
            AssumeRolePolicyDocument=trust,
            PermissionsBoundary=arn,
            MaxSessionDuration=SESSION_SECONDS,
            Description="What code for a lab of cloudkata may do here",
            Tags=[{"Key": "cloudkata", "Value": "role"}],
        )
        what = "made"
    except iam.exceptions.EntityAlreadyExistsException:
        iam.update_assume_role_policy(RoleName=policy.role, PolicyDocument=trust)
        iam.put_role_permissions_boundary(RoleName=policy.role, PermissionsBoundary=arn)
        what = "renewed"
    document = json.dumps(policy.document_for(account))
    iam.put_role_policy(RoleName=policy.role, PolicyName=POLICY, PolicyDocument=document)
    return what


def must_be_current(profile: Profile, policy: LabPolicy) -> None:
    """Raises CourseError where the account's role for a lab is not there, or not what this version of it needs."""
    iam = profile.client("iam")
    again = f"run: {COMMAND} --profile {profile.name}"
    with explained(profile.name, "iam:GetRole and iam:GetRolePolicy"):
        try:
            role = iam.get_role(RoleName=policy.role)["Role"]
            there = iam.get_role_policy(RoleName=policy.role, PolicyName=POLICY)["PolicyDocument"]
        except iam.exceptions.NoSuchEntityException:
            raise CourseError(f"account {profile.place} has no role {policy.role} for the lab yet; {again}") from None
    bound = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    if _as_dict(there) != policy.document_for(profile.account) or bound != boundary_arn(profile.account):
        raise CourseError(f"the role {policy.role} in account {profile.place} is not what the lab needs now; {again}")


def assume(profile: Profile, policy: LabPolicy, prefix: str, within: float = _ONCE_SECONDS) -> Keys:
    """Keys of a session of the lab's role for an attempt. Raises CourseError or EngineError.

    A refusal is asked again for `within` seconds, since a new role is not known everywhere at once.
    """
    sts = profile.client("sts")
    deadline = time.monotonic() + within
    with explained(profile.name, f"sts:AssumeRole and sts:TagSession on the role {policy.role}"):
        while True:
            try:
                made = sts.assume_role(
                    RoleArn=f"arn:aws:iam::{profile.account}:role/{policy.role}",
                    RoleSessionName=prefix,
                    DurationSeconds=SESSION_SECONDS,
                    Tags=[{"Key": TAG, "Value": prefix}],
                )["Credentials"]
                return Keys(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
            except ClientError as error:
                late = time.monotonic() + _PAUSE_SECONDS > deadline
                if late or error.response["Error"]["Code"] not in DENIED:
                    raise
            time.sleep(_PAUSE_SECONDS)


def _as_dict(document) -> dict:
    return json.loads(document) if isinstance(document, str) else document
