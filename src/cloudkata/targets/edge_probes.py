"""Whether a target has CloudFront's edge: the probes that ask for it."""

from __future__ import annotations

import json
import shutil

from botocore.exceptions import ClientError

from cloudkata.targets import web
from cloudkata.targets.probes import Bench, archive, probe

_MARK = """
function handler(event) {
    event.response.headers['x-mark'] = { value: 'here' };
    return event.response;
}
"""
_READ = """
import cf from 'cloudfront';
async function handler(event) {
    return { statusCode: 200, headers: { 'x-value': { value: await cf.kvs().get('colour') } } };
}
"""
_EDGE = """
def handler(event, context):
    response = event["Records"][0]["cf"]["response"]
    response["headers"]["x-mark"] = [{"key": "X-Mark", "value": "here"}]
    return response
"""
_KEEP = "658327ea-f89d-4fab-a63d-7e88639e58f6"  # AWS's managed policy CachingOptimized: a day


def _listed(items: list) -> dict:
    return {"Quantity": len(items), "Items": items}


def _bucket(bench: Bench, name: str) -> str:
    bucket = f"{bench.session.prefix}-{name}"
    bench.client("s3").create_bucket(Bucket=bucket)
    return bucket


def _distribution(bench: Bench, bucket: str, **behavior) -> str:
    """The domain name of a distribution that may read a bucket."""
    cloudfront = bench.client("cloudfront")
    control = {"SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3"}
    made = cloudfront.create_origin_access_control(OriginAccessControlConfig={"Name": bucket, **control})
    origin = {
        "Id": "bucket",
        "DomainName": f"{bucket}.s3.us-east-1.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": made["OriginAccessControl"]["Id"],
    }
    default = {"TargetOriginId": "bucket", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": _KEEP, **behavior}
    config = {
        "CallerReference": bucket,
        "Comment": bucket,
        "Enabled": True,
        "Origins": _listed([origin]),
        "DefaultCacheBehavior": default,
    }
    found = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    statement["Principal"] = {"Service": "cloudfront.amazonaws.com"}
    statement["Condition"] = {"StringEquals": {"AWS:SourceArn": found["ARN"]}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    bench.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
    return found["DomainName"]


def _get(bench: Bench, domain: str, path: str) -> web.Page:
    return web.request("GET", f"http://{domain}{path}", door=bench.session.endpoint)


def _function(bench: Bench, name: str, code: str, stores: list[str] = []) -> str:  # noqa: B006
    """The ARN of a published CloudFront function."""
    cloudfront = bench.client("cloudfront")
    stored = _listed([{"KeyValueStoreARN": arn} for arn in stores])
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0", "KeyValueStoreAssociations": stored}
    name = f"{bench.session.prefix}-{name}"
    made = cloudfront.create_function(Name=name, FunctionConfig=config, FunctionCode=code.encode())
    cloudfront.publish_function(Name=name, IfMatch=made["ETag"])
    return made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]


def _tried(bench: Bench, arn: str) -> dict:
    """What a trial of the published function answers."""
    cloudfront, name = bench.client("cloudfront"), arn.rpartition("/")[2]
    tag = cloudfront.describe_function(Name=name, Stage="LIVE")["ETag"]
    event = {"version": "1.0", "context": {}, "viewer": {}, "request": {}, "response": {"headers": {}}}
    try:
        found = cloudfront.test_function(Name=name, IfMatch=tag, Stage="LIVE", EventObject=json.dumps(event).encode())
    except ClientError as error:
        return {"error": error.response["Error"].get("Message") or error.response["Error"]["Code"]}
    result = found["TestResult"]
    return json.loads(result["FunctionOutput"] or "null") or {"error": result["FunctionErrorMessage"]}


@probe("cloudfront.functions", "CloudFront Functions run at viewer events, and can be tried")
def _functions(bench: Bench):
    if bench.session.target == "embedded" and shutil.which("node") is None:
        return False, "CloudFront Functions need Node.js, and there is no program `node` on this machine"
    bucket = _bucket(bench, "functions")
    bench.client("s3").put_object(Bucket=bucket, Key="a", Body=b"a")
    arn = _function(bench, "mark", _MARK)
    tried = _tried(bench, arn)
    associated = _listed([{"EventType": "viewer-response", "FunctionARN": arn}])
    page = _get(bench, _distribution(bench, bucket, FunctionAssociations=associated), "/a")
    shown = "response" in tried and page.headers.get("x-mark") == "here"
    return shown, f"tried: {tried}, a viewer saw {page.status}"[:200]


@probe("cloudfront.key-value-store", "CloudFront Functions read a key-value store")
def _stores(bench: Bench):
    bucket = _bucket(bench, "store")
    pairs = {"data": [{"key": "colour", "value": "blue"}]}
    bench.client("s3").put_object(Bucket=bucket, Key="pairs.json", Body=json.dumps(pairs).encode())
    source = {"SourceType": "S3", "SourceARN": f"arn:aws:s3:::{bucket}/pairs.json"}
    made = bench.client("cloudfront").create_key_value_store(Name=bucket, ImportSource=source)
    tried = _tried(bench, _function(bench, "read", _READ, [made["KeyValueStore"]["ARN"]]))
    value = tried.get("response", {}).get("headers", {}).get("x-value", {}).get("value")
    return value == "blue", str(tried)[:200]


@probe("cloudfront.lambda-edge", "Lambda@Edge functions run at origin events")
def _lambda_edge(bench: Bench):
    bucket, functions = _bucket(bench, "lambda"), bench.client("lambda")
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    statement["Principal"] = {"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}
    role = bench.client("iam").create_role(
        RoleName=bucket, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )["Role"]["Arn"]
    code = {"ZipFile": archive(_EDGE)}
    functions.create_function(FunctionName=bucket, Runtime="python3.13", Handler="app.handler", Role=role, Code=code)
    bench.ready(bucket)
    arn = functions.publish_version(FunctionName=bucket)["FunctionArn"]
    associated = _listed([{"EventType": "origin-response", "LambdaFunctionARN": arn}])
    page = _get(bench, _distribution(bench, bucket, LambdaFunctionAssociations=associated), "/none")
    return page.headers.get("x-mark") == "here", f"an answer with the status {page.status}"


@probe("cloudfront.cache", "a distribution answers from its cache")
def _cache(bench: Bench):
    bucket, s3 = _bucket(bench, "cache"), bench.client("s3")
    s3.put_object(Bucket=bucket, Key="a", Body=b"old")
    domain = _distribution(bench, bucket)
    _get(bench, domain, "/a")
    s3.put_object(Bucket=bucket, Key="a", Body=b"new")
    seen = _get(bench, domain, "/a").text
    return seen == "old", f"after the object changed, it was {seen!r}"
