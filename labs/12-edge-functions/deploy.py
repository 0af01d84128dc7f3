"""Deploys the site: a private bucket, a distribution in front of it, and the functions at its edge."""

import json
import secrets
import time
from pathlib import Path

HERE = Path(__file__).parent
SECRET = "secrets.json"  # for as long as the key-value store is filled from it
ERROR_PAGE = "<h1>There is no such page</h1>"

# Which function runs at which event: of the public pages, and of what is below /members/.
PAGES = {
    # "an event": "a file",
}
MEMBERS = {
    # "an event": "a file",
}


def deploy(lab):
    bucket = make_bucket(lab)
    arns = {}
    for file in {*PAGES.values(), *MEMBERS.values()}:
        arns[file] = cloudfront_function(lab, file, bucket) if file.endswith(".js") else lambda_version(lab, file)
    distribution = make_distribution(lab, bucket, arns)
    let_it_read(lab, bucket, distribution["ARN"])
    lab.client("cloudfront").get_waiter("distribution_deployed").wait(Id=distribution["Id"])
    lab.outputs["DistributionId"] = distribution["Id"]
    lab.outputs["DomainName"] = distribution["DomainName"]


# --- the functions ---


def cloudfront_function(lab, file, bucket):
    """Make a CloudFront function of a file in edge/; its ARN."""
    cloudfront = lab.client("cloudfront")
    stores = [make_store(lab, bucket)] if file == "edge/token.js" else []
    made = cloudfront.create_function(
        Name=lab.name(Path(file).stem),
        FunctionConfig={
            "Comment": file,
            "Runtime": "cloudfront-js-2.0",
            "KeyValueStoreAssociations": listed([{"KeyValueStoreARN": arn} for arn in stores]),
        },
        FunctionCode=(HERE / file).read_bytes(),
    )
    return made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]


def lambda_version(lab, file):
    """Make a Lambda function of a file in app/; the ARN to associate."""
    functions = lab.client("lambda")
    module = Path(file).stem
    services = "lambda.amazonaws.com"
    made = functions.create_function(
        FunctionName=lab.name(module.replace("_", "-")),
        Runtime="python3.13",
        Handler=f"{module}.handler",
        Role=lab.role(f"{module.split('_')[0]}-role", service=services),
        Code={"ZipFile": lab.package("app")},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=made["FunctionName"])
    return made["FunctionArn"]


# --- the site: nothing to do below ---


def listed(items):
    """A list as CloudFront wants it."""
    return {"Quantity": len(items), "Items": items}


def make_bucket(lab):
    s3 = lab.client("s3")
    bucket = lab.name("site")
    s3.create_bucket(Bucket=bucket)
    put_pages(lab, bucket)
    return bucket


def put_pages(lab, bucket):
    for page, text in {"index.html": "<h1>Welcome</h1>", "errors/missing.html": ERROR_PAGE}.items():
        lab.client("s3").put_object(Bucket=bucket, Key=f"site/{page}", Body=text.encode(), ContentType="text/html")


def put_secret(lab, bucket):
    """Write a fresh secret where a key-value store can be filled from; the ARN of that place."""
    pairs = {"data": [{"key": "secret", "value": secrets.token_urlsafe(32)}]}
    lab.client("s3").put_object(Bucket=bucket, Key=SECRET, Body=json.dumps(pairs).encode())
    return f"arn:aws:s3:::{bucket}/{SECRET}"


def forget_secret(lab, bucket):
    lab.client("s3").delete_object(Bucket=bucket, Key=SECRET)


def make_store(lab, bucket):
    """A key-value store with a fresh secret; it is filled from an object that is then removed."""
    cloudfront = lab.client("cloudfront")
    made = cloudfront.create_key_value_store(
        Name=lab.name("store"),
        ImportSource={"SourceType": "S3", "SourceARN": put_secret(lab, bucket)},
    )
    while made["KeyValueStore"]["Status"] != "READY":
        time.sleep(1)
        made = cloudfront.describe_key_value_store(Name=made["KeyValueStore"]["Name"])
    forget_secret(lab, bucket)
    return made["KeyValueStore"]["ARN"]


def make_distribution(lab, bucket, arns):
    cloudfront = lab.client("cloudfront")
    control = cloudfront.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": lab.name("access"),
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )["OriginAccessControl"]["Id"]
    keep = cloudfront.create_cache_policy(
        CachePolicyConfig={
            "Name": lab.name("keep"),
            "MinTTL": 0,
            "DefaultTTL": 300,
            "MaxTTL": 86400,
            "ParametersInCacheKeyAndForwardedToOrigin": {
                "EnableAcceptEncodingGzip": False,
                "HeadersConfig": {"HeaderBehavior": "none"},
                "CookiesConfig": {"CookieBehavior": "none"},
                "QueryStringsConfig": {"QueryStringBehavior": "all"},
            },
        }
    )["CachePolicy"]["Id"]
    origin = {
        "Id": "bucket",
        "DomainName": f"{bucket}.s3.us-east-1.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": control,
    }
    missing = {"ErrorCode": 404, "ResponsePagePath": "/errors/missing.html", "ResponseCode": "404"}
    config = {
        "CallerReference": lab.name("site"),
        "Comment": lab.name("site"),
        "Enabled": True,
        "Origins": listed([origin]),
        "DefaultCacheBehavior": behavior(PAGES, arns, keep),
        "CacheBehaviors": listed([{"PathPattern": "/members/*", **behavior(MEMBERS, arns, keep)}]),
        "CustomErrorResponses": listed([{**missing, "ErrorCachingMinTTL": 10}]),
    }
    return cloudfront.create_distribution(DistributionConfig=config)["Distribution"]


def behavior(table, arns, keep):
    """A cache behaviour with the functions of a table."""
    functions = [{"EventType": event, "FunctionARN": arns[f]} for event, f in table.items() if f.endswith(".js")]
    lambdas = [{"EventType": event, "LambdaFunctionARN": arns[f]} for event, f in table.items() if f.endswith(".py")]
    return {
        "TargetOriginId": "bucket",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": keep,
        "FunctionAssociations": listed(functions),
        "LambdaFunctionAssociations": listed(lambdas),
    }


def let_it_read(lab, bucket, distribution):
    """The distribution may read what is below site/, but no drafts, and may see what is not there."""
    common = {
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Condition": {"StringEquals": {"AWS:SourceArn": distribution}},
    }
    objects = f"arn:aws:s3:::{bucket}/site"
    statements = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{objects}/*", **common},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}", **common},
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"{objects}/drafts/*", **common},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    lab.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
