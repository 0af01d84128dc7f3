"""The same as deploy.py, by CDK."""

from aws_cdk import Duration
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk.aws_cloudfront_origins import S3BucketOrigin

from cloudkata.cdk.stack import LabStack

ERROR_PAGE = "/errors/missing.html"
SECRET = "secrets.json"


class Solution(LabStack):
    def build(self):
        bucket = self.bucket("site")
        pages = bucket.arn_for_objects("site/*")
        self.once("put_pages", [bucket.bucket_name], [allow("s3:PutObject", pages)], wildcard=pages)
        lambdas = [
            self.edge_lambda("origin_rewrite", cloudfront.LambdaEdgeEventType.ORIGIN_REQUEST),
            self.edge_lambda("error_headers", cloudfront.LambdaEdgeEventType.ORIGIN_RESPONSE),
        ]
        headers = self.edge_function("headers", cloudfront.FunctionEventType.VIEWER_RESPONSE)
        normalise = self.edge_function("normalise", cloudfront.FunctionEventType.VIEWER_REQUEST)
        store = self.store(bucket)
        token = self.edge_function("token", cloudfront.FunctionEventType.VIEWER_REQUEST, key_value_store=store)
        common = {
            "origin": self.origin(bucket),
            "cache_policy": self.cache_policy(),
            "viewer_protocol_policy": cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            "edge_lambdas": lambdas,
        }
        missing = cloudfront.ErrorResponse(
            http_status=404, response_http_status=404, response_page_path=ERROR_PAGE, ttl=Duration.seconds(10)
        )
        members = cloudfront.BehaviorOptions(**common, function_associations=[token, headers])
        distribution = cloudfront.Distribution(
            self,
            "distribution",
            comment=self.name("site"),
            default_behavior=cloudfront.BehaviorOptions(**common, function_associations=[normalise, headers]),
            additional_behaviors={"/members/*": members},
            error_responses=[missing],
        )
        self.let_it_read(bucket, distribution)
        self.justify(distribution, "CFR1", "Whoever learns may be anywhere.")
        self.justify(distribution, "CFR2", "It has a few pages of no value, and goes with the lab.")
        self.justify(distribution, "CFR3", "Who read what is not kept: it goes with the lab.")
        self.justify(distribution, "CFR4", "It has no domain of its own, so it has CloudFront's certificate.")
        self.output("DistributionId", distribution.distribution_id)
        self.output("DomainName", distribution.distribution_domain_name)

    def edge_lambda(self, module, event):
        """A Lambda function of a file in app/, to be run at an event; CDK lets the edge have its role."""
        logs = f"arn:aws:logs:*:{self.account}:log-group:/aws/lambda/us-east-1.{self.place.prefix}-*"
        role = self.role(f"{module.split('_')[0]}-role", [self.may_log(logs)])
        self.justify_wildcard(role, logs, "Wherever an edge location runs it, it writes to that Region's log group.")
        function = self.function(
            module.replace("_", "-"), handler=f"{module}.handler", code=self.package("app"), role=role
        )
        return cloudfront.EdgeLambda(event_type=event, function_version=function.current_version)

    def edge_function(self, name, event, **more):
        """A CloudFront function of a file in edge/, published, to be run at an event."""
        function = cloudfront.Function(
            self,
            f"{name}-function",
            function_name=self.name(name),
            comment=f"edge/{name}.js",
            code=cloudfront.FunctionCode.from_file(file_path=str(self.place.folder / "edge" / f"{name}.js")),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
            **more,
        )
        return cloudfront.FunctionAssociation(function=function, event_type=event)

    def store(self, bucket):
        """A key-value store with a fresh secret; it is filled from an object that is then removed."""
        place = bucket.arn_for_objects(SECRET)
        secret = self.once("put_secret", [bucket.bucket_name], [allow("s3:PutObject", place)])
        store = cloudfront.KeyValueStore(
            self,
            "store",
            key_value_store_name=self.name("store"),
            source=cloudfront.ImportSource.from_bucket(bucket, SECRET),
        )
        store.node.add_dependency(secret)
        forget = self.once("forget_secret", [bucket.bucket_name], [allow("s3:DeleteObject", place)])
        forget.node.add_dependency(store)
        return store

    def origin(self, bucket):
        """The bucket, which is told below what the distribution may read: not all of it, as CDK would have it."""
        known = s3.Bucket.from_bucket_attributes(self, "known", bucket_name=bucket.bucket_name, region=self.region)
        control = cloudfront.S3OriginAccessControl(self, "access", origin_access_control_name=self.name("access"))
        return S3BucketOrigin.with_origin_access_control(known, origin_access_control=control)

    def cache_policy(self):
        return cloudfront.CachePolicy(
            self,
            "keep",
            cache_policy_name=self.name("keep"),
            min_ttl=Duration.seconds(0),
            default_ttl=Duration.minutes(5),
            max_ttl=Duration.days(1),
            query_string_behavior=cloudfront.CacheQueryStringBehavior.all(),
        )

    def let_it_read(self, bucket, distribution):
        """The distribution may read what is below site/, but no drafts, and may see what is not there."""
        common = {
            "principals": [iam.ServicePrincipal("cloudfront.amazonaws.com")],
            "conditions": {"StringEquals": {"AWS:SourceArn": distribution.distribution_arn}},
        }
        pages, drafts = bucket.arn_for_objects("site/*"), bucket.arn_for_objects("site/drafts/*")
        for statement in (
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[pages], **common),
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket.bucket_arn], **common),
            iam.PolicyStatement(effect=iam.Effect.DENY, actions=["s3:GetObject"], resources=[drafts], **common),
        ):
            bucket.add_to_resource_policy(statement)


def allow(action, resource):
    return iam.PolicyStatement(actions=[action], resources=[resource])
