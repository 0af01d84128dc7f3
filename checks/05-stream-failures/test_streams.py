"""Lab 05: what two functions make of their streams, with and without a poison record.

An item of a projection shows three things: what it holds (each change once, in order), and how often a record of it was
handed to the function (`tries`). Which records a batch holds is up to Lambda; where a check needs it, one call writes
them all.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from decimal import Decimal

from boto3.dynamodb.types import TypeDeserializer

from cloudkata.checking import check, expect
from cloudkata.checking.expectation import NotAsExpected

OPENING = "opening-"
STATUSES = ("placed", "paid", "packed", "sent")
TRIES = 3
ORDERS = 24  # BatchWriteItem takes 25
READINGS = 100
EDGE = 5  # so many records at least come before and after a poison one
RANGE = 1 << 128  # of hash keys
BUSY_RECORDS, BUSY_BYTES = 39, 2_600_000
BLOCKERS = 5
WARMING = 20
STILL_SECONDS = 5.0  # if nothing has come or was repeated for so long, nothing more is expected
MOST_ROUNDS = 5
ONCE = "Each change takes effect once, in the order of its key, however often a record is tried."
POISON_WHY = "One record that can never be handled must cost nothing but itself."


# --- the two streams ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Placed:
    """Where a record is: its key, its shard and its sequence number."""

    key: str
    shard: str
    sequence: str


class Projection:
    """A table that a function writes, read with the checks' own keys."""

    def __init__(self, lab, output: str) -> None:
        self._client = lab.client("dynamodb")
        self._table = lab.outputs[output]

    def items(self, keys) -> dict[str, dict]:
        """The items with these keys, as far as there are any."""
        found: dict[str, dict] = {}
        wanted = [{"id": {"S": key}} for key in keys]
        for start in range(0, len(wanted), 100):
            ask = {self._table: {"Keys": wanted[start : start + 100], "ConsistentRead": True}}
            while ask:
                reply = self._client.batch_get_item(RequestItems=ask)
                for item in reply["Responses"].get(self._table, ()):
                    found[item["id"]["S"]] = plain(item)
                ask = reply.get("UnprocessedKeys")
        return found


def plain(item: dict) -> dict:
    return {name: whole(TypeDeserializer().deserialize(value)) for name, value in item.items()}


def whole(value):
    """Whole numbers as ints, in lists too."""
    if isinstance(value, list):
        return [whole(one) for one in value]
    return int(value) if isinstance(value, Decimal) and value == int(value) else value


class Orders:
    """The orders' table and its projection."""

    what, history = "orders", "history"

    def __init__(self, lab) -> None:
        self._client, self._table = lab.client("dynamodb"), lab.outputs["OrdersTable"]
        self._streams = lab.client("dynamodbstreams")
        self.projection = Projection(lab, "ProjectionTable")

    def item(self, order: str, status: str = "placed", amount: int = 5) -> dict:
        return {"id": {"S": order}, "status": {"S": status}, "amount": {"N": str(amount)}}

    def put(self, order: str, status: str, amount: int = 5) -> None:
        self._client.put_item(TableName=self._table, Item=self.item(order, status, amount))

    def put_together(self, orders: list[str], poison: str) -> None:
        """One change of each order; that of `poison` cannot be handled."""
        items = [self.item(order, amount=-5 if order == poison else 5) for order in orders]
        requests = {self._table: [{"PutRequest": {"Item": item}} for item in items]}
        while requests:
            requests = self._client.batch_write_item(RequestItems=requests).get("UnprocessedItems")

    def there(self) -> list[str]:
        pages = self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
        return [item["id"]["S"] for page in pages for item in page["Items"]]

    def placed(self, keys) -> list[Placed]:
        """Where the records of these orders are, in the order of the stream."""
        arn = self._client.describe_table(TableName=self._table)["Table"]["LatestStreamArn"]
        found = []
        for shard in self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            for record in self._read(arn, shard["ShardId"], ShardIteratorType="TRIM_HORIZON"):
                key = record["dynamodb"]["Keys"]["id"]["S"]
                if key in keys:
                    found.append(Placed(key, shard["ShardId"], record["dynamodb"]["SequenceNumber"]))
        return found

    def key_at(self, info: dict) -> str:
        """The key of the record that a failure record tells of."""
        start = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": info["startSequenceNumber"]}
        records = self._read(info["streamArn"], info["shardId"], **start)
        return next((record["dynamodb"]["Keys"]["id"]["S"] for record in records), "")

    def _read(self, arn: str, shard: str, **start) -> list[dict]:
        reply = self._streams.get_shard_iterator(StreamArn=arn, ShardId=shard, **start)
        token, found = reply.get("ShardIterator"), []
        while token:
            page = self._streams.get_records(ShardIterator=token)
            found += page["Records"]
            token = page.get("NextShardIterator") if page["Records"] else None
        return found


class Readings:
    """The stream of readings, and what became of them."""

    what, history = "readings", "readings"

    def __init__(self, lab) -> None:
        self._client, self.stream = lab.client("kinesis"), lab.outputs["StreamName"]
        self.projection = Projection(lab, "MeterTable")

    def put(self, meter: str, data: bytes) -> Placed:
        """Add one record after all that were added before."""
        reply = self._client.put_record(StreamName=self.stream, PartitionKey=meter, Data=data)
        return Placed(meter, reply["ShardId"], reply["SequenceNumber"])

    def put_together(self, records: list[tuple[str, bytes, int]]) -> list[Placed | None]:
        """Add records (meter, data, hash key) with one call; where each is, or None where it was refused."""
        entries = [{"PartitionKey": key, "Data": data, "ExplicitHashKey": str(at)} for key, data, at in records]
        replies = self._client.put_records(StreamName=self.stream, Records=entries)["Records"]
        return [
            Placed(key, reply["ShardId"], reply["SequenceNumber"]) if "SequenceNumber" in reply else None
            for (key, _, _), reply in zip(records, replies, strict=True)
        ]

    def there(self, start: str) -> dict[str, list[int]]:
        """What the stream holds of each meter whose name begins with `start`, in order."""
        found: dict[str, list[int]] = {}
        for shard in self._client.list_shards(StreamName=self.stream)["Shards"]:
            token = self._client.get_shard_iterator(
                StreamName=self.stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            for record in self._client.get_records(ShardIterator=token)["Records"]:
                if record["PartitionKey"].startswith(start):
                    found.setdefault(record["PartitionKey"], []).append(json.loads(record["Data"])["kwh"])
        return found

    def key_at(self, info: dict) -> str:
        """The partition key of the record that a failure record tells of."""
        token = self._client.get_shard_iterator(
            StreamName=self.stream,
            ShardId=info["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=info["startSequenceNumber"],
        )["ShardIterator"]
        records = self._client.get_records(ShardIterator=token, Limit=1)["Records"]
        return records[0]["PartitionKey"] if records else ""


def fresh(lab, count: int) -> list[str]:
    """Different keys that no other check has."""
    mark = f"{lab.draw.random.getrandbits(32):08x}"
    keys = [f"{name}-{mark}" for name in lab.draw.names(count)]
    lab.draw.random.shuffle(keys)
    return keys


def kwh(value: int) -> bytes:
    return json.dumps({"kwh": value}).encode()


def poison(lab) -> bytes:
    """What is no reading: no JSON at all, or JSON of another kind."""
    return lab.draw.random.choice([b"\x00\xff garbage", b'{"kwh": "many"}', b'"kwh"', b"{"])


def shows(lab, source, expected: dict[str, list], what: str, why: str) -> None:
    """Wait until each key of `expected` has exactly these values in its history; longer while there is progress."""
    latest, changed = [0], [time.monotonic()]

    def look() -> None:
        items = source.projection.items(expected)
        right = [item for key, item in items.items() if item.get(source.history) == expected[key]]
        if (now := sum(1 + item.get("tries", 0) for item in right)) != latest[0]:
            latest[0], changed[0] = now, time.monotonic()
        wrong = {key: items.get(key, {}).get(source.history) for key in expected}
        wrong = {key: found for key, found in wrong.items() if found != expected[key]}
        shown = {key: wrong[key] for key in sorted(wrong)[:3]}
        wanted = {key: expected[key] for key in shown}
        text = f"{len(wrong)} of {len(expected)} are otherwise, for example {wanted}" if wrong else ""
        expect(f"`{source.history}` of {what}", shown).meets(not wrong, text, why=why)

    for _ in range(MOST_ROUNDS):
        try:
            return lab.eventually(look)
        except NotAsExpected:
            if time.monotonic() - changed[0] > STILL_SECONDS:
                raise
    return lab.eventually(look)


# --- read -----------------------------------------------------------------------------------------------------------


@check(task="read", cards=["lambda-ddb-streams-esm", "ddb-streams"])
def test_projects_orders_in_order(lab):
    """Each change of an order reaches its projection once, and the last status is the one that is shown."""
    orders, keys = Orders(lab), fresh(lab, 3)
    for count, status in enumerate(STATUSES, 1):
        for key in keys:
            orders.put(key, status)
        shows(lab, orders, {key: list(STATUSES[:count]) for key in keys}, "orders that changed", ONCE)
    items = orders.projection.items(keys)
    expect("their status", sorted({item.get("status") for item in items.values()})).equals(
        [STATUSES[-1]], why="A projection shows how things are now."
    )


@check(task="read", cards=["lambda-event-source-mapping"])
def test_adds_readings(lab):
    """Each reading of a meter is added once, whichever shard it comes through."""
    readings, keys = Readings(lab), fresh(lab, 4)
    values = {key: [lab.draw.random.randint(1, 99) for _ in range(3)] for key in keys}
    for turn in range(3):
        for key in keys:
            readings.put(key, kwh(values[key][turn]))
        shows(lab, readings, {key: values[key][: turn + 1] for key in keys}, "meters with some readings", ONCE)
    totals = {key: item.get("total") for key, item in readings.projection.items(keys).items()}
    expect("their totals", totals).equals({key: sum(values[key]) for key in totals}, why=ONCE)


PAST = (
    "A projection without the past is wrong from the first day: reading starts at the oldest record there is, in order."
)


@check(task="read", after=["05.projects-orders-in-order"], needs=["dynamodb.stream-order"], cards=["ddb-streams"])
def test_starts_with_the_first_order(lab):
    """What happened to orders before the function was there is projected as well, in order."""
    orders = Orders(lab)
    early = [key for key in orders.there() if key.startswith(OPENING)]
    expect("orders from before", len(early)).equals(3, why="deploy.py places them before it maps the stream.")
    shows(lab, orders, {key: list(STATUSES) for key in early}, "orders from before", PAST)


@check(task="read", after=["05.adds-readings"], cards=["lambda-event-source-mapping"])
def test_starts_with_the_first_reading(lab):
    """What was read from meters before the function was there is added as well, in order."""
    readings = Readings(lab)
    early = readings.there(OPENING)
    expect("meters from before", len(early)).equals(3, why="deploy.py writes readings before it maps the stream.")
    shows(lab, readings, early, "meters from before", PAST)


@check(task="read", after=["05.starts-with-the-first-reading"], cards=["lambda-event-source-mapping"])
def test_a_reading_that_comes_again_changes_nothing(lab):
    """A record that is handed over again, with the same sequence number, adds nothing."""
    readings, (key,) = Readings(lab), fresh(lab, 1)
    placed = [readings.put(key, kwh(value)) for value in (3, 4)]
    shows(lab, readings, {key: [3, 4]}, "a meter with two readings", ONCE)
    for first in (placed[0], placed[1]):
        reply = lab.invoke(
            lab.outputs["MeterFunction"], {"Records": [again(lab, first, 3 if first is placed[0] else 4)]}
        )
        expect("the function's error for a record that comes again", reply.failure).equals(
            "", why="It is no failure to have been there before."
        )
    item = readings.projection.items([key]).get(key, {})
    why = "Streams promise each record at least once. Only what you write can make its effect happen once."
    expect("the readings after both came again", item.get("readings")).equals([3, 4], why=why)
    expect("the total after both came again", item.get("total")).equals(7, why=why)


def again(lab, placed: Placed, value: int) -> dict:
    """A record of the stream as an event has it."""
    kinesis = {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": placed.key,
        "sequenceNumber": placed.sequence,
        "data": base64.b64encode(kwh(value)).decode(),
        "approximateArrivalTimestamp": 1545084650.987,
    }
    about = {"eventSource": "aws:kinesis", "eventVersion": "1.0", "eventName": "aws:kinesis:record"}
    return {"kinesis": kinesis, "eventID": f"{placed.shard}:{placed.sequence}", "awsRegion": "us-east-1", **about}


# --- stop -----------------------------------------------------------------------------------------------------------


GIVES_UP = "With no limit a record is retried until it expires, a day or more, and its shard waits as long."


@check(
    task="stop",
    after=["05.starts-with-the-first-order"],
    needs=["lambda.stream-retries"],
    cards=["q-ddb-poison-record"],
)
def test_gives_up_on_an_order_after_three_tries(lab):
    """An order that cannot be handled is tried three times; then what comes after it is projected."""
    orders, (key, other) = Orders(lab), fresh(lab, 2)
    orders.put(key, "broken", amount=-lab.draw.random.randint(1, 99))
    is_tried(lab, orders, key)
    orders.put(key, "placed")
    orders.put(other, "placed")
    shows(lab, orders, {key: ["placed"], other: ["placed"]}, "orders placed after a broken one", GIVES_UP)
    tried_thrice(orders, key)


@check(
    task="stop",
    after=["05.starts-with-the-first-reading"],
    needs=["lambda.stream-retries"],
    cards=["lambda-esm-failure"],
)
def test_gives_up_on_a_reading_after_three_tries(lab):
    """A reading that cannot be handled is tried three times; then what comes after it in its shard is added."""
    readings, (key,) = Readings(lab), fresh(lab, 1)
    readings.put(key, poison(lab))
    is_tried(lab, readings, key)
    readings.put(key, kwh(8))
    shows(lab, readings, {key: [8]}, "a meter with a good reading after a broken one", GIVES_UP)
    tried_thrice(readings, key)


def is_tried(lab, source, key: str) -> None:
    """Wait until the function got the poison record of `key`, which so is in a batch without what is put later."""

    def look() -> None:
        tries = source.projection.items([key]).get(key, {}).get("tries", 0)
        expect(f"`tries` of {source.what} of which one is broken", tries).meets(
            tries > 0, "1 or more", why="A record that fails was handed over all the same: store.py counts that."
        )

    lab.eventually(look)


def tried_thrice(source, key: str) -> None:
    """The function got the poison record of `key` three times, and a good one once."""
    tries = source.projection.items([key]).get(key, {}).get("tries")
    why = "Three tries are one and two retries, all of them made by Lambda."
    expect("`tries` of an item with a broken record and a good one", tries).equals(TRIES + 1, why=why)


# --- isolate --------------------------------------------------------------------------------------------------------


@check(
    task="isolate",
    after=["05.gives-up-on-an-order-after-three-tries"],
    needs=["lambda.stream-failures"],
    cards=["lambda-ddb-streams-esm", "q-ddb-poison-record"],
)
def test_isolates_a_poison_order(lab):
    """Of a batch of orders with a poison one among them, all others are projected, each once."""
    batch = order_batch(lab)
    shows(lab, batch.source, batch.expected, f"{len(batch.expected)} orders around a poison one", POISON_WHY)
    lost = batch.source.projection.items([batch.poison]).get(batch.poison, {})
    expect("the status of the poison one", lost.get("status")).equals(None, why="It cannot be handled.")


@check(
    task="isolate",
    after=["05.gives-up-on-a-reading-after-three-tries"],
    needs=["lambda.stream-failures"],
    cards=["q-ddb-poison-record"],
)
def test_isolates_a_poison_reading(lab):
    """Of a hundred readings of one shard with a poison one among them, all others are added, each once."""
    batch = reading_batch(lab, READINGS)
    shows(lab, batch.source, batch.expected, f"{len(batch.expected)} meters around a poison reading", POISON_WHY)
    lost = batch.source.projection.items([batch.poison]).get(batch.poison, {})
    expect("the readings of the poison one", lost.get("readings")).equals(None, why="It cannot be handled.")


@dataclass(frozen=True)
class Batch:
    """Records that one call wrote, in the order of their shards; `expected` is without the poison one."""

    source: object
    poison: str
    placed: list[Placed]
    expected: dict[str, list]

    @property
    def before(self) -> list[str]:
        """The keys that come before the poison one in its shard."""
        bad = next(place for place in self.placed if place.key == self.poison)
        same = [place for place in self.placed if place.shard == bad.shard]
        return [place.key for place in same if int(place.sequence) < int(bad.sequence)]

    @property
    def bad(self) -> Placed:
        return next(place for place in self.placed if place.key == self.poison)


def order_batch(lab) -> Batch:
    orders, keys = Orders(lab), fresh(lab, ORDERS)
    bad = keys[lab.draw.random.randrange(EDGE, ORDERS - EDGE)]
    orders.put_together(keys, bad)
    expected = {key: ["placed"] for key in keys if key != bad}
    return Batch(orders, bad, orders.placed(set(keys)), expected)


def reading_batch(lab, count: int) -> Batch:
    readings, keys = Readings(lab), fresh(lab, count)
    at = lab.draw.random.randrange(EDGE, count - EDGE)
    values = {key: lab.draw.random.randint(1, 99) for key in keys}
    hash_key = lab.draw.random.randrange(RANGE)
    data = [poison(lab) if index == at else kwh(values[key]) for index, key in enumerate(keys)]
    placed = readings.put_together([(key, one, hash_key) for key, one in zip(keys, data, strict=True)])
    expected = {key: [values[key]] for key in keys if key != keys[at]}
    return Batch(readings, keys[at], [place for place in placed if place], expected)


# --- keep -----------------------------------------------------------------------------------------------------------


@check(
    task="keep",
    after=["05.gives-up-on-an-order-after-three-tries"],
    needs=["lambda.stream-retries"],
    cards=["lambda-esm-failure", "lambda-ddb-streams-esm"],
)
def test_tells_of_a_poison_order(lab):
    """The queue gets a record that says where the poison order is, after how many tries, and finds it again."""
    orders, (key,) = Orders(lab), fresh(lab, 1)
    orders.put(key, "broken", amount=-lab.draw.random.randint(1, 99))
    is_tried(lab, orders, key)
    found = told(lab, "DDBStreamBatchInfo", orders.placed({key})[0])
    expect("the order that the numbers lead to", orders.key_at(found)).equals(key, why=NUMBERS)


@check(
    task="keep",
    after=["05.gives-up-on-a-reading-after-three-tries"],
    needs=["lambda.stream-retries"],
    cards=["lambda-esm-failure"],
)
def test_tells_of_a_poison_reading(lab):
    """The queue gets a record that says where the poison reading is, after how many tries, and finds it again."""
    readings, (key,) = Readings(lab), fresh(lab, 1)
    placed = readings.put(key, poison(lab))
    found = told(lab, "KinesisBatchInfo", placed)
    expect("the meter that the numbers lead to", readings.key_at(found)).equals(key, why=NUMBERS)


NUMBERS = "Queues get where a record is, not what it holds: within its retention it can be read again from the stream."
TOLD = "What was given up and told to nobody is lost: only a destination of the mapping hears of it."


def told(lab, info: str, place: Placed) -> dict:
    """Wait for the failure record of one poison record; what it says of the batch."""
    queue, seen = lab.client("sqs"), []

    def look() -> None:
        reply = queue.receive_message(QueueUrl=lab.outputs["FailuresQueueUrl"], MaxNumberOfMessages=10)
        for message in reply.get("Messages", ()):
            seen.append(parsed(message["Body"]))
            queue.delete_message(QueueUrl=lab.outputs["FailuresQueueUrl"], ReceiptHandle=message["ReceiptHandle"])
        heard = any(place.sequence in json.dumps(one.get(info, "")) for one in seen)
        shown = seen[-1] if seen else "no message"
        expect("the failures queue", shown).meets(heard, f"a message whose {info} names {place.sequence}", why=TOLD)

    lab.eventually(look)
    record = next(one for one in seen if place.sequence in json.dumps(one.get(info, "")))
    about = record[info]
    expect("the first and last number, the shard and the size that it tells", where(about)).equals(
        [place.sequence, place.sequence, place.shard, 1], why=NUMBERS
    )
    context = record.get("requestContext", {})
    expect("why it was given up", context.get("condition")).equals(
        "RetryAttemptsExhausted", why="It was tried as often as it may be, not dropped for its age."
    )
    expect("how often it was tried", context.get("approximateInvokeCount")).equals(
        TRIES, why="Three tries are one and two retries."
    )
    return about


def parsed(body: str) -> dict:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def where(about: dict) -> list:
    return [about.get(name) for name in ("startSequenceNumber", "endSequenceNumber", "shardId", "batchSize")]


# --- checkpoint -----------------------------------------------------------------------------------------------------


NOT_AGAIN = "A batch goes on at the sequence number that the function returns: what came before it is done."


@check(
    task="checkpoint",
    after=["05.isolates-a-poison-order"],
    needs=["lambda.stream-failures"],
    cards=["q-ddb-poison-record"],
)
def test_orders_before_a_poison_one_are_not_handed_over_again(lab):
    """Of a batch of orders with a poison one, those before it are handed to the function once."""
    batch = order_batch(lab)
    handed_once(lab, batch)


@check(
    task="checkpoint",
    after=["05.isolates-a-poison-reading"],
    needs=["lambda.stream-failures"],
    cards=["q-ddb-poison-record"],
)
def test_readings_before_a_poison_one_are_not_handed_over_again(lab):
    """Of fifty readings with a poison one, those before it are handed to the function once."""
    batch = reading_batch(lab, READINGS // 2)
    handed_once(lab, batch)


def handed_once(lab, batch: Batch) -> None:
    shows(
        lab, batch.source, batch.expected, f"{len(batch.expected)} {batch.source.what} around a poison one", POISON_WHY
    )
    items = batch.source.projection.items(batch.before)
    often = {key: item.get("tries") for key, item in items.items() if item.get("tries") != 1}
    shown = dict(sorted(often.items())[:3])
    text = f"all {len(items)} with 1 try, {len(often)} have more, for example"
    expect("`tries` of what came before the poison record", shown).meets(not often, text, why=NOT_AGAIN)


# --- limits ---------------------------------------------------------------------------------------------------------


APART = "Order is kept within a shard. Between shards nothing has to wait."


@check(
    task="limits",
    after=["05.isolates-a-poison-reading"],
    needs=["lambda.stream-failures"],
    cards=["kinesis-enhanced-fanout", "lambda-event-source-mapping"],
)
def test_a_blocked_shard_leaves_the_others_alone(lab):
    """While one shard is held up by poison records, readings of another shard are added."""
    readings, (free, behind) = Readings(lab), fresh(lab, 2)
    first, last = 0, RANGE - 1
    warm = [(key, kwh(3), at) for _ in range(WARMING) for key, at in ((free, last), (behind, first))]
    readings.put_together(warm)  # so much that both shards are worked on at once, each by an environment of its own
    before = [3] * WARMING
    shows(lab, readings, {free: before, behind: before}, "meters in two shards", ONCE)
    readings.put_together([(behind, poison(lab), first) for _ in range(BLOCKERS)])
    readings.put_together([(behind, kwh(1), first), (free, kwh(1), last)])
    state: dict[str, dict] = {}

    def look() -> None:
        state.update(readings.projection.items([free, behind]))
        expect("readings in another shard than the poison", state.get(free, {}).get("readings")).equals(
            [*before, 1], why=APART
        )

    lab.eventually(look)
    expect("readings behind the poison at that time", state.get(behind, {}).get("readings")).equals(before, why=APART)
    shows(lab, readings, {behind: [*before, 1]}, "a meter behind the poison records, in the end", GIVES_UP)


@check(
    task="limits",
    after=["05.a-blocked-shard-leaves-the-others-alone"],
    needs=["kinesis.shard-limits"],
    cards=["kinesis-shard-capacity"],
)
def test_takes_a_busy_second(lab):
    """2.6 MB that come at once, evenly spread, are all accepted and added."""
    readings, keys = Readings(lab), fresh(lab, BUSY_RECORDS)
    filler = "x" * (BUSY_BYTES // BUSY_RECORDS - 40)
    step = RANGE // BUSY_RECORDS
    records = [(key, json.dumps({"kwh": 2, "note": filler}).encode(), index * step) for index, key in enumerate(keys)]
    refused = readings.put_together(records).count(None)
    expect(f"records refused of {BUSY_RECORDS} in a busy second", refused).equals(
        0, why="A shard takes 1 MB and 1,000 records a second. 2 MB a second is what it gives."
    )
    shows(lab, readings, {key: [2] for key in keys}, "the meters of a busy second", ONCE)
