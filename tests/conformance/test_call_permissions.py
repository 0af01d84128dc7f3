"""Which permission a call needs, and on what."""

import json

import boto3
import pytest
from botocore.config import Config
from support import archive, refusal

pytestmark = [
    pytest.mark.behaviour("call_permissions"),
    pytest.mark.not_localstack("LocalStack 4.14 enforces no policy"),
]
EDGE = b"function handler(event) { return event.request; }"


def somebody(aws, service: str, *statements: dict):
    """A client for a user who is allowed `statements`."""
    iam = aws.client("iam")
    iam.create_user(UserName="ada")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]})
    iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    made = boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=aws.endpoint,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(retries={"max_attempts": 0}),
    )
    aws._clients[(service, "ada")] = made
    return made


def test_a_function_is_made_where_its_arn_is_allowed(aws):
    role, function = aws.role(), f"arn:aws:lambda:us-east-1:{aws.number}:function:mine-*"
    passing = {"Action": "iam:PassRole", "Resource": role}
    functions = somebody(aws, "lambda", {"Action": "lambda:CreateFunction", "Resource": function}, passing)

    def make(name: str) -> int:
        code = {"ZipFile": archive({"a.py": ""})}
        return refusal(
            lambda: functions.create_function(
                FunctionName=name, Runtime="python3.13", Handler="a.b", Role=role, Code=code
            )
        )[1]

    assert (make("mine-one"), make("yours-one")) == (201, 403)


def test_a_function_of_cloudfront_is_published_where_its_arn_is_allowed(aws):
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    tags = {}
    for name in ("mine-one", "yours-one"):
        made = aws.client("cloudfront").create_function(Name=name, FunctionConfig=config, FunctionCode=EDGE)
        tags[name] = made["ETag"]
    arn = f"arn:aws:cloudfront::{aws.number}:function/mine-*"
    edge = somebody(aws, "cloudfront", {"Action": "cloudfront:PublishFunction", "Resource": arn})
    codes = {name: refusal(lambda name=name: edge.publish_function(Name=name, IfMatch=tags[name]))[1] for name in tags}
    assert codes == {"mine-one": 200, "yours-one": 403}


def test_an_alias_is_read_and_changed_with_actions_of_their_own(aws):
    aws.function("def handle(event, context): pass")
    aws.publish()
    aws.lambda_.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    reading = somebody(aws, "lambda", {"Action": "lambda:GetAlias", "Resource": "*"})
    read = refusal(lambda: reading.get_alias(FunctionName="f", Name="live"))[1]
    changed = refusal(lambda: reading.update_alias(FunctionName="f", Name="live", Description="x"))[1]
    assert (read, changed) == (200, 403)


def test_to_list_aliases_is_not_to_change_them(aws):
    aws.function("def handle(event, context): pass")
    aws.publish()
    aws.lambda_.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    listing = somebody(aws, "lambda", {"Action": "lambda:ListAliases", "Resource": "*"})
    listed = refusal(lambda: listing.list_aliases(FunctionName="f"))[1]
    changed = refusal(lambda: listing.update_alias(FunctionName="f", Name="live", Description="x"))[1]
    assert (listed, changed) == (200, 403)


def test_a_layer_is_published_and_shared_with_actions_of_their_own(aws):
    layers = somebody(aws, "lambda", {"Action": "lambda:PublishLayerVersion", "Resource": "*"})
    content = {"ZipFile": archive({"python/a.py": ""})}
    published = refusal(lambda: layers.publish_layer_version(LayerName="l", Content=content))[1]
    shared = refusal(
        lambda: layers.add_layer_version_permission(
            LayerName="l", VersionNumber=1, StatementId="s", Action="lambda:GetLayerVersion", Principal="*"
        )
    )[1]
    assert (published, shared) == (201, 403)
