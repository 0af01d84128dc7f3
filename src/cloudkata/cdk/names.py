"""What a deployment's stack and bucket are called; known without CDK."""


def stack_name(prefix: str) -> str:
    return f"{prefix}-solution"


def bucket_name(prefix: str) -> str:
    """Of the bucket that the archives are uploaded to."""
    return f"{prefix}-assets"
