"""Tells what in an account is an attempt's: by its name, by its tag, or by an id in a ledger. Nothing else is touched.

A name alone in a ledger proves nothing: many calls succeed on what was there before. An id that a service minted in
answer to the very call that makes such a thing does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cloudkata.targets.lab_roles import TAG
from cloudkata.targets.ledger import Call, Written
from cloudkata.targets.things import Listing, Thing, items

# As sessions make them: kata, the lab's number, four random digits. Functions at the edge log below a Region's name.
_PREFIX = r"kata[0-9a-z]{2}-[0-9a-f]{4}"
_BEGINS = r"(?:^|/)(?:[a-z]{2}(?:-[a-z]+)+-\d\.)?"
_ENDS = r"(?![A-Za-z0-9])"
_MAKES = re.compile(r"(Create|Publish|Run|Register|Import|Restore|Allocate)[A-Z]|Put(Parameter|Rule|MetricAlarm)$")


class Owned:
    """What attempts own: names that begin with one of their prefixes, what bears their tag, what a ledger proves.

    `any_attempt`: everything whose name begins as an attempt's does, but for `spared` prefixes. `everything`: all.
    """

    def __init__(
        self,
        prefixes: Iterable[str] = (),
        ledgers: Iterable[Written] = (),
        *,
        any_attempt: bool = False,
        everything: bool = False,
        spared: Iterable[str] = (),
    ) -> None:
        self._everything = everything
        self._spared = frozenset(spared)
        ledgers = tuple(ledgers)
        known = [*prefixes, *(one.prefix for one in ledgers)]
        wanted = [_PREFIX] if any_attempt else [re.escape(prefix) for prefix in known]
        self._name = re.compile(f"{_BEGINS}({'|'.join(wanted)}){_ENDS}") if wanted else None
        self._minted = {key: ledger.prefix for ledger in ledgers for key in _minted(ledger.calls)}
        self._claimed = {
            (call.service, name): (ledger.prefix, call.at)
            for ledger in ledgers
            for call in ledger.calls
            if _claims(call)
            for name in call.names
        }
        self._tagged: dict[str, str] = {}
        self._ids: dict[str, str] = {}  # of what was found to be owned

    def find_tagged(self, client) -> None:
        """Ask which ARNs bear the tag; `client` is one of resourcegroupstaggingapi. Raises what botocore raises."""
        wanted = [{"Key": TAG}]
        for one in items(client, "get_resources", "ResourceTagMappingList", TagFilters=wanted):
            value = next((tag["Value"] for tag in one["Tags"] if tag["Key"] == TAG), "")
            if self._name and self._name.fullmatch(value) and value not in self._spared:
                self._tagged[one["ResourceARN"]] = value

    def by(self, listing: Listing, thing: Thing) -> str:
        """The prefix of the attempt that owns a thing, or "". With `everything` all is somebody's."""
        if self._everything:
            return "*"
        found = self._name.search(thing.name) if self._name else None
        owner = found[1] if found else self._tagged.get(thing.arn, "")
        for key in thing.ids:
            minted = (self._minted.get((operation, key)) for operation in listing.made_by)
            owner = owner or self._ids.get(key, "") or next(filter(None, minted), "")
        owner = owner or next((self._ids[key] for key in thing.of if key in self._ids), "")
        if not owner or owner in self._spared:
            return ""
        self._ids |= dict.fromkeys(thing.ids, owner)
        return owner

    def claimed(self, listing: Listing, thing: Thing) -> tuple[str, float]:
        """(the attempt whose code asked for a thing of that name without its prefix, when), or nothing.

        Whether it was there before, nobody can tell.
        """
        return self._claimed.get((_service(listing), thing.name), ("", 0.0))


def _minted(calls: tuple[Call, ...]) -> Iterator[tuple[str, str]]:
    """(operation, id) of each id that a call's answer has, and that was not in the call itself."""
    for call in calls:
        if 200 <= call.status < 300:
            yield from ((call.operation, made) for made in call.made if made not in call.names)


def _claims(call: Call) -> bool:
    """Whether a call may have made something by the very name it was given."""
    return bool(_MAKES.match(call.operation)) and call.status < 300


def _service(listing: Listing) -> str:
    """What requests for it are signed for."""
    return {"stepfunctions": "states", "apigatewayv2": "apigateway"}.get(listing.service, listing.service)
