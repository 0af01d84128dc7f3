"""Lab 14: what the wallet does, alone and when several processes use it at once.

Nothing here knows how the keys look: an account is the item with a `balance` that opening it made.
"""

from __future__ import annotations

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from cloudkata.checking import check, expect

RACERS = 3
ROUNDS = 8  # rounds of a race: a write that is only sometimes lost is lost in one of them
EACH = 40  # transfers of each process in the big race
GROWTH = 30  # transfers: their request ids, 36 bytes each, are more than a KB together
SNAPSHOT_SECONDS = 0.02
LONGEST_SECONDS = 30.0
CUT_SECONDS = 1.0  # as long as a call that is meant to be cut off may take
ONE_PLACE = "Reading first and writing later leaves a gap, and in that gap others write: decide in the write itself."


class Table:
    """The wallet's table, read with the checks' own keys. Keys are the raw values of `pk`."""

    def __init__(self, lab) -> None:
        self._client = lab.client("dynamodb")
        self.name = lab.outputs["WalletTable"]

    def keys(self) -> list[str]:
        """The names of its partition key and, if it has one, its sort key."""
        return [key["AttributeName"] for key in self._client.describe_table(TableName=self.name)["Table"]["KeySchema"]]

    def holding(self, attribute: str) -> set[str]:
        """The keys of all items with this attribute."""
        return set(self._raw(attribute))

    def added(self, attribute: str, before: set[str]) -> dict[str, dict]:
        """Those items, by key, that were not there `before`."""
        return {key: plain(item) for key, item in self._raw(attribute).items() if key not in before}

    def _raw(self, attribute: str) -> dict[str, dict]:
        pages = self._client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        found = [item for page in pages for item in page["Items"] if attribute in item]
        return {str(next(iter(item.get("pk", {"NULL": None}).values()))): item for item in found}

    def item(self, key: str) -> dict:
        return self.items(key)[0]

    def items(self, *keys: str) -> list[dict]:
        """One item for each key, {} where there is none; of up to 100."""
        wanted = {"Keys": [{"pk": {"S": key}} for key in keys], "ConsistentRead": True}
        reply = self._client.batch_get_item(RequestItems={self.name: wanted})
        found = {item["pk"]["S"]: plain(item) for item in reply["Responses"][self.name]}
        return [found.get(key, {}) for key in keys]

    def at_one_moment(self, keys: list[str]) -> list:
        """The balances of some accounts between two transactions, never in the middle of one."""
        reads = [{"Get": {"TableName": self.name, "Key": {"pk": {"S": key}}}} for key in keys]
        deadline = time.monotonic() + LONGEST_SECONDS
        while True:
            try:
                found = self._client.transact_get_items(TransactItems=reads)["Responses"]
                return [plain(entry.get("Item", {})).get("balance") for entry in found]
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionCanceledException" or time.monotonic() > deadline:
                    raise

    def units(self, keys: list[str]) -> tuple[float, float]:
        """Write units of an update of each item that changes nothing: one by one, and in a transaction."""
        updates = [
            {
                "TableName": self.name,
                "Key": {"pk": {"S": key}},
                "UpdateExpression": "ADD balance :nothing",
                "ExpressionAttributeValues": {":nothing": {"N": "0"}},
            }
            for key in keys
        ]
        alone = [self._client.update_item(**update, ReturnConsumedCapacity="TOTAL") for update in updates]
        together = self._client.transact_write_items(
            TransactItems=[{"Update": update} for update in updates], ReturnConsumedCapacity="TOTAL"
        )
        return (
            sum(reply["ConsumedCapacity"]["CapacityUnits"] for reply in alone),
            sum(entry["CapacityUnits"] for entry in together["ConsumedCapacity"]),
        )


def plain(item: dict) -> dict:
    """An item as Python values; whole numbers are ints."""
    values = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
    return {name: int(v) if isinstance(v, Decimal) and v == int(v) else v for name, v in values.items()}


def answer(called, what: str) -> dict:
    """What a function returned: {"ok": bool, "reason": ...}."""
    if called.error:
        where = "".join(f", {frame.file} line {frame.line}" for frame in called.frames)
        source = "".join(f": {frame.source}" for frame in called.frames[-1:])
        expect(what, f"{called.error}{where}{source}").meets(
            False, "an answer", why="A refusal is an answer too; an exception tells the caller nothing."
        )
    well = isinstance(called.value, dict) and isinstance(called.value.get("ok"), bool)
    expect(what, called.value).meets(well, '{"ok": True or False, "reason": ...}', why="Callers rely on that shape.")
    return called.value


def shown(call: tuple) -> str:
    return f"{call[0]}({', '.join(map(repr, call[1:]))})"


def done(lab, *call, why: str) -> None:
    """Call a function of the wallet, which must say that it worked."""
    said = answer(lab.call(*call), shown(call))
    expect(shown(call), said).meets(said["ok"], 'an answer with "ok": True', why=why)


def refused(lab, *call, why: str) -> str:
    """Call a function of the wallet, which must refuse; the reason it gives."""
    said = answer(lab.call(*call), shown(call))
    expect(shown(call), said).meets(not said["ok"], 'an answer with "ok": False', why=why)
    return str(said.get("reason"))


def opened(lab, table: Table, accounts: dict[str, int]) -> list[str]:
    """Open accounts, owner by owner with an amount; the keys of their items, found by their balances, in this order."""
    before = table.holding("balance")
    for owner, amount in accounts.items():
        done(lab, "open_account", owner, amount, why="A new owner gets an account.")
    found = [(item["balance"], key) for key, item in table.added("balance", before).items()]
    expect("the balances of the new items", sorted((balance for balance, _ in found), key=str)).equals(
        sorted(accounts.values(), key=str),
        why="An account is an item of the table, with its money in `balance`, as a number.",
    )
    keys = []
    for amount in accounts.values():
        entry = next(entry for entry in found if entry[0] == amount)
        found.remove(entry)
        keys.append(entry[1])
    return keys


def opened_one(lab, table: Table, owner: str, amount: int) -> str:
    return opened(lab, table, {owner: amount})[0]


def balances(table: Table, *keys: str) -> list:
    return [item.get("balance") for item in table.items(*keys)]


def total(found: list):
    """The sum of balances, or what there is instead where one is no number."""
    return sum(found) if all(isinstance(balance, (int, Decimal)) for balance in found) else found


def version_of(item: dict) -> int:
    version = item.get("version")
    expect("the version of an account", version).meets(
        type(version) is int, "a whole number", why="It is what the next write names, and what changes with it."
    )
    return version


def race(callers: list, turns: list[list[tuple]], *, together: bool = False) -> list[list[dict]]:
    """Have each process make its calls while the others make theirs; `together` starts each round of calls at once."""
    barrier = threading.Barrier(len(callers))

    def run(caller, calls):
        said = []
        try:
            for call in calls:
                if together:
                    barrier.wait(LONGEST_SECONDS)
                said.append(caller.call(*call))
        except BaseException:
            barrier.abort()
            raise
        return said

    with ThreadPoolExecutor(len(callers)) as pool:
        found = list(pool.map(run, callers, turns))
    return [
        [answer(called, shown(call)) for called, call in zip(said, calls, strict=True)]
        for said, calls in zip(found, turns, strict=True)
    ]


def crew(lab, count: int = RACERS) -> list:
    """Processes to race with; the first is the one that lab.call() uses."""
    return [lab, *(lab.caller() for _ in range(count - 1))]


def request_id(lab) -> str:
    return str(uuid.UUID(int=lab.draw.random.getrandbits(128), version=4))


# --- open -----------------------------------------------------------------------------------------------------------


@check(task="open", cards=["ddb-conditional-write"])
def test_opens_an_account(lab):
    """Opening an account makes an item with the amount as its balance, and a version to start from."""
    table, (ada, bob) = Table(lab), lab.draw.names(2)
    expect("the keys of the table", table.keys()).equals(["pk"], why="An account is found by its partition key alone.")
    amount = lab.draw.random.randint(100, 999)
    for owner, cash in ((ada, amount), (bob, 0)):
        item = table.item(opened_one(lab, table, owner, cash))
        expect(f"the balance of an account opened with {cash}", item["balance"]).equals(
            cash, why="Money is a number: only numbers can be added to and compared by the table."
        )
        version_of(item)


@check(task="open", after=["14.opens-an-account"], cards=["ddb-conditional-write"])
def test_keeps_an_account_that_is_open(lab):
    """Opening an account a second time is refused and changes nothing; another owner's still opens."""
    table, (ada, bob) = Table(lab), lab.draw.names(2)
    amount = lab.draw.random.randint(100, 999)
    key = opened_one(lab, table, ada, amount)
    why = "A put replaces the whole item unless its condition says that there must be none with this key."
    refused(lab, "open_account", ada, amount + 1, why=why)
    expect("the balance after a second opening", balances(table, key)).equals([amount], why=why)
    opened_one(lab, table, bob, amount)


@check(task="open", after=["14.keeps-an-account-that-is-open"], cards=["ddb-conditional-write"])
def test_one_of_many_openings_wins(lab):
    """Of several processes that open the same account at once, exactly one succeeds, and its amount is the balance."""
    table, owners = Table(lab), lab.draw.names(ROUNDS)
    amounts = lab.draw.random.sample(range(100, 1000), ROUNDS * RACERS)
    turns = [
        [("open_account", owner, amounts[number * RACERS + racer]) for number, owner in enumerate(owners)]
        for racer in range(RACERS)
    ]
    before = table.holding("balance")
    said = race(crew(lab), turns, together=True)
    won = [
        [turns[racer][number][2] for racer in range(RACERS) if said[racer][number]["ok"]] for number in range(ROUNDS)
    ]
    expect(f"processes that opened each of {ROUNDS} accounts", [len(each) for each in won]).equals(
        [1] * ROUNDS, why=ONE_PLACE
    )
    found = sorted(item["balance"] for item in table.added("balance", before).values())
    expect("the balances after that", found).equals(
        sorted(each[0] for each in won), why="Who was told that it worked must find its amount there."
    )


# --- count ----------------------------------------------------------------------------------------------------------


@check(task="count", cards=["ddb-atomic-counter"])
def test_counts_every_visit(lab):
    """However many processes count visits of a page at once, each visit is counted once, page by page."""
    table, (busy, quiet) = Table(lab), lab.draw.names(2)
    each = lab.draw.random.randint(10, 14)
    before = table.holding("visits")
    said = race(crew(lab), [[("visits", busy)] * each + [("visits", quiet)] for _ in range(RACERS)], together=True)
    counted = sum(one["ok"] for mine in said for one in mine)
    expect("visits that were counted", counted).equals(RACERS * (each + 1), why="A visit is never refused.")
    found = sorted(item["visits"] for item in table.added("visits", before).values())
    expect("the `visits` of the two pages", found).equals(
        [RACERS, RACERS * each],
        why="The table itself must add, once a visit: a value read before is old already.",
    )


@check(task="count", after=["14.opens-an-account"], cards=["ddb-atomic-counter"])
def test_adds_every_deposit(lab):
    """Deposits that race into one account all arrive, and each once."""
    table, (ada,) = Table(lab), lab.draw.names(1)
    start, amount = lab.draw.random.randint(10, 99), lab.draw.random.randint(2, 9)
    key = opened_one(lab, table, ada, start)
    said = race(crew(lab), [[("deposit", ada, amount)] * ROUNDS for _ in range(RACERS)], together=True)
    arrived = sum(one["ok"] for mine in said for one in mine)
    expect("deposits that worked", arrived).equals(RACERS * ROUNDS, why="Into an open account one may always pay.")
    expect(f"the balance after {arrived} deposits of {amount} to {start}", balances(table, key)).equals(
        [start + arrived * amount], why=ONE_PLACE
    )


@check(task="count", after=["14.opens-an-account"], cards=["ddb-conditional-write"])
def test_refuses_a_deposit_to_nobody(lab):
    """A deposit to an account that was never opened is refused and makes none; once it is open, the deposit arrives."""
    table, (ada,) = Table(lab), lab.draw.names(1)
    start, amount = lab.draw.random.randint(10, 99), lab.draw.random.randint(2, 9)
    before = table.holding("balance")
    why = "An update of an item that is not there makes it, unless its condition says that it must be there."
    refused(lab, "deposit", ada, amount, why=why)
    expect("new accounts after that", sorted(table.holding("balance") - before)).equals([], why=why)
    key = opened_one(lab, table, ada, start)
    done(lab, "deposit", ada, amount, why="Into an open account one may always pay.")
    expect("the balance after a deposit", balances(table, key)).equals([start + amount], why="The money must arrive.")


# --- limit ----------------------------------------------------------------------------------------------------------


def limits(item: dict) -> list:
    return [value for name, value in item.items() if name not in ("pk", "balance", "version")]


@check(task="limit", after=["14.opens-an-account"], cards=["ddb-optimistic-locking"])
def test_sets_a_limit_and_moves_the_version_on(lab):
    """With the current version a limit is kept in the account, and the version is another one afterwards."""
    table, (ada,) = Table(lab), lab.draw.names(1)
    start, limit = lab.draw.random.randint(100, 499), lab.draw.random.randint(500, 999)
    key = opened_one(lab, table, ada, start)
    version = version_of(table.item(key))
    done(lab, "set_limit", ada, limit, version, why="Nobody has changed the account since it was read.")
    item = table.item(key)
    expect("the account", item).meets(limit in limits(item), f"an item that holds {limit}", why="It must be kept.")
    expect("its version", item.get("version")).meets(
        version_of(item) != version,
        f"another one than {version}",
        why="A version that stays the same tells nobody that the account has changed.",
    )
    expect("its balance", item.get("balance")).equals(start, why="A limit is not money.")


@check(task="limit", after=["14.sets-a-limit-and-moves-the-version-on"], cards=["ddb-optimistic-locking"])
def test_refuses_a_stale_version(lab):
    """A version that is not the current one is refused and changes nothing; after reading again it works."""
    table, (ada,) = Table(lab), lab.draw.names(1)
    limit = lab.draw.random.randint(500, 999)
    key = opened_one(lab, table, ada, 100)
    stale = version_of(table.item(key))
    done(lab, "set_limit", ada, limit, stale, why="Nobody has changed the account since it was read.")
    before = table.item(key)
    current = version_of(before)
    for version in (stale, current + 7):
        why = "Only the version that is there proves that its reader saw the account as it is."
        refused(lab, "set_limit", ada, limit + 1, version, why=why)
        expect(f"the account after a limit with version {version}", table.item(key)).equals(before, why=why)
    done(lab, "set_limit", ada, limit + 2, current, why="Reading again is the way on.")
    item = table.item(key)
    expect("the account after reading again", item).meets(
        limit + 2 in limits(item),
        f"an item that holds {limit + 2}",
        why="Reading again is the way on.",
    )


@check(task="limit", after=["14.refuses-a-stale-version"], cards=["ddb-optimistic-locking"])
def test_one_of_many_changes_wins(lab):
    """Of several processes that change the same version at once, exactly one succeeds, and its limit is kept."""
    table, (ada,) = Table(lab), lab.draw.names(1)
    key = opened_one(lab, table, ada, 100)
    callers = crew(lab)
    for _ in range(ROUNDS):
        version = version_of(table.item(key))
        wanted = lab.draw.random.sample(range(500, 1000), RACERS)
        said = race(callers, [[("set_limit", ada, limit, version)] for limit in wanted], together=True)
        won = [limit for limit, mine in zip(wanted, said, strict=True) if mine[0]["ok"]]
        expect(f"processes that set a limit with version {version}", len(won)).equals(1, why=ONE_PLACE)
        item = table.item(key)
        expect("the account after that", item).meets(
            won[0] in limits(item), f"an item that holds {won[0]}", why="Who was told that it worked must find it so."
        )


# --- transfer -------------------------------------------------------------------------------------------------------


@check(task="transfer", after=["14.opens-an-account"], cards=["ddb-transactions"])
def test_moves_money(lab):
    """A transfer takes from the source what it gives to the target, down to the last coin."""
    table, (rich, poor) = Table(lab), lab.draw.names(2)
    much, little = lab.draw.random.randint(500, 999), lab.draw.random.randint(1, 9)
    keys = opened(lab, table, {rich: much, poor: little})
    done(
        lab,
        "transfer",
        rich,
        poor,
        100,
        request_id(lab),
        why="The source has enough; the target needs nothing.",
    )
    expect("the two balances", balances(table, *keys)).equals(
        [much - 100, little + 100], why="What one side loses the other side gains."
    )
    done(lab, "transfer", poor, rich, little + 100, request_id(lab), why="All that is there may be taken.")
    expect("the two balances after moving all back", balances(table, *keys)).equals(
        [much + little, 0], why="What one side loses the other side gains."
    )


@check(task="transfer", after=["14.moves-money"], cards=["ddb-transactions"])
def test_names_the_side_that_failed(lab):
    """A refused transfer changes nothing and says why: the source is too poor, it is missing, or the target is."""
    table, (rich, poor, nobody) = Table(lab), lab.draw.names(3)
    much, little = lab.draw.random.randint(500, 999), lab.draw.random.randint(1, 9)
    keys = opened(lab, table, {rich: much, poor: little})
    reasons = []
    for source, target, side, other in (
        (poor, rich, "source", "target"),
        (nobody, rich, "source", "target"),
        (rich, nobody, "target", "source"),
    ):
        call = ("transfer", source, target, little + 1, request_id(lab))
        reason = refused(lab, *call, why="A transaction that was cancelled wrote nothing: that is no success.")
        expect(f"the reason of {shown(call)}", reason).meets(
            side in reason.lower() and other not in reason.lower(),
            f"a text with {side} in it and without {other}",
            why="The cancellation holds a reason for each action, in their order.",
        )
        reasons.append(reason)
        expect("the two balances after that", balances(table, *keys)).equals(
            [much, little], why="All of a transfer happens, or nothing of it."
        )
    expect("the reasons for a poor source and for a missing one", reasons[:2]).meets(
        reasons[0] != reasons[1], "two different texts", why="The one can be helped with a deposit, the other cannot."
    )
    done(lab, "transfer", rich, poor, little + 1, request_id(lab), why="Refused transfers must not stop the next one.")
    expect("the two balances in the end", balances(table, *keys)).equals(
        [much - little - 1, 2 * little + 1], why="What one side loses the other side gains."
    )


@check(task="transfer", after=["14.moves-money"], cards=["ddb-transactions"])
def test_never_overdraws(lab):
    """When several processes take all that an account holds, exactly one gets it, and no balance is negative."""
    table, (target, *sources) = Table(lab), lab.draw.names(ROUNDS + 1)
    amount = lab.draw.random.randint(10, 99)
    *keys, target_key = opened(lab, table, {**dict.fromkeys(sources, amount), target: 0})
    turns = [[("transfer", source, target, amount, request_id(lab)) for source in sources] for _ in range(RACERS)]
    said = race(crew(lab), turns, together=True)
    won = [sum(mine[number]["ok"] for mine in said) for number in range(ROUNDS)]
    expect("the balances of the sources", balances(table, *keys)).equals([0] * ROUNDS, why=ONE_PLACE)
    expect(f"transfers that worked, of {RACERS} from each source", won).equals([1] * ROUNDS, why=ONE_PLACE)
    expect("the balance of the target", balances(table, target_key)).equals(
        [ROUNDS * amount], why="What one side loses the other side gains."
    )


@check(task="transfer", after=["14.moves-money"], cards=["ddb-transactions"])
def test_conserves_money(lab):
    """While over a hundred transfers race, some to nobody, some cut off midway, no money appears or vanishes."""
    table, (nobody, *owners) = Table(lab), lab.draw.names(7)
    keys = opened(lab, table, dict.fromkeys(owners, 1000))
    money = 1000 * len(owners)
    choose = lab.draw.random

    def transfers(count):
        for number in range(count):
            source, target = choose.sample(owners, 2)
            yield "transfer", source, nobody if number % 10 == 5 else target, choose.randint(1, 9), request_id(lab)

    racers = crew(lab)
    race(racers, [list(transfers(1)) for _ in racers])  # a process that has only just started is not in the middle
    callers, cut_off = racers[:2], racers[2:]
    turns = [list(transfers(EACH)) for _ in callers]
    why = "Whoever reads between the two halves of a transfer must find none or both of them, and so must a crash."
    with ThreadPoolExecutor(1 + len(cut_off)) as pool:
        cut = [pool.submit(_until_killed, caller, list(transfers(EACH))) for caller in cut_off]
        running = pool.submit(race, callers, turns)
        seen = 0
        try:
            while not running.done():
                expect("all balances at one moment of the race", total(table.at_one_moment(keys))).equals(
                    money, why=why
                )
                seen += 1
                if seen % 3 == 0 and cut_off:
                    cut_off.pop().kill()
                time.sleep(SNAPSHOT_SECONDS)
        finally:
            for caller in cut_off:
                caller.kill()
        said = running.result()
        for future in cut:
            future.result()
    worked = [one["ok"] for mine in said for one in mine]
    meant = [call[2] != nobody for calls in turns for call in calls]
    expect("transfers that worked", worked.count(True)).equals(
        meant.count(True), why="Every source was rich enough: only those to nobody are refused."
    )
    expect("the sum of all balances in the end", total(balances(table, *keys))).equals(money, why=why)


def _until_killed(caller, calls) -> None:
    for call in calls:
        if caller.call(*call, seconds=CUT_SECONDS).error:
            return


# --- repeat ---------------------------------------------------------------------------------------------------------


@check(task="repeat", after=["14.moves-money"], cards=["ddb-transactions"])
def test_the_same_request_moves_money_once(lab):
    """A request that is sent again says that it worked and moves nothing more; another request does."""
    table, (ada, bob) = Table(lab), lab.draw.names(2)
    start, amount = lab.draw.random.randint(500, 999), lab.draw.random.randint(10, 99)
    keys = opened(lab, table, {ada: start, bob: 0})
    first = request_id(lab)
    for times in range(1, 4):
        why = "Who got no answer asks again: what was done must count as done, once."
        done(lab, "transfer", ada, bob, amount, first, why=why)
        expect(f"the two balances after the same request {times} times", balances(table, *keys)).equals(
            [start - amount, amount], why=why
        )
    done(lab, "transfer", ada, bob, amount, request_id(lab), why="Another request is another transfer.")
    expect("the two balances after another request", balances(table, *keys)).equals(
        [start - 2 * amount, 2 * amount], why="Another request is another transfer."
    )


@check(task="repeat", after=["14.moves-money"], cards=["ddb-transactions"])
def test_a_changed_request_is_refused(lab):
    """A request id that comes again with another amount or target is refused; with a new id that transfer works."""
    table, (ada, bob, cyd) = Table(lab), lab.draw.names(3)
    start, amount = lab.draw.random.randint(500, 999), lab.draw.random.randint(10, 99)
    keys = opened(lab, table, {ada: start, bob: 0, cyd: 1})
    used = request_id(lab)
    done(lab, "transfer", ada, bob, amount, used, why="The source has enough.")
    for target, changed in ((bob, amount + 1), (cyd, amount)):
        why = "One id for two different transfers is an error of the caller: to call it a success hides it."
        refused(lab, "transfer", ada, target, changed, used, why=why)
        expect("the balances after a changed request", balances(table, *keys)).equals(
            [start - amount, amount, 1], why=why
        )
    done(lab, "transfer", ada, cyd, amount, request_id(lab), why="A new id makes it a new transfer.")
    expect("the balances after a request with an id of its own", balances(table, *keys)).equals(
        [start - 2 * amount, amount, amount + 1], why="A new id makes it a new transfer."
    )


@check(task="repeat", after=["14.moves-money"], cards=["ddb-transactions"])
def test_a_transfer_costs_twice_its_updates(lab):
    """However many transfers two accounts have seen, updating both costs two write units, in a transaction four."""
    table, (ada, bob) = Table(lab), lab.draw.names(2)
    keys = opened(lab, table, {ada: 1000, bob: 0})
    race(crew(lab, 2), [[("transfer", ada, bob, 1, request_id(lab)) for _ in range(GROWTH // 2)] for _ in range(2)])
    expect(f"the two balances after {GROWTH} transfers", balances(table, *keys)).equals(
        [1000 - GROWTH, GROWTH], why="The source has enough for all of them."
    )
    expect(f"write units after {GROWTH} transfers, one by one and in a transaction", table.units(keys)).equals(
        (2.0, 4.0),
        why="A write costs one unit a started KB of its item, in a transaction two: keep items small.",
    )


@check(task="repeat", after=["14.the-same-request-moves-money-once"], cards=["ddb-transactions"])
def test_the_same_request_at_once_moves_money_once(lab):
    """One request sent by several processes at once moves money once; so does one cut off midway and sent again."""
    table, (ada, bob) = Table(lab), lab.draw.names(2)
    start, amount = lab.draw.random.randint(5000, 9999), lab.draw.random.randint(10, 99)
    keys = opened(lab, table, {ada: start, bob: 0})
    turns = [("transfer", ada, bob, amount, request_id(lab)) for _ in range(ROUNDS)]
    why = "What a process remembers no other process knows: the table has to remember the request."
    callers = crew(lab, 2)
    said = race(callers, [turns] * len(callers), together=True)
    expect(f"the two balances after {ROUNDS} requests, each sent by two processes", balances(table, *keys)).equals(
        [start - ROUNDS * amount, ROUNDS * amount], why=why
    )
    told = [any(mine[number]["ok"] for mine in said) for number in range(ROUNDS)]
    expect("requests of which a sender learned that it worked", told.count(True)).equals(
        ROUNDS, why="Money that has moved must be reported as moved."
    )
    call = ("transfer", ada, bob, amount, request_id(lab))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_until_killed, callers[1], [call])
        time.sleep(lab.draw.random.uniform(0.001, 0.005))
        callers[1].kill()
        running.result()
    done(lab, *call, why="A request that was cut off is sent again with its id.")
    expect("the two balances after a request that was cut off and sent again", balances(table, *keys)).equals(
        [start - (ROUNDS + 1) * amount, (ROUNDS + 1) * amount], why=why
    )
