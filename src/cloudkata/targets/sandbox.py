"""Takes down what attempts left in a real account, by their ledgers; or looks what there is.

A ledger is removed once nothing of its attempt is left or scheduled. One that is still written is another's: neither it
nor what it tells of is touched.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from cloudkata.targets.ledger import Written
from cloudkata.targets.owned import Owned
from cloudkata.targets.profile import Profile
from cloudkata.targets.sweep import AT_ONCE, FOUND, GONE, LEFT, Item, Pace, Sweep

_EDGE = "cloudfront"  # functions at the edge log in the Regions of their viewers
_RUNS = "an attempt that runs right now, here: it is left alone"


def sweep_account(
    profile: Profile,
    ledgers: Iterable[Written],
    *,
    any_attempt: bool = False,
    only_look: bool = False,
    pace: Pace | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> list[Item]:
    """What became of each thing that the attempts of `ledgers` left. Never raises for what a service answers.

    `any_attempt`: also what other machines deployed, as far as names tell.
    """
    found = list(ledgers)
    running, ledgers = [one for one in found if one.running], [one for one in found if not one.running]
    told = [Item("attempt", one.prefix, LEFT, one.prefix, _RUNS) for one in running]
    if not ledgers and not any_attempt:
        return told
    owned = Owned(ledgers=ledgers, any_attempt=any_attempt, spared=[one.prefix for one in running])
    calls = [call for one in ledgers for call in one.calls]
    sweep = Sweep(
        functools.cache(profile.client),
        owned,
        pace=pace or (AT_ONCE if profile.endpoint else Pace()),  # an emulator that plays AWS has no delays
        region=profile.region,
        regions=_regions(profile) if any_attempt or any(call.service == _EDGE for call in calls) else (),
        lenient=bool(profile.endpoint),
        since=max((call.at for call in calls), default=0.0),
        say=say,
    )
    told += _by_tag(profile, owned)
    told += sweep.look() if only_look else sweep.run()
    if not only_look:
        _remove(ledgers, told)
    return told


def sentence(item: Item) -> str:
    """An item that is not gone, in words."""
    return f"{item.kind} {item.name}: {item.reason}"


def _by_tag(profile: Profile, owned: Owned) -> list[Item]:
    """Find what is tagged; an item when nobody may ask."""
    try:
        owned.find_tagged(profile.client("resourcegroupstaggingapi"))
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        if not profile.endpoint:
            return [Item("tags", "all", LEFT, "", f"they could not be looked up: {error}"[:300])]
    return []


def _regions(profile: Profile) -> list[str]:
    """All other Regions that the account has. Where nobody may ask, those that every account has are taken."""
    try:
        found = profile.client("ec2").describe_regions()["Regions"]
        names = [one["RegionName"] for one in found]
    except (ClientError, BotoCoreError, ResponseParserError):
        names = [] if profile.endpoint else list(_EVERY_ACCOUNT)
    return sorted(set(names) - {profile.region})


# https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html: enabled by default
_EVERY_ACCOUNT = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
    *("eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1"),
    *("ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
)


def _remove(ledgers: list[Written], told: list[Item]) -> None:
    """Remove the ledgers of attempts of which nothing is there any more, as far as everything could be looked at."""
    open_ones = {item.attempt for item in told if item.state not in (GONE, FOUND)}
    for one in ledgers:
        if one.prefix not in open_ones and "" not in open_ones:
            one.path.unlink(missing_ok=True)
