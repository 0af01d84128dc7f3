"""CloudFront: distributions, and what they hold, which can go only after them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from cloudkata.targets.things.thing import Listing, Pending, Thing, items

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HowToDeleteDistribution.html: all edges must know
# first that it is disabled, which takes some minutes.
_DISABLING_SECONDS = 15 * 60.0


def _distributions(client) -> Iterator[Thing]:
    def disable_or_delete(key: str) -> None:
        found = client.get_distribution_config(Id=key)
        config, tag = found["DistributionConfig"], found["ETag"]
        if config["Enabled"]:
            client.update_distribution(Id=key, IfMatch=tag, DistributionConfig=_without_functions(config))
        found = client.get_distribution(Id=key)
        if found["Distribution"]["Status"] != "Deployed":
            raise Pending("it is being disabled at all edges; then it can be deleted", _DISABLING_SECONDS)
        client.delete_distribution(Id=key, IfMatch=found["ETag"])

    for one in items(client, "list_distributions", "DistributionList.Items"):
        key = one["Id"]
        yield Thing(one.get("Comment", ""), lambda key=key: disable_or_delete(key), (key,), one.get("ARN", ""))


def _without_functions(config: dict) -> dict:
    """The same, disabled, and calling nobody: what is gone cannot be named, and the replicas of what is not may go."""
    none: dict = {"Quantity": 0}
    for behaviour in (config["DefaultCacheBehavior"], *config.get("CacheBehaviors", none).get("Items", ())):
        behaviour |= {"FunctionAssociations": none, "LambdaFunctionAssociations": none}
    return {**config, "Enabled": False}


def _by_tag(get: Callable[..., dict], delete: Callable[..., object], **key) -> Callable[[], object]:
    """Deletes what wants the ETag of its present state."""
    return lambda: delete(**key, IfMatch=get(**key)["ETag"])


def _functions(client) -> Iterator[Thing]:
    describe = functools.partial(client.describe_function, Stage="DEVELOPMENT")  # the ETag of both stages
    for name in dict.fromkeys(one["Name"] for one in items(client, "list_functions", "FunctionList.Items")):
        yield Thing(name, _by_tag(describe, client.delete_function, Name=name))


def _stores(client) -> Iterator[Thing]:
    for one in items(client, "list_key_value_stores", "KeyValueStoreList.Items"):
        name = one["Name"]
        delete = _by_tag(client.describe_key_value_store, client.delete_key_value_store, Name=name)
        yield Thing(name, delete, going=one.get("Status") == "DELETING")


def _access_controls(client) -> Iterator[Thing]:
    for one in items(client, "list_origin_access_controls", "OriginAccessControlList.Items"):
        key = one["Id"]
        delete = _by_tag(client.get_origin_access_control, client.delete_origin_access_control, Id=key)
        yield Thing(one["Name"], delete, (key,))


def _policies(word: str, wrapper: str) -> Callable[[object], Iterator[Thing]]:
    """The policies of a sort that are nobody's but the account's."""

    def find(client) -> Iterator[Thing]:
        get, delete = (getattr(client, f"{verb}_{word}_policy") for verb in ("get", "delete"))
        for one in items(client, f"list_{word}_policies", f"{wrapper}PolicyList.Items", Type="custom"):
            policy = one[f"{wrapper}Policy"]
            key = policy["Id"]
            yield Thing(policy[f"{wrapper}PolicyConfig"]["Name"], _by_tag(get, delete, Id=key), (key,))

    return find


_PLACE = "/cloudfront/v4/home#/"
_KIND = "distribution"
DISTRIBUTIONS = Listing(
    _KIND,
    "cloudfront",
    _distributions,
    f"{_PLACE}distributions/{{id}}",
    ("CreateDistribution", "CreateDistributionWithTags"),
)
EDGE_FUNCTIONS = Listing("CloudFront function", "cloudfront", _functions, f"{_PLACE}functions", held_by=_KIND)
STORES = Listing("key-value store", "cloudfront", _stores, f"{_PLACE}keyvaluestores", held_by=_KIND)
ACCESS_CONTROLS = Listing(
    "origin access control",
    "cloudfront",
    _access_controls,
    f"{_PLACE}originAccess",
    ("CreateOriginAccessControl",),
    held_by=_KIND,
)
CACHE_POLICIES, REQUEST_POLICIES, HEADERS_POLICIES = (
    Listing(
        f"{word.replace('_', ' ')} policy",
        "cloudfront",
        _policies(word, wrapper),
        f"{_PLACE}policies/{place}",
        (f"Create{wrapper}Policy",),
        held_by=_KIND,
    )
    for word, wrapper, place in (
        ("cache", "Cache", "cache"),
        ("origin_request", "OriginRequest", "origin"),
        ("response_headers", "ResponseHeaders", "responseHeaders"),
    )
)
