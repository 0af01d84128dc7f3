"""Takes down what attempts left in an account, in an order in which it can go, until no list shows it any more.

Lists lag behind, deletions take their time, and services refuse for a while: so all is listed again and again, with
pauses, until it stays empty or patience is at its end. Every thing that was seen ends as an Item. Sweeping again is
always right.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from botocore.exceptions import BotoCoreError, ClientError
from botocore.exceptions import ConnectionError as NotConnected
from botocore.parsers import ResponseParserError

from cloudkata.targets.owned import Owned
from cloudkata.targets.session import Session
from cloudkata.targets.things import TABLE, Listing, Pending, Thing, gone

GONE, SCHEDULED, LEFT, FOUND = "gone", "scheduled", "left", "found"
_REFUSALS = 3  # what is refused that often, for a reason that does not pass by itself, stays
_PASSING = (
    *("InUse", "Conflict", "Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "LimitExceeded"),
    *("Dependency", "NotDisabled", "NotReady", "NotEmpty", "Aborted", "Busy", "Unavailable", "Internal", "Timeout"),
    *("Concurrent", "PreconditionFailed", "InvalidIfMatchVersion", "InvalidState", "PriorRequestNotComplete"),
)
_NO_SERVICE = ("UnknownOperation", "InvalidAction", "NotImplemented", "SubscriptionRequired", "OptInRequired")
_SILENT = 3  # services that cannot be reached, of the first that are asked: then nobody is
_DATED = "AWS deletes it then"
_CUT = 300


@dataclass(frozen=True)
class Item:
    """What became of one thing: `gone`; `scheduled`, `until` in seconds since the epoch; `left`, with the reason.

    `found` in a sweep that only looks. `where` is a path on the console's host, `attempt` the prefix of its owner.
    """

    kind: str
    name: str
    state: str
    attempt: str = ""
    reason: str = ""
    until: float = 0.0
    where: str = ""


@dataclass(frozen=True)
class Pace:
    """How patient a sweep is, in seconds: all in all, between two looks at first and at most, and how far lists lag.

    Two empty looks in a row are taken for certain where lists lag.
    """

    patience: float = 600.0
    pause: float = 2.0
    longest: float = 15.0
    lag: float = 60.0


AT_ONCE = Pace(patience=10.0, pause=0.1, longest=1.0, lag=0.0)


class Sweep:
    """One sweep. `client(service, region)` makes clients, the Region "" being the one attempts are deployed in.

    `lenient`: the target may lack services. `regions`: others in which AWS itself leaves something. `since`: when the
    last call went out. `say` is told what is waited for.
    """

    def __init__(
        self,
        client: Callable[[str, str], object],
        owned: Owned,
        *,
        pace: Pace = Pace(),
        table: Iterable[Listing] = TABLE,
        region: str = "us-east-1",
        regions: Iterable[str] = (),
        lenient: bool = False,
        since: float = 0.0,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._client, self._owned, self._pace, self._say = client, owned, pace, say
        self._region, self._lenient, self._since = region, lenient, since
        places = [(listing, place) for listing in table for place in ("", *(regions if listing.everywhere else ()))]
        self._places = tuple(places)
        self._items: dict[tuple, Item] = {}
        self._refused: dict[tuple, int] = {}
        self._blind: dict[tuple, Item] = {}  # listings that could not be had
        self._silent, self._heard = 0, False
        self._nobody: Item | None = None

    def look(self) -> list[Item]:
        """What is there; nothing is deleted."""
        self._round(delete=False)
        return [self._nobody] if self._nobody else [*self._items.values(), *self._blind.values()]

    def run(self) -> list[Item]:
        """Delete it all. Never raises for what a service answers."""
        pause, empty, deadline = self._pace.pause, 0, 0.0
        while True:
            waiting = self._round(delete=True)
            deadline = deadline or time.monotonic() + self._pace.patience
            if self._nobody:
                return [self._nobody]
            empty = 0 if waiting else empty + 1
            settled = time.time() > self._since + self._pace.lag
            if settled and empty >= (2 if self._pace.lag else 1):
                break
            if time.monotonic() + pause > deadline:
                self._round(delete=False)  # what was deleted last is to be seen to be gone
                break
            self._say(self._awaited(waiting))
            time.sleep(pause)
            pause = min(pause * 1.5, self._pace.longest)
        return self._told()

    def _round(self, delete: bool) -> list[Item]:
        """Look at everything once, and delete what is owned; what has to be looked at again."""
        shown: set[tuple] = set()
        again: list[Item] = []
        for listing, region in self._places:
            things = self._list(listing, region, again)
            if self._nobody:
                return []
            for thing in things:
                owner = self._owned.by(listing, thing)
                item = self._item(listing, thing, region, owner)
                key = (listing.kind, region, *thing.key)
                if not owner:
                    prefix, at = self._owned.claimed(listing, thing)
                    if prefix:
                        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
                        why = f"an attempt asked for that name at {when}; whether it was there before, look yourself"
                        shown.add(key)
                        self._items[key] = replace(item, attempt=prefix, state=LEFT, reason=why)
                    continue
                shown.add(key)
                if not delete:
                    dated = replace(item, state=SCHEDULED, until=thing.until, reason=_DATED)
                    self._items.setdefault(key, dated if thing.until else item)
                    continue
                self._items[key] = self._delete(listing, thing, item, key)
                if self._items[key].state == FOUND:
                    again.append(self._items[key])
        for key, item in self._items.items():
            if key not in shown and not self._unseen(key):
                self._items[key] = replace(item, state=GONE, reason="", until=0.0)
        return again

    def _unseen(self, key: tuple) -> bool:
        """Whether the list that would show a thing could not be had this time."""
        return key[:2] in self._blind

    def _list(self, listing: Listing, region: str, again: list[Item]) -> list[Thing]:
        place = (listing.kind, region)
        self._blind.pop(place, None)
        try:
            found = list(listing.find(self._client(listing.service, region)))
            self._heard = True
            return found
        except (ClientError, BotoCoreError, ResponseParserError, KeyError) as error:
            if self._lacks(error):
                return []
            self._silent += isinstance(error, NotConnected)
            self._heard = self._heard or not isinstance(error, NotConnected)
            if self._silent == _SILENT and not self._heard:
                self._nobody = Item("everything", "in the account", LEFT, "", f"AWS is not reached: {error}"[:_CUT])
            where = listing.console.format(region=region or self._region, name="", id="")
            item = Item(f"{listing.kind}s", "all", LEFT, "", f"they could not be listed: {error}"[:_CUT], 0.0, where)
            self._blind[place] = item
            self._refused[place] = self._refused.get(place, 0) + 1
            if _passes(error) or self._refused[place] < _REFUSALS:
                again.append(item)
            return []

    def _lacks(self, error: Exception) -> bool:
        """Whether the target has no such service, and so nothing of it."""
        if not isinstance(error, ClientError):
            return self._lenient and not isinstance(error, BotoCoreError)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code", "")
        return any(word in code for word in _NO_SERVICE) or (self._lenient and status in (404, 405, 501))

    def _delete(self, listing: Listing, thing: Thing, item: Item, key: tuple) -> Item:
        """Ask for it to be deleted. FOUND: it has to be looked at again."""
        if thing.until:
            return replace(item, state=SCHEDULED, until=thing.until, reason=_DATED)
        if thing.going:
            return replace(item, reason="it is being deleted")
        if self._refused.get(key, 0) >= _REFUSALS:
            return self._items[key]
        try:
            thing.delete()
        except Pending as pending:
            state = FOUND if pending.soon else SCHEDULED
            return replace(item, state=state, reason=pending.reason, until=time.time() + pending.until)
        except (ClientError, BotoCoreError, ResponseParserError, KeyError) as error:
            if gone(error):
                return replace(item, state=GONE)  # a list that lags behind
            self._refused[key] = self._refused.get(key, 0) + (not _passes(error))
            state = LEFT if self._refused[key] >= _REFUSALS else FOUND
            return replace(item, state=state, reason=str(error)[:_CUT])
        return replace(item, reason="it was told to go, and a list still shows it")

    def _item(self, listing: Listing, thing: Thing, region: str, owner: str) -> Item:
        places = {"region": region or self._region, "name": thing.name, "id": thing.ids[0] if thing.ids else ""}
        where = listing.console.format(**places)
        return Item(listing.kind, thing.name or "without a name", FOUND, owner, "", 0.0, where)

    def _told(self) -> list[Item]:
        """Every item in its last state: what was still waited for is scheduled where there is a date, or left."""
        held = {item.kind: item for item in self._items.values() if item.until}
        by_kind = {listing.kind: listing.held_by for listing, _ in self._places}
        told = []
        for item in self._items.values():
            if item.state == FOUND and item.until:
                item = replace(item, state=SCHEDULED)
            elif item.state == FOUND and (holder := held.get(by_kind[item.kind])):
                why = f"the {holder.kind} {holder.name} has to go first; sweep again then"
                item = replace(item, state=SCHEDULED, until=holder.until, reason=why)
            elif item.state == FOUND:
                why = item.reason or "it appeared as the sweep came to its end"
                item = replace(item, state=LEFT, reason=f"{why}; sweep again"[:_CUT])
            told.append(item)
        return [*told, *self._blind.values()]

    @staticmethod
    def _awaited(waiting: list[Item]) -> str:
        """A few words about what is waited for."""
        if not waiting:
            return "Looking again: lists lag behind"
        first = waiting[0]
        more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        return f"Waiting for {first.kind} {first.name}{more}"


def sweep(session: Session, everything: bool = False) -> list[str]:
    """Delete what belongs to an attempt on an emulator; a sentence for each thing that could not be.

    `everything`: all that is in the account, whatever its name.
    """
    items = _of_session(session, everything).run()
    return [f"{item.kind} {item.name}: {item.reason}" for item in items if item.state != GONE]


def found(session: Session, everything: bool = False) -> list[Item]:
    """What sweep() would delete."""
    return _of_session(session, everything).look()


def _of_session(session: Session, everything: bool) -> Sweep:
    owned = Owned([session.prefix], everything=everything)
    table = [listing for listing in TABLE if listing.service != "ec2"]  # no emulator makes interfaces for functions
    client = lambda service, _: session.client(service, session.checks)  # noqa: E731
    return Sweep(client, owned, pace=AT_ONCE, table=table, lenient=True)


def _passes(error: Exception) -> bool:
    """Whether a refusal passes by itself."""
    if isinstance(error, BotoCoreError):
        return True  # AWS was not reached
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status == 429 or status >= 500 or any(word in _code(error) for word in _PASSING)


def _code(error: Exception) -> str:
    return error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
