"""A key-value store of CloudFront is filled from the S3 object that CreateKeyValueStore names.

Needs edge_functions.

AWS documents:
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/kvs-with-functions-create-s3-kvp.html :
a JSON object {"data": [{"key": ..., "value": ...}]} of at most 5 MB, keys of at most 512 bytes, values of at most 1 KB.

MiniStack keeps the source's name and reads nothing. There the store stays empty; here the operation is refused when the
source cannot be read, where AWS says so later with the status IMPORT_FAILED.
"""

from __future__ import annotations

import json

from cloudkata.engine.context import Context

_FILE_BYTES = 5 << 20
_KEY_BYTES = 512
_VALUE_BYTES = 1_024


def register(context: Context) -> None:
    context.seams.hook("ministack.services.cloudfront:_create_kvs", _create)


def _create(original, headers, body):
    from ministack.services import cloudfront, cloudfront_keyvaluestore

    element = cloudfront._parse_body(body)
    source = cloudfront._find(element, "ImportSource") if element is not None else None
    pairs = None
    if source is not None:
        try:
            pairs = _read(cloudfront._text(source, "SourceARN") or "")
        except ValueError as error:
            return cloudfront._error("InvalidArgument", str(error), 400)
    answer = original(headers, body)
    if pairs is not None and answer[0] == 201:
        arn = cloudfront._kvstores[cloudfront._text(element, "Name")]["ARN"]
        store, _ = cloudfront_keyvaluestore._get_store(arn)
        store["items"].update(pairs)
    return answer


def _read(arn: str) -> dict[str, str]:
    """The pairs in an object of the caller's own account. Raises ValueError."""
    from ministack.services import s3

    bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
    data = s3._get_object_data(bucket, key)
    if data is None or len(data) > _FILE_BYTES:
        raise ValueError(f"The import source {arn} cannot be read.")
    try:
        pairs = {entry["key"]: entry["value"] for entry in json.loads(data)["data"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"The import source {arn} is not of the form {{'data': [...]}}.") from error
    for name, value in pairs.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise ValueError("Keys and values of the import source must be text.")
        if not 0 < len(name.encode()) <= _KEY_BYTES or len(value.encode()) > _VALUE_BYTES:
            raise ValueError(f"The pair {name!r} of the import source is too long.")
    return pairs
