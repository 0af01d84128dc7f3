"""Takes down what an attempt left on a target, as far as names tell: what a list shows under the attempt's prefix.

In an account that is the attempt's own everything goes. A service that the target does not have holds nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from cloudkata.targets.session import Session

_ROUNDS = 3  # what others stand on goes in a later round
_CODES_OF_GONE = ("NotFound", "NoSuch", "DoesNotExist", "NonExistent")


@dataclass(frozen=True)
class Thing:
    """Something that was deployed: its kind, its name for people, and how it is deleted."""

    kind: str
    name: str
    delete: Callable[[], object]


def sweep(session: Session, everything: bool = False) -> list[str]:
    """Delete what belongs to an attempt; a sentence for each thing that could not be. Never raises for one.

    `everything`: all that is in the account, whatever its name.
    """
    left: list[str] = []
    for _ in range(_ROUNDS):
        left = []
        for thing in found(session, everything):
            try:
                thing.delete()
            except (ClientError, BotoCoreError) as error:
                if not _gone(error):
                    left.append(f"{thing.kind} {thing.name}: {error}"[:300])
        if not left:
            break
    return left


def found(session: Session, everything: bool = False) -> Iterator[Thing]:
    """What of an attempt is there, in the order in which it can go."""

    def mine(name: str) -> bool:
        return everything or name.startswith(session.prefix) or f"/{session.prefix}" in name

    for listing in _LISTINGS:
        things: list[Thing] = []
        with contextlib.suppress(ClientError, BotoCoreError):  # the target has no such service
            things = [thing for thing in listing(session) if mine(thing.name)]
        yield from things


def _gone(error: Exception) -> bool:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    return any(word in code for word in _CODES_OF_GONE)


def _pages(client, operation: str, key: str, **given) -> Iterable:
    """All items of a paginated list."""
    for page in client.get_paginator(operation).paginate(**given):
        yield from page.get(key) or ()


def _mappings(session: Session) -> Iterator[Thing]:
    client = session.client("lambda", session.checks)
    for one in _pages(client, "list_event_source_mappings", "EventSourceMappings"):
        uuid, function = one["UUID"], one.get("FunctionArn", "").split(":function:")[-1]
        if one.get("State") != "Deleting":
            yield Thing(
                "event source mapping", function, lambda uuid=uuid: client.delete_event_source_mapping(UUID=uuid)
            )


def _functions(session: Session) -> Iterator[Thing]:
    client = session.client("lambda", session.checks)
    for one in _pages(client, "list_functions", "Functions"):
        name = one["FunctionName"]
        yield Thing("function", name, lambda name=name: client.delete_function(FunctionName=name))


def _layers(session: Session) -> Iterator[Thing]:
    client = session.client("lambda", session.checks)
    for one in _pages(client, "list_layers", "Layers"):
        name = one["LayerName"]
        for version in _pages(client, "list_layer_versions", "LayerVersions", LayerName=name):
            number = version["Version"]
            yield Thing(
                "layer version",
                name,
                lambda name=name, number=number: client.delete_layer_version(LayerName=name, VersionNumber=number),
            )


def _machines(session: Session) -> Iterator[Thing]:
    client = session.client("stepfunctions", session.checks)
    for one in _pages(client, "list_state_machines", "stateMachines"):
        arn, name = one["stateMachineArn"], one["name"]
        if one.get("type") != "EXPRESS":
            for run in _pages(client, "list_executions", "executions", stateMachineArn=arn, statusFilter="RUNNING"):
                run_arn = run["executionArn"]
                yield Thing("execution", name, lambda run_arn=run_arn: client.stop_execution(executionArn=run_arn))
        yield Thing("state machine", name, lambda arn=arn: client.delete_state_machine(stateMachineArn=arn))


def _rest_apis(session: Session) -> Iterator[Thing]:
    client = session.client("apigateway", session.checks)
    for one in _pages(client, "get_rest_apis", "items"):
        key = one["id"]
        yield Thing("REST API", one["name"], lambda key=key: client.delete_rest_api(restApiId=key))


def _http_apis(session: Session) -> Iterator[Thing]:
    client = session.client("apigatewayv2", session.checks)
    for one in _pages(client, "get_apis", "Items"):
        key = one["ApiId"]
        yield Thing("HTTP API", one["Name"], lambda key=key: client.delete_api(ApiId=key))


def _queues(session: Session) -> Iterator[Thing]:
    client = session.client("sqs", session.checks)
    for url in _pages(client, "list_queues", "QueueUrls"):
        yield Thing("queue", url.rpartition("/")[2], lambda url=url: client.delete_queue(QueueUrl=url))


def _topics(session: Session) -> Iterator[Thing]:
    client = session.client("sns", session.checks)
    for one in _pages(client, "list_topics", "Topics"):
        arn = one["TopicArn"]
        yield Thing("topic", arn.rpartition(":")[2], lambda arn=arn: client.delete_topic(TopicArn=arn))


def _streams(session: Session) -> Iterator[Thing]:
    client = session.client("kinesis", session.checks)
    for name in _pages(client, "list_streams", "StreamNames"):
        status = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"]
        if status != "DELETING":
            yield Thing(
                "stream",
                name,
                lambda name=name: client.delete_stream(StreamName=name, EnforceConsumerDeletion=True),
            )


def _tables(session: Session) -> Iterator[Thing]:
    client = session.client("dynamodb", session.checks)
    for name in _pages(client, "list_tables", "TableNames"):
        yield Thing("table", name, lambda name=name: client.delete_table(TableName=name))


def _buckets(session: Session) -> Iterator[Thing]:
    client = session.client("s3", session.checks)

    def empty_and_delete(name: str) -> None:
        for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
            versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            keys = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
            if keys:
                client.delete_objects(Bucket=name, Delete={"Objects": keys})
        client.delete_bucket(Bucket=name)

    for one in client.list_buckets()["Buckets"]:
        yield Thing("bucket", one["Name"], lambda name=one["Name"]: empty_and_delete(name))


def _user_pools(session: Session) -> Iterator[Thing]:
    client = session.client("cognito-idp", session.checks)
    for one in _pages(client, "list_user_pools", "UserPools", MaxResults=60):
        key = one["Id"]
        yield Thing("user pool", one["Name"], lambda key=key: client.delete_user_pool(UserPoolId=key))


def _identity_pools(session: Session) -> Iterator[Thing]:
    client = session.client("cognito-identity", session.checks)
    for one in _pages(client, "list_identity_pools", "IdentityPools", MaxResults=60):
        key = one["IdentityPoolId"]
        name = one["IdentityPoolName"]
        yield Thing("identity pool", name, lambda key=key: client.delete_identity_pool(IdentityPoolId=key))


def _distributions(session: Session) -> Iterator[Thing]:
    client = session.client("cloudfront", session.checks)

    def disable_and_delete(key: str) -> None:
        found = client.get_distribution_config(Id=key)
        config, tag = found["DistributionConfig"], found["ETag"]
        if config["Enabled"]:
            config["Enabled"] = False
            tag = client.update_distribution(Id=key, IfMatch=tag, DistributionConfig=config)["ETag"]
        client.delete_distribution(Id=key, IfMatch=tag)

    for one in client.list_distributions()["DistributionList"].get("Items", ()):
        yield Thing("distribution", one.get("Comment", ""), lambda key=one["Id"]: disable_and_delete(key))


def _edge_functions(session: Session) -> Iterator[Thing]:
    client = session.client("cloudfront", session.checks)

    def delete(name: str) -> None:
        client.delete_function(Name=name, IfMatch=client.describe_function(Name=name)["ETag"])

    for one in client.list_functions()["FunctionList"].get("Items", ()):
        yield Thing("CloudFront function", one["Name"], lambda name=one["Name"]: delete(name))


def _edge_stores(session: Session) -> Iterator[Thing]:
    client = session.client("cloudfront", session.checks)

    def delete(name: str) -> None:
        client.delete_key_value_store(Name=name, IfMatch=client.describe_key_value_store(Name=name)["ETag"])

    for one in client.list_key_value_stores()["KeyValueStoreList"].get("Items", ()):
        yield Thing("key-value store", one["Name"], lambda name=one["Name"]: delete(name))


def _log_groups(session: Session) -> Iterator[Thing]:
    client = session.client("logs", session.checks)
    for one in _pages(client, "describe_log_groups", "logGroups"):
        name = one["logGroupName"]
        yield Thing("log group", name, lambda name=name: client.delete_log_group(logGroupName=name))


def _users(session: Session) -> Iterator[Thing]:
    client = session.client("iam", session.checks)

    def delete(name: str) -> None:
        for key in client.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            client.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for policy in client.list_user_policies(UserName=name)["PolicyNames"]:
            client.delete_user_policy(UserName=name, PolicyName=policy)
        client.delete_user(UserName=name)

    for one in _pages(client, "list_users", "Users"):
        yield Thing("user", one["UserName"], lambda name=one["UserName"]: delete(name))


def _roles(session: Session) -> Iterator[Thing]:
    client = session.client("iam", session.checks)

    def delete(name: str) -> None:
        for policy in client.list_role_policies(RoleName=name)["PolicyNames"]:
            client.delete_role_policy(RoleName=name, PolicyName=policy)
        for policy in client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            client.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        client.delete_role(RoleName=name)

    for one in _pages(client, "list_roles", "Roles"):
        if not one["Path"].startswith("/aws-service-role/"):
            yield Thing("role", one["RoleName"], lambda name=one["RoleName"]: delete(name))


# What calls others goes before what is called, and roles go last.
_LISTINGS: tuple[Callable[[Session], Iterator[Thing]], ...] = (
    _mappings,
    _distributions,
    _edge_functions,
    _edge_stores,
    _machines,
    _rest_apis,
    _http_apis,
    _functions,
    _layers,
    _queues,
    _topics,
    _streams,
    _tables,
    _buckets,
    _user_pools,
    _identity_pools,
    _log_groups,
    _users,
    _roles,
)
