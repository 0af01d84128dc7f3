"""Verifies outputs before anything is graded: what learner code returns is a claim."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from botocore.exceptions import ParamValidationError

from cloudkata.targets.session import Session

_NAME = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
_LAYER = re.compile(
    r"^arn:aws:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:(?P<layer>[A-Za-z0-9_-]{1,140}):[1-9]\d*$"
)
_API_ID = re.compile(r"^[a-z0-9]{1,20}$")
_API_PATH = re.compile(r"^/_aws/execute-api/([a-z0-9]+)(/|$)")
_TABLE = re.compile(r"^[A-Za-z0-9_.-]{3,255}$")
_ALIAS_ARN = re.compile(r"^arn:aws:lambda:([a-z0-9-]+):(\d{12}):function:([A-Za-z0-9_-]{1,64}):([A-Za-z0-9_-]{1,128})$")
_BUCKET = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
_ROLE = re.compile(r"^arn:aws:iam::(\d{12}):role/([\w+=,.@/-]{1,576})$")
_USER_POOL = re.compile(r"^[\w-]+_[0-9a-zA-Z]{1,55}$")
_USER_POOL_CLIENT = re.compile(r"^[\w+]{1,128}$")
_IDENTITY_POOL = re.compile(r"^[\w-]+:[0-9a-f-]{1,55}$")
_STATE_MACHINE = re.compile(r"^arn:aws:states:[a-z0-9-]+:(\d{12}):stateMachine:([A-Za-z0-9_-]{1,80})$")
_PAUSE_SECONDS = 1.0
ALIAS = "live"  # what every lab calls the alias that callers know


class OutputError(Exception):
    """An output is missing, has the wrong shape or names nothing of this attempt; the message names the output."""


def verify(claimed: dict[str, str], kinds: dict[str, str], session: Session) -> dict[str, str]:
    """The outputs that the lab asks for, each proved to exist in the attempt's account. Raises OutputError."""
    for name in kinds:
        if not claimed.get(name):
            raise OutputError(f'the output {name} is missing: set lab.outputs["{name}"] in deploy.py')
    for name, kind in kinds.items():
        _once_visible(lambda name=name, kind=kind: _KINDS[kind](name, claimed[name], session), session)
    return {name: claimed[name] for name in kinds}


def _once_visible(look: Callable[[], None], session: Session) -> None:
    """Look again where what was made need not be seen everywhere at once."""
    deadline = time.monotonic() + session.visible_after
    while True:
        try:
            return look()
        except OutputError:
            if time.monotonic() + _PAUSE_SECONDS > deadline:
                raise
        time.sleep(_PAUSE_SECONDS)


def _function_name(name: str, value: str, session: Session) -> None:
    if not _NAME.fullmatch(value):
        raise OutputError(f"the output {name} is not the name of a function: {value[:200]!r}")
    _own_name(name, value, session)
    client = session.client("lambda", session.checks)
    try:
        client.get_function_configuration(FunctionName=value)
    except client.exceptions.ResourceNotFoundException:
        raise OutputError(f"the output {name} is {value!r}, but there is no such function") from None


def _alias_arn(name: str, value: str, session: Session) -> None:
    found = _ALIAS_ARN.fullmatch(value)
    if found is None:
        raise OutputError(f"the output {name} is not the ARN of an alias: {value[:200]!r}")
    region, account, function, alias = found.groups()
    if (region, account) != (session.region, session.account):
        raise OutputError(f"the output {name} is {value!r}, which is not in this attempt's account and Region")
    _own_name(name, function, session)
    if alias != ALIAS:
        raise OutputError(f"the output {name} is {value!r}, which is not the ARN of an alias named {ALIAS}")
    client = session.client("lambda", session.checks)
    try:
        client.get_alias(FunctionName=function, Name=alias)
    except client.exceptions.ResourceNotFoundException:
        raise OutputError(f"the output {name} is {value!r}, but there is no such alias") from None


def _table_name(name: str, value: str, session: Session) -> None:
    if not _TABLE.fullmatch(value):
        raise OutputError(f"the output {name} is not the name of a table: {value[:200]!r}")
    _own_name(name, value, session)
    client = session.client("dynamodb", session.checks)
    try:
        client.describe_table(TableName=value)
    except client.exceptions.ResourceNotFoundException:
        raise OutputError(f"the output {name} is {value!r}, but there is no such table") from None


def _bucket_name(name: str, value: str, session: Session) -> None:
    if not _BUCKET.fullmatch(value):
        raise OutputError(f"the output {name} is not the name of a bucket: {value[:200]!r}")
    _own_name(name, value, session)
    client = session.client("s3", session.checks)
    owned = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
    if value not in owned:
        raise OutputError(f"the output {name} is {value!r}, but there is no such bucket")


def _role_arn(name: str, value: str, session: Session) -> None:
    found = _ROLE.fullmatch(value)
    if not found or found.group(1) != session.account:
        raise OutputError(f"the output {name} is not the ARN of a role in this account: {value[:200]!r}")
    role = found.group(2).rpartition("/")[2]
    _own_name(name, role, session)
    client = session.client("iam", session.checks)
    try:
        there = client.get_role(RoleName=role)["Role"]["Arn"]
    except client.exceptions.NoSuchEntityException:
        there = ""
    if there != value:
        raise OutputError(f"the output {name} is {value!r}, but there is no such role")


def _user_pool_id(name: str, value: str, session: Session) -> None:
    if not _USER_POOL.fullmatch(value):
        raise OutputError(f"the output {name} is not the id of a user pool: {value[:200]!r}")
    client = session.client("cognito-idp", session.checks)
    try:
        pool = client.describe_user_pool(UserPoolId=value)["UserPool"]
    except client.exceptions.ResourceNotFoundException:
        raise OutputError(f"the output {name} is {value!r}, but there is no such user pool") from None
    _own_name(name, pool["Name"], session)


def _user_pool_client_id(name: str, value: str, session: Session) -> None:
    if not _USER_POOL_CLIENT.fullmatch(value):
        raise OutputError(f"the output {name} is not the id of an app client: {value[:200]!r}")
    client = session.client("cognito-idp", session.checks)
    pages = client.get_paginator("list_user_pools").paginate(MaxResults=60)
    for pool in (pool for page in pages for pool in page["UserPools"]):
        try:
            client.describe_user_pool_client(UserPoolId=pool["Id"], ClientId=value)
        except client.exceptions.ResourceNotFoundException:
            continue
        return _own_name(name, pool["Name"], session)
    raise OutputError(f"the output {name} is {value!r}, but no user pool has such an app client")


def _identity_pool_id(name: str, value: str, session: Session) -> None:
    if not _IDENTITY_POOL.fullmatch(value):
        raise OutputError(f"the output {name} is not the id of an identity pool: {value[:200]!r}")
    client = session.client("cognito-identity", session.checks)
    try:
        pool = client.describe_identity_pool(IdentityPoolId=value)
    except client.exceptions.ResourceNotFoundException:
        raise OutputError(f"the output {name} is {value!r}, but there is no such identity pool") from None
    _own_name(name, pool["IdentityPoolName"], session)


def _layer_version_arn(name: str, value: str, session: Session) -> None:
    found = _LAYER.fullmatch(value)
    if not found:
        what = "the ARN of a layer version, which ends in a number"
        raise OutputError(f"the output {name} is not {what}: {value[:200]!r}")
    if found["account"] != session.account or found["region"] != session.region:
        raise OutputError(f"the output {name} is {value!r}, which is not in this attempt's account and Region")
    _own_name(name, found["layer"], session)
    client = session.client("lambda", session.checks)
    try:
        client.get_layer_version_by_arn(Arn=value)
    except client.exceptions.ResourceNotFoundException:
        raise OutputError(f"the output {name} is {value!r}, but there is no such layer version") from None


def _queue_url(name: str, value: str, session: Session) -> None:
    client = session.client("sqs", session.checks)
    queue = value.rpartition("/")[2]
    _own_name(name, queue, session)
    try:
        there = client.get_queue_url(QueueName=queue)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist:
        there = ""
    if there != value:
        raise OutputError(f"the output {name} is {value!r}, but there is no such queue")


def _state_machine_arn(name: str, value: str, session: Session) -> None:
    found = _STATE_MACHINE.fullmatch(value)
    if not found or found.group(1) != session.account:
        raise OutputError(f"the output {name} is not the ARN of a state machine in this account: {value[:200]!r}")
    _own_name(name, found.group(2), session)
    client = session.client("stepfunctions", session.checks)
    try:
        client.describe_state_machine(stateMachineArn=value)
    except client.exceptions.StateMachineDoesNotExist:
        raise OutputError(f"the output {name} is {value!r}, but there is no such state machine") from None


def _distribution_id(name: str, value: str, session: Session) -> None:
    client = session.client("cloudfront", session.checks)
    try:
        config = client.get_distribution(Id=value)["Distribution"]["DistributionConfig"]
    except (client.exceptions.NoSuchDistribution, ParamValidationError):
        raise OutputError(f"the output {name} is {value[:200]!r}, but there is no such distribution") from None
    if not any(str(config.get(field, "")).startswith(session.prefix) for field in ("CallerReference", "Comment")):
        raise OutputError(f"the output {name} is {value!r}, a distribution without lab.name(...) as CallerReference")


def _distribution_domain(name: str, value: str, session: Session) -> None:
    found = session.client("cloudfront", session.checks).list_distributions()["DistributionList"].get("Items", [])
    if value not in [entry["DomainName"] for entry in found]:
        raise OutputError(f"the output {name} is {value[:200]!r}, which is no distribution's DomainName")


def _http_url(name: str, value: str, session: Session) -> None:
    place, door = urlsplit(value), urlsplit(session.endpoint).netloc or f"{session.region}.amazonaws.com"
    host, path = place.netloc.removesuffix(f".execute-api.{door}"), _API_PATH.match(place.path)
    api_id = path.group(1) if path and place.netloc == door else "" if host == place.netloc else host
    if place.scheme not in ("http", "https") or not _API_ID.match(api_id):
        raise OutputError(f"the output {name} is not the URL of an API, as lab.api_url(...) makes it: {value[:200]!r}")
    rest, http = session.client("apigateway", session.checks), session.client("apigatewayv2", session.checks)
    try:
        _own_name(name, rest.get_rest_api(restApiId=api_id)["name"], session)
    except rest.exceptions.NotFoundException:
        try:
            _own_name(name, http.get_api(ApiId=api_id)["Name"], session)
        except http.exceptions.NotFoundException:
            raise OutputError(f"the output {name} is {value!r}, but there is no such API") from None


def _stream_name(name: str, value: str, session: Session) -> None:
    if not _TABLE.match(value):
        raise OutputError(f"the output {name} is not the name of a stream: {value[:200]!r}")
    _own_name(name, value, session)
    client = session.client("kinesis", session.checks)
    try:
        client.describe_stream_summary(StreamName=value)
    except client.exceptions.ResourceNotFoundException:
        raise OutputError(f"the output {name} is {value!r}, but there is no such stream") from None


def _own_name(name: str, value: str, session: Session) -> None:
    if not value.startswith(session.prefix + "-"):
        raise OutputError(f"the output {name} is {value!r}, which lab.name(...) of this attempt did not make")


_KINDS: dict[str, Callable[[str, str, Session], None]] = {
    "distribution-domain": _distribution_domain,
    "distribution-id": _distribution_id,
    "alias-arn": _alias_arn,
    "function-name": _function_name,
    "http-url": _http_url,
    "layer-version-arn": _layer_version_arn,
    "table-name": _table_name,
    "queue-url": _queue_url,
    "bucket-name": _bucket_name,
    "role-arn": _role_arn,
    "state-machine-arn": _state_machine_arn,
    "user-pool-id": _user_pool_id,
    "user-pool-client-id": _user_pool_client_id,
    "identity-pool-id": _identity_pool_id,
    "stream-name": _stream_name,
}
