"""What every solutions/NN/stack.py builds on: the names, packages, roles and outputs that `lab` is in deploy.py.

Needs the extra `cdk`, so only stacks and the app import it.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import aws_cdk
from aws_cdk import (
    Acknowledgment,
    CfnOutput,
    CliCredentialsStackSynthesizer,
    CustomResource,
    Duration,
    Fn,
    RemovalPolicies,
    Validations,
)
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

import kata_lab
from cloudkata.cdk.names import bucket_name, stack_name
from cloudkata.deployment.packages import offers
from kata_lab.lab import Lab

RUNTIME = lambda_.Runtime.PYTHON_3_13


@dataclass(frozen=True)
class Place:
    """What a stack is synthesized for: the start of all names, and an emulator's address or "" for AWS itself."""

    folder: Path
    prefix: str
    endpoint: str = ""


class LabStack(aws_cdk.Stack):
    """One lab's solution. A subclass has a `build` that makes what `deploy` of deploy.py makes.

    All that it has goes with the stack. What is uploaded for it lies in a bucket of its own, so that no account has to
    be bootstrapped.
    """

    def __init__(self, scope: Construct, place: Place) -> None:
        self.place = place
        name = stack_name(place.prefix)
        synthesizer = CliCredentialsStackSynthesizer(file_assets_bucket_name=bucket_name(place.prefix))
        super().__init__(scope, name, stack_name=name, synthesizer=synthesizer, analytics_reporting=False)
        self._lab = Lab(
            folder=str(place.folder),
            prefix=place.prefix,
            region="us-east-1",
            account="",
            poll=0,
            packages={each: {"files": offer.files, "problem": offer.problem} for each, offer in offers().items()},
        )
        self.justify(self, "L1", "All labs name one runtime, which is one that the course's tools run as well.")
        self.build()
        RemovalPolicies.of(self).destroy()

    def build(self) -> None:
        raise NotImplementedError

    @property
    def on_aws(self) -> bool:
        """Whether requests go to AWS, with TLS: emulators are reached without it."""
        return not self.place.endpoint

    def name(self, base: str) -> str:
        """The deployment's name for a resource, as lab.name makes it."""
        return self._lab.name(base)

    def package(self, folder: str, requirements: tuple[str, ...] = ()) -> lambda_.Code:
        """A folder of the solution as a function's or a layer's code: the very archive that lab.package makes."""
        return self._code(self._lab.package(folder, requirements))

    def _code(self, data: bytes) -> lambda_.Code:
        out = Path(aws_cdk.Stage.of(self).outdir)  # type: ignore[union-attr]
        path = out / f"package.{hashlib.sha256(data).hexdigest()[:16]}.zip"
        path.write_bytes(data)
        return lambda_.Code.from_asset(str(path))

    def role(
        self, base: str, allow: list[iam.PolicyStatement] | None = None, services: tuple[str, ...] = ("lambda",)
    ) -> iam.Role:
        """A role for a service, with the statements `allow` and leave to write the functions' logs."""
        logs = f"arn:aws:logs:{self.region}:{self.account}:log-group:/aws/lambda/{self.place.prefix}-*"
        principals = [iam.ServicePrincipal(f"{service}.amazonaws.com") for service in services]
        role = iam.Role(
            self,
            f"{base}-role",
            role_name=self.name(base),
            assumed_by=iam.CompositePrincipal(*principals),
            inline_policies={"lab": iam.PolicyDocument(statements=[self.may_log(logs), *(allow or ())])},
        )
        self.justify_wildcard(role, logs, "The log groups of this deployment, and no others.")
        return role

    def may_log(self, arn: str) -> iam.PolicyStatement:
        """Leave to write to the log groups of an ARN."""
        actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        return iam.PolicyStatement(actions=actions, resources=[arn])

    def function(self, base: str, *, handler: str, code: lambda_.Code, role: iam.IRole, **more) -> lambda_.Function:
        """A function, on the course's runtime."""
        return lambda_.Function(
            self,
            base,
            function_name=self.name(base),
            runtime=more.pop("runtime", RUNTIME),
            handler=handler,
            code=code,
            role=role,
            **more,
        )

    def once(
        self, call: str, arguments: list[str], allow: list[iam.PolicyStatement], wildcard: str = ""
    ) -> CustomResource:
        """Have the function `call` of deploy.py called with (lab, *arguments) while the stack is made, on Lambda.

        For what CloudFormation has no resource for. What it returns is the attribute "Value".
        """
        base = call.replace("_", "-")
        role = self.role(base, allow)
        if wildcard:
            self.justify_wildcard(role, wildcard, "What it makes lies below one folder.")
        function = self.function(
            base, handler="once.handler", code=self._once(), role=role, timeout=Duration.minutes(1)
        )
        properties = {"Call": call, "Arguments": arguments, "Prefix": self.place.prefix}
        made = CustomResource(self, f"{base}-once", service_token=function.function_arn, properties=properties)
        made.node.default_child.add_property_override("ServiceTimeout", 180)  # type: ignore[union-attr]
        return made

    def _once(self) -> lambda_.Code:
        files = {"deploy.py": self.place.folder / "deploy.py", "once.py": Path(__file__).parent / "inside" / "once.py"}
        files |= {f"kata_lab/{path.name}": path for path in Path(kata_lab.__file__).parent.glob("*.py")}
        with tempfile.TemporaryDirectory() as scratch:
            for name, source in files.items():
                (Path(scratch) / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(source, Path(scratch) / name)
            return self._code(Lab(folder=scratch, prefix="once", region="", account="", poll=0).package("."))

    def user_pool(self, base: str, **more) -> cognito.UserPool:
        """A user pool with Cognito's own rules for passwords."""
        policy = cognito.PasswordPolicy(
            min_length=8, require_lowercase=True, require_uppercase=True, require_digits=True, require_symbols=True
        )
        made = cognito.UserPool(self, base, user_pool_name=self.name(base), password_policy=policy, **more)
        self.justify(made, "COG2", "Its users are made up by checks, which have no second factor.")
        self.justify(made, "COG8", "The plan Plus costs by the user, and nothing here is worth an attack.")
        return made

    def table(self, base: str, key: str, **more) -> dynamodb.Table:
        """A table that is paid by the request, with a partition key of text."""
        made = dynamodb.Table(
            self,
            f"{base}-table",
            table_name=self.name(base),
            partition_key=dynamodb.Attribute(name=key, type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            **more,
        )
        self.justify(made, "DDB3", "It goes with the lab: there is nothing to recover.")
        return made

    def bucket(self, base: str) -> s3.Bucket:
        """A bucket that nobody outside gets into."""
        made = s3.Bucket(
            self,
            f"{base}-bucket",
            bucket_name=self.name(base),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=self.on_aws,
        )
        self.justify(made, "S1", "Who read what is not kept: it goes with the lab.")
        return made

    def queue(self, base: str, suffix: str = "", **more) -> sqs.Queue:
        """A queue, encrypted with SQS's own key as every new one is."""
        return sqs.Queue(self, f"{base}-queue", queue_name=self.name(base) + suffix, enforce_ssl=self.on_aws, **more)

    def justify(self, construct: Construct, rule: str, reason: str) -> None:
        """Say why a finding of cdk-nag, such as "DDB3", is as it should be here."""
        Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason))

    def justify_wildcard(self, construct: Construct, arn: str, reason: str) -> None:
        """Say why a policy's resource may have a star in it. `arn` may have the ARN of one bucket in it."""
        shown = arn.replace(self.region, "<AWS::Region>").replace(self.account, "<AWS::AccountId>")
        for bucket in [one for one in self.node.find_all() if isinstance(one, s3.Bucket)]:
            place = self.get_logical_id(bucket.node.default_child)  # type: ignore[arg-type]
            shown = shown.replace(bucket.bucket_arn, f"<{place}.Arn>")
        self.justify(construct, f"IAM5[Resource::{shown}]", reason)

    def api_url(self, api_id: str, stage: str = "") -> str:
        """Where an API is called, as lab.api_url makes it."""
        if self.place.endpoint:
            url = Fn.join("", [f"{self.place.endpoint}/_aws/execute-api/", api_id])
        else:
            url = Fn.join("", ["https://", api_id, f".execute-api.{self.region}.amazonaws.com"])
        return Fn.join("/", [url, stage]) if stage else url

    def output(self, name: str, value: str) -> None:
        """Fill in an output of lab.toml."""
        CfnOutput(self, f"Output{name}", value=value).override_logical_id(name)
