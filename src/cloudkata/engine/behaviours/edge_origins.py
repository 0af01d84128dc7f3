"""An S3 origin says 404 for what is not there to a distribution that may list the bucket, and 403 to any other.

AWS documents: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html ("If you have the s3:ListBucket
permission on the bucket, Amazon S3 returns an HTTP status code 404 (Not Found) error. If you don't ..., 403").

MiniStack answers a distribution with 403 either way.
"""

from __future__ import annotations

from cloudkata.engine.context import Context


def register(context: Context) -> None:
    context.seams.hook("ministack.services.s3:serve_cloudfront_origin_fetch", _fetch)


def _fetch(original, bucket_name, key, method, headers, source_arn="", oai_id=""):
    answer = original(bucket_name, key, method, headers, source_arn, oai_id)
    if answer[0] != 403:
        return answer
    from ministack.services import s3

    owner = s3._bucket_owner_account(bucket_name)
    bucket = s3._ensure_bucket(bucket_name)
    if owner is None or bucket is None or key in bucket["objects"]:
        return answer
    may_read = s3._cloudfront_origin_allows(owner, bucket_name, key, source_arn, oai_id)
    if not may_read or not _may_list(owner, bucket_name, source_arn, oai_id):
        return answer
    return s3._error("NoSuchKey", "The specified key does not exist.", 404, f"/{bucket_name}/{key}")


def _may_list(owner: str, bucket: str, source_arn: str, oai_id: str) -> bool:
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
    from ministack.core.responses import get_region
    from ministack.services import s3

    policy = s3._bucket_policies.get_scoped(owner, None, bucket)
    if not policy or not (source_arn or oai_id):
        return False
    identity = f"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {oai_id}"
    context = EvalContext(
        principal_arn=identity if oai_id else "*",
        principal_type="User" if oai_id else "Service",
        principal_account="",
        action="s3:ListBucket",
        resource_arn=f"arn:aws:s3:::{bucket}",
        region=get_region(),
        service_context={"aws:sourcearn": source_arn} if source_arn else {},
    )
    service = None if oai_id else "cloudfront.amazonaws.com"
    return evaluate_resource_policy(policy, context, service=service).decision == "Allow"
