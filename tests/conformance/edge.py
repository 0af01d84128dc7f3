"""A distribution in front of a bucket, for the tests of the edge: made anew for each, and asked as a browser would."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from itertools import count

import pytest
from support import Account, archive, eventually

from cloudkata.targets import web

NO_CLOUDFRONT = "LocalStack 4.14 without a token has no CloudFront"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="CloudFront Functions need Node.js")
KEEP_A_DAY = "658327ea-f89d-4fab-a63d-7e88639e58f6"  # AWS's managed policy CachingOptimized
KEEP_NOTHING = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # CachingDisabled
_numbers = count()


@dataclass
class Site:
    """`bucket` is private to the distribution: it may read every object and list them."""

    account: Account
    bucket: str = ""
    id: str = ""
    domain: str = ""
    arn: str = ""
    _made: dict = field(default_factory=dict)

    @property
    def cloudfront(self):
        return self.account.client("cloudfront")

    def put(self, key: str, body: str = "here", **more) -> None:
        self.account.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body.encode(), **more)

    def get(self, path: str, headers: dict | None = None, method: str = "GET", body: str = "") -> web.Page:
        return web.request(method, f"http://{self.domain}{path}", headers, body, door=self.account.endpoint)

    def configuration(self, **behavior) -> dict:
        """A DistributionConfig whose default behaviour has these settings as well."""
        more = {name: behavior.pop(name) for name in ("CustomErrorResponses", "CacheBehaviors") if name in behavior}
        origin = {
            "Id": "site",
            "DomainName": f"{self.bucket}.s3.us-east-1.amazonaws.com",
            "S3OriginConfig": {"OriginAccessIdentity": ""},
            "OriginAccessControlId": self._made["control"],
        }
        default = {"TargetOriginId": "site", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": KEEP_NOTHING}
        return {
            "CallerReference": f"{self.bucket}-{next(_numbers)}",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {**default, **behavior},
            **more,
        }

    def update(self, **behavior) -> None:
        """Give the default behaviour other settings."""
        now = self.cloudfront.get_distribution_config(Id=self.id)
        config = self.configuration(**behavior) | {"CallerReference": now["DistributionConfig"]["CallerReference"]}
        self.cloudfront.update_distribution(Id=self.id, IfMatch=now["ETag"], DistributionConfig=config)

    def function(self, code: str, publish: bool = True, stores: list[str] = []) -> str:  # noqa: B006
        """The ARN of a CloudFront function."""
        stored = {"Quantity": len(stores), "Items": [{"KeyValueStoreARN": arn} for arn in stores]}
        made = self.cloudfront.create_function(
            Name=f"f{next(_numbers)}",
            FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0", "KeyValueStoreAssociations": stored},
            FunctionCode=code.encode(),
        )
        summary = made["FunctionSummary"]
        if publish:
            self.cloudfront.publish_function(Name=summary["Name"], IfMatch=made["ETag"])
        return summary["FunctionMetadata"]["FunctionARN"]

    def lambda_(self, body: str, **settings) -> str:
        """The ARN of a version of a Lambda function whose handler has `body`, with `cf` at hand."""
        source = f"def handle(event, context):\n    cf = event['Records'][0]['cf']\n    {body}\n"
        settings = {"Role": self.edge_role()} | settings
        name = self.account.function(archive_source(source), name=f"edge{next(_numbers)}", **settings)
        return f"{self.account.lambda_.get_function(FunctionName=name)['Configuration']['FunctionArn']}:" + str(
            self.account.publish(name)
        )

    def edge_role(self) -> str:
        if "role" not in self._made:
            services = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]
            statement = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            made = self.account.client("iam").create_role(RoleName="edge", AssumeRolePolicyDocument=policy)
            self._made["role"] = made["Role"]["Arn"]
        return self._made["role"]


def archive_source(source: str) -> dict[str, str]:
    return {"app.py": source}


def site(account: Account) -> Site:
    """A bucket and a distribution that keeps nothing in its cache."""
    made = Site(account, bucket=f"site-{account.number}-{next(_numbers)}")
    account.client("s3").create_bucket(Bucket=made.bucket)
    control = {
        "Name": made.bucket,
        "SigningProtocol": "sigv4",
        "SigningBehavior": "always",
        "OriginAccessControlOriginType": "s3",
    }
    created = made.cloudfront.create_origin_access_control(OriginAccessControlConfig=control)
    made._made["control"] = created["OriginAccessControl"]["Id"]
    found = made.cloudfront.create_distribution(DistributionConfig=made.configuration())["Distribution"]
    made.id, made.domain, made.arn = found["Id"], found["DomainName"], found["ARN"]
    allow(made, {"s3:GetObject": "/*", "s3:ListBucket": ""})
    return made


def allow(site: Site, actions: dict[str, str], deny: str = "") -> None:
    """Let the distribution do these actions on these parts of the bucket, and no GetObject below `deny`."""
    common = {
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Condition": {"StringEquals": {"AWS:SourceArn": site.arn}},
    }
    arn = f"arn:aws:s3:::{site.bucket}"
    statements = [
        {"Effect": "Allow", "Action": action, "Resource": arn + part, **common} for action, part in actions.items()
    ]
    if deny:
        statements.append({"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"{arn}/{deny}*", **common})
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    site.account.client("s3").put_bucket_policy(Bucket=site.bucket, Policy=policy)


def functions(**arns: str) -> dict:
    """FunctionAssociations by event, written with an underscore."""
    return {"FunctionAssociations": _associations(arns, "FunctionARN")}


def lambdas(**arns: str) -> dict:
    """LambdaFunctionAssociations by event, written with an underscore."""
    return {"LambdaFunctionAssociations": _associations(arns, "LambdaFunctionARN")}


def _associations(arns: dict[str, str], name: str) -> dict:
    found = [{"EventType": kind.replace("_", "-"), name: arn} for kind, arn in arns.items()]
    return {"Quantity": len(found), "Items": found}


__all__ = ["Site", "allow", "archive", "eventually", "functions", "lambdas", "needs_node", "site"]
