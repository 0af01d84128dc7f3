"""A distribution's settings, as far as MiniStack keeps them without reading them: Lambda@Edge and times to live."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

# https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CachePolicyConfig.html
_DEFAULT_TTL = 86_400
_MAX_TTL = 31_536_000
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
_ERROR_TTL = 10


@dataclass(frozen=True)
class LambdaAssociation:
    arn: str
    include_body: bool


@dataclass(frozen=True)
class Ttl:
    """Seconds that an answer may stay in the cache."""

    least: int = 0
    default: int = _DEFAULT_TTL
    most: int = _MAX_TTL


@dataclass(frozen=True)
class Behavior:
    """One cache behaviour. `parsed` is what MiniStack's own request path works with."""

    parsed: dict
    functions: dict[str, str]
    lambdas: dict[str, LambdaAssociation]
    ttl: Ttl


@dataclass(frozen=True)
class Settings:
    """`behaviors` in the order in which they are tried; the last one is the default."""

    behaviors: tuple[Behavior, ...]
    error_ttl: dict[int, int] = field(default_factory=dict)

    def behavior(self, path: str) -> Behavior:
        from ministack.services import cloudfront

        for behavior in self.behaviors[:-1]:
            if cloudfront._glob_to_regex(behavior.parsed["path_pattern"]).match(path):
                return behavior
        return self.behaviors[-1]

    def ttl_of_error(self, status: int) -> int:
        return self.error_ttl.get(status, _ERROR_TTL)


def read(distribution: dict) -> Settings:
    """The settings of a distribution as MiniStack keeps it."""
    from ministack.services import cloudfront

    return parse(cloudfront._dist_config_el(distribution))


def parse(config: Element) -> Settings:
    """The settings in a DistributionConfig."""
    from ministack.services import cloudfront

    found = [_behavior(entry, text(entry, "PathPattern")) for entry in items(config, "CacheBehaviors")]
    default = cloudfront._find(config, "DefaultCacheBehavior")
    if default is not None:
        found.append(_behavior(default, None))
    errors = {
        int(text(entry, "ErrorCode")): int(text(entry, "ErrorCachingMinTTL") or _ERROR_TTL)
        for entry in items(config, "CustomErrorResponses")
        if text(entry, "ErrorCode").isdigit()
    }
    return Settings(tuple(found), errors)


def items(parent: Element, name: str) -> list[Element]:
    """The entries of one of CloudFront's lists, with their Quantity beside them."""
    from ministack.services import cloudfront

    block = cloudfront._find(parent, name)
    inner = cloudfront._find(block, "Items") if block is not None else None
    return list(inner) if inner is not None else []


def text(parent: Element, name: str) -> str:
    from ministack.services import cloudfront

    return (cloudfront._text(parent, name) or "").strip()


def _behavior(entry: Element, pattern: str | None) -> Behavior:
    from ministack.services import cloudfront

    lambdas = {
        text(one, "EventType"): LambdaAssociation(
            text(one, "LambdaFunctionARN"), text(one, "IncludeBody").lower() == "true"
        )
        for one in items(entry, "LambdaFunctionAssociations")
    }
    parsed = cloudfront._dataplane_behavior(entry, pattern)
    return Behavior(parsed, parsed["functions"], lambdas, _ttl(entry, parsed))


def _ttl(entry: Element, parsed: dict) -> Ttl:
    from ministack.services import cloudfront

    policy = parsed["cache_policy_id"]
    if policy:
        kept = cloudfront._cache_policies.get(policy) or cloudfront._MANAGED_CACHE_POLICIES.get(policy)
        config = kept["Config"] if kept else {}
        least = int(config.get("MinTTL", 0))
        default, most = config.get("DefaultTTL"), config.get("MaxTTL")
    else:
        least = int(text(entry, "MinTTL") or 0)
        default, most = text(entry, "DefaultTTL"), text(entry, "MaxTTL")
    chosen = max(_DEFAULT_TTL, least) if default in (None, "") else int(default)
    return Ttl(least, chosen, max(_MAX_TTL, chosen) if most in (None, "") else int(most))
