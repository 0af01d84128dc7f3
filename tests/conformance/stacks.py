"""What the conformance tests of CloudFormation share: stacks of one template, and how they ended."""

from __future__ import annotations

import json

from support import Account, archive, eventually


def create(aws: Account, resources: dict, outputs: dict | None = None, name: str = "s") -> tuple[str, str]:
    """Make a stack and wait: its status, and why its first resource failed or nothing."""
    stacks = aws.client("cloudformation")
    shown = {key: {"Value": value} for key, value in (outputs or {}).items()}
    template = json.dumps({"Resources": resources, "Outputs": shown})
    stacks.create_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
    return ended(aws, name)


def ended(aws: Account, name: str = "s") -> tuple[str, str]:
    """The status of a stack at rest, and why its first resource failed or nothing."""
    stacks = aws.client("cloudformation")

    def look():
        status = stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        return "" if status.endswith("_IN_PROGRESS") else status

    status = eventually(look)
    events = stacks.describe_stack_events(StackName=name)["StackEvents"]
    failed = [one["ResourceStatusReason"] for one in events if one["ResourceStatus"] == "CREATE_FAILED"]
    return status, failed[-1] if failed else ""


def outputs(aws: Account, name: str = "s") -> dict[str, str]:
    found = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}


def put(aws: Account, key: str, files, bucket: str = "") -> dict:
    """Put an archive where a template can name it: its S3Bucket and S3Key."""
    bucket = bucket or f"code-{aws.number}"
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=files if isinstance(files, bytes) else archive(files))
    return {"S3Bucket": bucket, "S3Key": key}


def function(aws: Account, code: dict, **properties) -> dict:
    """A resource: a function with `handle` in app.py."""
    common = {"Runtime": "python3.12", "Handler": "app.handle", "Role": aws.role(), "Code": code, "Timeout": 10}
    return {"Type": "AWS::Lambda::Function", "Properties": common | properties}
