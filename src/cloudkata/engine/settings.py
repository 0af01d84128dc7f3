"""How MiniStack is set up here; it reads all of this from the environment when it is imported."""

from __future__ import annotations

from pathlib import Path

# What the course uses. Services that start programs of their own on the host (CodeBuild, Glue, ECS, EC2 and
# their like) are left out: nothing a learner sends may run outside the sandbox.
# fmt: off
SERVICES = (
    "acm", "apigateway", "appconfig", "appconfigdata", "cloudformation", "cloudfront",
    "cloudfront-keyvaluestore", "cloudtrail", "cognito-identity", "cognito-idp", "dynamodb",
    "dynamodbstreams", "events", "iam", "kinesis", "kms", "lambda", "logs", "monitoring", "pipes", "s3",
    "scheduler", "secretsmanager", "sns", "sqs", "ssm", "states", "sts", "tagging", "wafv2",
)
# fmt: on


def environment(state: Path, port: int) -> dict[str, str]:
    """The variables for an engine with its files below `state` and its front door on `port`."""
    return {
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "SERVICES": ",".join(SERVICES),
        "STATE_DIR": str(state / "state"),
        "S3_DATA_DIR": str(state / "s3"),
        "TMPDIR": str(state / "tmp"),
        "HOME": str(state / "tmp"),
        "LOG_LEVEL": "WARNING",
        # IAM, SigV4, trust and resource policies, S3 CORS, Cognito flows and secrets as on AWS.
        "AUTH": "true",
        "MINISTACK_COGNITO_PRETOKEN_STRICT": "1",
        "CLOUDTRAIL_RECORDING": "1",
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "LAMBDA_EXECUTOR": "local",
        "MINISTACK_REGION": "us-east-1",
    }
