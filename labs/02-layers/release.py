"""Brings a new version of the library to its users, and lets another account use it."""


def layer_of(version_arn):
    """(the layer's ARN, the number of the version) of a layer version's ARN."""
    layer, _, number = version_arn.rpartition(":")
    return layer, int(number)


def name_of(layer_arn):
    return layer_arn.rpartition(":")[2]


def release(lab, bucket, key, functions):
    """Publish the archive at s3://bucket/key as the library's next version, and move `functions` on to it.

    Returns the new version's ARN, the functions that were moved, and those that were left as they are.
    """
    functions_api = lab.client("lambda")
    layer, _ = layer_of(lab.outputs["LayerArn"])
    published = functions_api.publish_layer_version(
        LayerName=name_of(layer), Content={"S3Bucket": bucket, "S3Key": key}
    )["LayerVersionArn"]
    moved, left = [], []
    for name in functions:
        left.append(name)  # which of them can be moved, and how?
    return {"layer": published, "moved": moved, "left": left}


def grant(lab, version_arn, account):
    """Let another account use one version of a layer."""
    pass
