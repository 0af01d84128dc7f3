"""Deploys one stack of a cloud assembly by CloudFormation, with the keys and the endpoint of a session, and ends it.

The archives go to a bucket that belongs to the deployment, the template goes with the call.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from cloudkata.cdk.names import bucket_name, stack_name
from cloudkata.engine.remote import EngineError
from cloudkata.targets.account import NAME as ACCOUNT
from cloudkata.targets.lab_roles import TAG
from cloudkata.targets.owned import Owned
from cloudkata.targets.session import Session
from cloudkata.targets.sweep import AT_ONCE, GONE, Pace, Sweep

TEMPLATE_BYTES = 51_200  # what CloudFormation takes in the call
_SECONDS = 1800.0  # a distribution takes minutes on AWS
_POLL_SECONDS = 2.0
_DEAD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")  # can only be deleted

Progress = Callable[[str], None]


class StackError(EngineError):
    """CloudFormation did not make, or not delete, the stack; the message says why."""


@contextlib.contextmanager
def _in_a_sentence():
    """What a service refuses, or why nobody answers, as StackError."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"the target does not do what is asked of it: {error}") from error


@_in_a_sentence()
def deploy(session: Session, assembly: Path, progress: Progress = lambda text: None) -> dict[str, str]:
    """Make the session's stack as `assembly` has it, or bring it up to date. Its outputs. Raises StackError."""
    name = stack_name(session.prefix)
    template = json.dumps(json.loads((assembly / f"{name}.template.json").read_text(encoding="utf-8")))
    progress("Uploading the archives")
    _upload(session, assembly, json.loads((assembly / f"{name}.assets.json").read_text(encoding="utf-8")))
    stacks = session.client("cloudformation", session.learner)
    there = _find(session, name)
    if there and there["StackStatus"] in _DEAD:
        _delete(session, there, progress)
        there = None
    request = {"StackName": name, "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    request["Tags"] = [{"Key": TAG, "Value": session.prefix}]  # all its resources get it, and a sweep knows them by it
    before = {event["EventId"] for event in _events(session, there["StackId"])} if there else set()
    try:
        stack = (stacks.update_stack if there else stacks.create_stack)(**request)["StackId"]
    except ClientError as error:
        if there and "No updates are to be performed" in str(error):
            return _outputs(there)
        raise
    total = len(json.loads(template).get("Resources", {}))
    ended = _wait(session, stack, before, lambda done: progress(f"Deploying: {done} of {total} resources"))
    if ended["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise StackError(f"CloudFormation did not deploy {name}: {_why(session, stack, before)}")
    _look_at_calls(session, stack, json.loads(template))
    return _outputs(ended)


@_in_a_sentence()
def destroy(session: Session, progress: Progress = lambda text: None) -> tuple[bool, list[str]]:
    """Delete the session's stack, its archives and what its resources left.

    (whether there was a stack, a sentence for each thing that is still there). Raises StackError.
    """
    there = _find(session, stack_name(session.prefix))
    if there:
        _delete(session, there, progress)
    progress("Deleting the archives")
    bucket = bucket_name(session.prefix)
    if _empty(session, bucket):
        session.client("s3", session.learner).delete_bucket(Bucket=bucket)
    progress("Looking for what is left")
    real = session.target == ACCOUNT and not session.endpoint
    sweeping = Sweep(
        lambda service, _: session.client(service, session.checks),
        Owned([session.prefix]),
        pace=Pace() if real else AT_ONCE,
        lenient=not real,
        say=progress,
    )
    return bool(there), [f"{item.kind} {item.name}: {item.reason}" for item in sweeping.run() if item.state != GONE]


def _upload(session: Session, assembly: Path, manifest: dict) -> None:
    s3, bucket = session.client("s3", session.learner), bucket_name(session.prefix)
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        s3.create_bucket(Bucket=bucket)
    for asset in manifest["files"].values():
        source = assembly / asset["source"]["path"]
        for place in asset["destinations"].values():
            if source.suffix == ".zip":
                s3.put_object(Bucket=place["bucketName"], Key=place["objectKey"], Body=source.read_bytes())


def _find(session: Session, stack: str) -> dict | None:
    """A stack by its name or its id."""
    try:
        found = session.client("cloudformation", session.learner).describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return found[0] if found else None


def _delete(session: Session, there: dict, progress: Progress) -> None:
    stack = there["StackId"]
    before = {event["EventId"] for event in _events(session, stack)}
    progress("Emptying the buckets")
    for bucket in _buckets(session, stack):
        _empty(session, bucket)
    session.client("cloudformation", session.learner).delete_stack(StackName=stack)
    ended = _wait(session, stack, before, lambda done: progress(f"Deleting: {done} resources are gone"))
    if ended["StackStatus"] != "DELETE_COMPLETE":
        raise StackError(f"CloudFormation did not delete {there['StackName']}: {_why(session, stack, before)}")


def _buckets(session: Session, stack: str) -> Iterator[str]:
    pages = session.client("cloudformation", session.learner).get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=stack):
        for one in page["StackResourceSummaries"]:
            if one["ResourceType"] == "AWS::S3::Bucket" and one.get("PhysicalResourceId"):
                yield one["PhysicalResourceId"]


def _empty(session: Session, bucket: str) -> bool:
    """Whether there is the bucket; it must be empty to be deleted, and CloudFormation does not empty it."""
    s3 = session.client("s3", session.learner)
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for one in page.get("Contents", ()):
                s3.delete_object(Bucket=bucket, Key=one["Key"])
    except s3.exceptions.NoSuchBucket:
        return False
    return True


def _wait(session: Session, stack: str, before: set[str], seen: Callable[[int], None]) -> dict:
    """The stack once nothing happens to it any more; `seen` gets how many resources are done. Raises StackError."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        found = _find(session, stack)
        if found is None:
            return {"StackStatus": "DELETE_COMPLETE"}
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        done = {
            event["LogicalResourceId"]
            for event in _events(session, stack)
            if event["EventId"] not in before and event["ResourceStatus"].endswith("_COMPLETE")
        }
        seen(len(done))
        time.sleep(session.waiter_poll or _POLL_SECONDS)
    raise StackError(f"CloudFormation is still at work after {_SECONDS / 60:g} minutes")


def _events(session: Session, stack: str) -> Iterator[dict]:
    pages = session.client("cloudformation", session.learner).get_paginator("describe_stack_events")
    for page in pages.paginate(StackName=stack):
        yield from page["StackEvents"]


def _why(session: Session, stack: str, before: set[str]) -> str:
    """What failed first; what failed later failed because of it."""
    failed = [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
        for event in _events(session, stack)
        if event["EventId"] not in before and event["ResourceStatus"].endswith("_FAILED")
    ]
    return failed[-1] if failed else "it gives no reason"


def _look_at_calls(session: Session, stack: str, template: dict) -> None:
    """Raises StackError where what a custom resource's function does was left out; its id is the function it called."""
    calls = {
        name: one["Properties"]["Call"]
        for name, one in template.get("Resources", {}).items()
        if "Call" in one.get("Properties", {})
    }
    for name, call in calls.items():
        request = {"StackName": stack, "LogicalResourceId": name}
        found = session.client("cloudformation", session.learner).describe_stack_resource(**request)
        if found["StackResourceDetail"].get("PhysicalResourceId") != call:
            raise StackError(
                f"this lab cannot be deployed by CDK there: its stack needs a custom resource, {call} of deploy.py, "
                "and the target calls no function for one. What was made is still there; kata destroy takes it down"
            )


def _outputs(stack: dict) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}
