"""Lab 17: what becomes of an order, read off the execution's history and the table.

Nothing here knows the names of states or functions: what was done is known by what the functions answer.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from botocore.exceptions import ClientError

from cloudkata.checking import check, expect

LARGE = 1000  # from here on an order has to be approved
CAP = 3  # iterations at once
FIRST_PAUSE, RATE = 4.0, 2.0  # seconds before the first retry, and by how much each further one is longer
SLACK = 3  # a pause may be so many times as long: what is scheduled is not at once done
HEARTBEAT_SECONDS = 60
ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
DONE = ("charged", "reserved", "shipped", "released", "refunded")


@dataclass
class Finished:
    """An execution with its history, and the order's item as it is then."""

    description: dict
    events: list[dict]
    item: dict

    @property
    def ending(self) -> str:
        """How the execution ended, in a few words."""
        said = self.description
        words = [said["status"]]
        if said["status"] != "SUCCEEDED":
            words += [said.get("error", ""), in_words(said.get("cause", ""))[:200]]
        return ": ".join(word for word in words if word)

    def of(self, *kinds: str) -> list[dict]:
        return [event for event in self.events if event["type"] in kinds]

    def attempts(self, error: str) -> tuple[list[float], list[float]]:
        """When a function failed with `error`, and when the same state called it again."""
        failed = [
            event for event in self.of("LambdaFunctionFailed", "TaskFailed") if details(event).get("error") == error
        ]
        again = [self.after(event["id"], "LambdaFunctionScheduled", "TaskScheduled") for event in failed]
        moments = [event["timestamp"].timestamp() for event in failed]
        return moments, [event["timestamp"].timestamp() for event in again if event]

    def after(self, number: int, *kinds: str) -> dict | None:
        return next((event for event in self.of(*kinds) if event["previousEventId"] == number), None)

    def done(self) -> list[str]:
        """What functions have done, in the order in which they answered."""
        return [word for word, _ in self.answers()]

    def answers(self) -> list[tuple[str, object]]:
        found = []
        for event in self.of("LambdaFunctionSucceeded", "TaskSucceeded"):
            answer = payload(json.loads(details(event).get("output") or "null"))
            if isinstance(answer, dict):
                found += [(word, answer[word]) for word in DONE if word in answer]
        return found


def in_words(cause: str) -> str:
    """A function's cause is JSON; its message is enough here."""
    try:
        found = json.loads(cause)
    except ValueError:
        return cause
    return str(found.get("errorMessage", cause)) if isinstance(found, dict) else cause


def details(event: dict) -> dict:
    return next((value for name, value in event.items() if name.endswith("EventDetails")), {})


def payload(answer):
    """What a function answered, whichever way it was called."""
    return answer["Payload"] if isinstance(answer, dict) and "Payload" in answer else answer


class Shop:
    """The deployed lab, used as its customers do."""

    def __init__(self, lab) -> None:
        self._lab = lab
        self.states = lab.client("stepfunctions")
        self._table = lab.client("dynamodb")
        self._queue = lab.client("sqs")
        self._url = lab.outputs["ApprovalQueueUrl"]

    def order(self, **more) -> dict:
        draw = self._lab.draw
        words = [draw.word() for _ in range(3)]
        items = [{"sku": f"{word}-{number}", "quantity": 1} for number, word in enumerate(words)]
        return {
            "orderId": f"{draw.word()}-{draw.random.randrange(10**6)}",
            "customer": draw.names(1)[0],
            "address": f"{draw.word()} street {draw.random.randrange(99)}",
            "card": f"card-{draw.random.randrange(10**4)}",
            "amount": draw.random.randrange(10, LARGE),
            "items": items,
            **more,
        }

    def out_of_reach(self, order: dict, times: int) -> None:
        """Have the bank not answer the next so many times for this order."""
        item = {"orderId": {"S": order["orderId"]}, "unavailable": {"N": str(times)}}
        self._table.put_item(TableName=self._lab.outputs["OrdersTable"], Item=item)

    def start(self, order: dict) -> str:
        started = self.states.start_execution(
            stateMachineArn=self._lab.outputs["StateMachineArn"], input=json.dumps(order)
        )
        return started["executionArn"]

    def run(self, order: dict) -> Finished:
        return self.finished(order, self.start(order))

    def finished(self, order: dict, execution: str) -> Finished:
        """The execution once it has ended."""

        def ended() -> dict:
            found = self.states.describe_execution(executionArn=execution)
            expect("the execution", found["status"]).meets(
                found["status"] in ENDED, "ended", why="Somebody waits for this order."
            )
            return found

        found = self._lab.eventually(ended)
        return Finished(found, self.history(execution), self.item(order))

    def history(self, execution: str) -> list[dict]:
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def item(self, order: dict) -> dict:
        """The order's item as plain values."""
        key = {"orderId": {"S": order["orderId"]}}
        found = self._table.get_item(TableName=self._lab.outputs["OrdersTable"], Key=key, ConsistentRead=True)
        return {name: next(iter(value.values())) for name, value in found.get("Item", {}).items()}

    def request(self, order: dict, execution: str) -> str:
        """The token of the message that asks for the approval of an order."""
        why = "An order that nobody is asked about is approved by nobody."

        def look() -> tuple[bool, object]:
            for message in self._queue.receive_message(QueueUrl=self._url, WaitTimeSeconds=1).get("Messages", []):
                self._queue.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                body = as_object(message["Body"])
                if body.get("orderId") == order["orderId"]:
                    return True, body.get("taskToken")
            ended = self.states.describe_execution(executionArn=execution)["status"] in ENDED
            expect("messages about the order in the approval queue", 0).meets(ended, "one, with its orderId", why=why)
            return False, None

        asked, token = self._lab.eventually(look, "call")
        expect("messages about the order in the approval queue", int(asked)).equals(1, why=why)
        expect("taskToken in the message", token).meets(
            isinstance(token, str) and bool(token), "a token", why="Only who has the token can answer."
        )
        return str(token)


def as_object(body: str) -> dict:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def recorded(found: Finished, order: dict, status: str, why: str) -> None:
    """The order's item must say `status`, and whose order it is."""
    seen = found.item.get("status")
    expect(f"the item's status after the execution that ended {found.ending}", seen).equals(status, why=why)
    expect("the item's customer", found.item.get("customer")).equals(
        order["customer"], why="What comes later needs the order: an error must not take its place."
    )


# --- pay ------------------------------------------------------------------------------------------------------------


@check(task="pay", needs=["states.history"], cards=["sfn-retry-catch"])
def test_retries_a_bank_that_does_not_answer(lab):
    """A bank that fails to answer twice is asked again after 4 and after 8 seconds, and takes the money once."""
    shop = Shop(lab)
    order = shop.order()
    shop.out_of_reach(order, 2)
    found = shop.run(order)
    failed, again = found.attempts("PaymentUnavailable")
    expect(
        f"attempts that failed with PaymentUnavailable in the execution that ended {found.ending}", len(failed)
    ).equals(2, why="What passes by itself is worth another attempt, and the history shows each.")
    pauses = [after - before for before, after in zip(failed, again, strict=False)]
    for number, pause in enumerate(pauses):
        least = FIRST_PAUSE * RATE**number
        expect(f"seconds until attempt {number + 2}", round(pause, 2)).meets(
            least - 0.01 <= pause < least * SLACK,
            f"{least:g}, or a little more",
            why="A bank in trouble needs time, and more of it each time.",
        )
    expect("times that the money was taken", found.done().count("charged")).equals(
        1, why="A retry that works ends the matter."
    )


@check(task="pay", needs=["states.history"], cards=["sfn-retry-catch"])
def test_does_not_retry_a_declined_card(lab):
    """A declined card is asked once; the order is recorded as REJECTED, with the cause, and nothing else is done."""
    shop = Shop(lab)
    order = shop.order(card=f"declined-{lab.draw.random.randrange(10**6)}")
    found = shop.run(order)
    failed, _ = found.attempts("CardDeclined")
    expect("attempts that failed with CardDeclined", len(failed)).equals(
        1, why="A bank that has said no says it again: only errors that pass are worth a retry."
    )
    recorded(found, order, "REJECTED", why="A customer whose card is declined has to be told.")
    for part in ("CardDeclined", order["card"]):
        expect("the item's reason", found.item.get("reason")).contains(
            part, why="Who reads it later wants to know which error it was, and its cause."
        )
    expect("what was done", found.done()).equals([], why="Nobody fetches what is not paid.")


# --- reserve --------------------------------------------------------------------------------------------------------


def reservations(found: Finished) -> object:
    """The skus in the execution's output, in their order."""
    output = json.loads(found.description.get("output") or "null")
    listed = output.get("reservations") if isinstance(output, dict) else None
    if not isinstance(listed, list):
        return listed
    answers = [payload(answer) for answer in listed]
    return [answer.get("reserved") if isinstance(answer, dict) else answer for answer in answers]


@check(task="reserve", cards=["sfn-map", "q-sfn-vs-chaining"])
def test_reserves_every_item_in_order(lab):
    """Each item is set aside once, and the output has the answers in the order of the items."""
    shop = Shop(lab)
    skus = [f"{lab.draw.word()}-{number}" for number in range(lab.draw.random.randint(4, 6))]
    order = shop.order(items=[{"sku": sku, "quantity": 1} for sku in skus])
    found = shop.run(order)
    taken = sorted(str(sku) for word, sku in found.answers() if word == "reserved")
    expect(f"items set aside in the execution that ended {found.ending}", taken).equals(
        sorted(skus), why="Each item of an order is set aside, and no other."
    )
    expect("`reservations` in the execution's output", reservations(found)).equals(
        skus, why="The results of a Map are in the order of its items, whichever is ready first."
    )


@check(task="reserve", needs=["states.history"], cards=["sfn-map"])
def test_keeps_three_at_once(lab):
    """Of nine items, three are being set aside at a time: never more, and not fewer."""
    shop = Shop(lab)
    items = [{"sku": f"{lab.draw.word()}-{number}", "quantity": 1} for number in range(9)]
    found = shop.run(shop.order(items=items))
    running = most = 0
    for event in found.of("MapIterationStarted", "MapIterationSucceeded", "MapIterationFailed"):
        running += 1 if event["type"] == "MapIterationStarted" else -1
        most = max(most, running)
    expect(f"iterations at once, by the history in the execution that ended {found.ending}", most).equals(
        CAP, why="There are three people in the warehouse: a fourth request fails, and two would leave one idle."
    )


# --- undo -----------------------------------------------------------------------------------------------------------


@check(task="undo", after=["17.reserves-every-item-in-order"], cards=["saga"])
def test_undoes_in_reverse(lab):
    """When no courier comes, the items are put back, then the money is given back, and the order is CANCELLED."""
    shop = Shop(lab)
    order = shop.order(address=f"nowhere-{lab.draw.word()}")
    found = shop.run(order)
    steps = [word for word in found.done() if word != "reserved"]
    expect(f"what was done in the execution that ended {found.ending}", steps).equals(
        ["charged", "released", "refunded"],
        why="What was done last is undone first: nobody must hold goods that are paid back already.",
    )
    recorded(found, order, "CANCELLED", why="An order that was undone is over.")
    expect("the item's reason", found.item.get("reason")).contains(
        order["address"], why="The cause of the first failure is what the customer wants to know."
    )


@check(task="undo", after=["17.reserves-every-item-in-order"], cards=["saga"])
def test_undoes_what_was_begun(lab):
    """When one item of several is gone, what was set aside is put back and the money too; nothing is shipped."""
    shop = Shop(lab)
    gone = f"gone-{lab.draw.word()}"
    items = [{"sku": sku, "quantity": 1} for sku in (lab.draw.word(), gone, lab.draw.word())]
    order = shop.order(items=items)
    found = shop.run(order)
    steps = [word for word in found.done() if word != "reserved"]
    expect(f"what was done in the execution that ended {found.ending}", steps).equals(
        ["charged", "released", "refunded"], why="Half a step has to be undone as well, and all before it."
    )
    recorded(found, order, "CANCELLED", why="An order that was undone is over.")
    expect("the item's reason", found.item.get("reason")).contains(
        gone, why="The cause of the first failure is what the customer wants to know."
    )


# --- approve --------------------------------------------------------------------------------------------------------


@check(task="approve", cards=["sfn-asl-sample"])
def test_waits_for_an_approval(lab):
    """A large order waits until its token comes back, and only then takes the money; a smaller one asks nobody."""
    shop = Shop(lab)
    order = shop.order(amount=LARGE + lab.draw.random.randrange(2) * lab.draw.random.randrange(1, 500))
    execution = shop.start(order)
    token = shop.request(order, execution)
    expect(
        "functions called before the answer", [e["type"] for e in shop.history(execution) if "Lambda" in e["type"]]
    ).equals([], why="An order that is not approved takes no money.")
    shop.states.send_task_success(taskToken=token, output=json.dumps({"by": lab.draw.word()}))
    found = shop.finished(order, execution)
    expect(f"whether it was shipped in the execution that ended {found.ending}", "shipped" in found.done()).equals(
        True, why="An approved order goes its way, with all that it had before."
    )
    small = shop.run(shop.order(amount=LARGE - 1))
    waits = [event for event in small.of("TaskSubmitted") if "waitForTaskToken" in details(event).get("resource", "")]
    expect("approvals that an order just below the limit waits for", len(waits)).equals(
        0, why="People are asked only where it matters."
    )
    expect(
        f"whether that one was shipped in the execution that ended {small.ending}", "shipped" in small.done()
    ).equals(True, why="It needs no approval.")


@check(task="approve", after=["17.waits-for-an-approval"], cards=["sfn-asl-sample"])
def test_rejects_what_is_refused(lab):
    """A refusal by token records the order as REJECTED, with the refusal's cause, and takes no money."""
    shop = Shop(lab)
    order = shop.order(amount=LARGE + 1)
    execution = shop.start(order)
    cause = f"{lab.draw.word()} says no"
    shop.states.send_task_failure(taskToken=shop.request(order, execution), error="Refused", cause=cause)
    found = shop.finished(order, execution)
    recorded(found, order, "REJECTED", why="A refusal is an answer, and another one than silence.")
    expect("the item's reason", found.item.get("reason")).contains(cause, why="Who refused had a reason.")
    expect("what was done", found.done()).equals([], why="A refused order takes no money.")


@check(
    task="approve",
    needs=["clock.advance", "states.heartbeat"],
    after=["17.waits-for-an-approval"],
    cards=["sfn-asl-sample"],
)
def test_expires_when_heartbeats_stop(lab):
    """Heartbeats keep the approval open for longer than a minute; a minute after the last one the order is EXPIRED."""
    shop = Shop(lab)
    order = shop.order(amount=LARGE + 1)
    execution = shop.start(order)
    token = shop.request(order, execution)
    for _ in range(4):
        lab.clock.advance(HEARTBEAT_SECONDS * 0.6)
        try:
            shop.states.send_task_heartbeat(taskToken=token)
        except ClientError as error:
            expect("a heartbeat within the minute", error.response["Error"]["Code"]).meets(
                False, "accepted", why="Who is still thinking says so, and is waited for."
            )
    lab.clock.advance(HEARTBEAT_SECONDS + 5)
    found = shop.finished(order, execution)
    recorded(
        found, order, "EXPIRED", why="Silence is no refusal: it has a name of its own, and has to be caught by it."
    )
    expect("what was done", found.done()).equals([], why="An order that nobody approved takes no money.")


# --- record ---------------------------------------------------------------------------------------------------------


@check(task="record", needs=["states.history"], cards=["sfn-optimistic-integrations", "q-sfn-vs-chaining"])
def test_records_without_a_function(lab):
    """A shipped order's item says SHIPPED and whose it is, and the workflow itself wrote that to DynamoDB."""
    shop = Shop(lab)
    order = shop.order()
    found = shop.run(order)
    recorded(found, order, "SHIPPED", why="An order that was shipped is recorded as such.")
    written = [details(event).get("resourceType", "") for event in found.of("TaskSucceeded")]
    expect("service integrations that wrote", [kind for kind in written if kind.endswith("dynamodb")]).meets(
        any(kind.endswith("dynamodb") for kind in written),
        "DynamoDB's",
        why="A function that only calls one operation is code to keep, pay and wait for: Step Functions can call it.",
    )


@check(task="record", after=["17.records-without-a-function"], cards=["sfn-optimistic-integrations"])
def test_keeps_what_the_item_had(lab):
    """Recording an order leaves alone what its item had before."""
    shop = Shop(lab)
    order = shop.order()
    shop.out_of_reach(order, 0)
    found = shop.run(order)
    recorded(found, order, "SHIPPED", why="An order that was shipped is recorded as such.")
    expect("`unavailable` of the item, which was 0 before", found.item.get("unavailable")).equals(
        "0", why="An update changes what it names; a put replaces the whole item."
    )


# --- express --------------------------------------------------------------------------------------------------------


class Quotes:
    """The Express machine."""

    def __init__(self, lab) -> None:
        self.states = lab.client("stepfunctions")
        self.arn = lab.outputs["ExpressStateMachineArn"]

    def ask(self, items: list[dict]) -> dict:
        """The answer of a synchronous execution."""
        try:
            return self.states.start_sync_execution(stateMachineArn=self.arn, input=json.dumps({"items": items}))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            expect("StartSyncExecution", code).meets(
                False, "an answer", why="Only an Express workflow answers the caller who starts it."
            )
            raise


def some_items(lab) -> list[dict]:
    draw = lab.draw.random
    return [{"price": draw.randint(1, 99), "quantity": draw.randint(1, 9)} for _ in range(3)]


@check(task="express", needs=["states.express"], cards=["sfn-standard-vs-express"])
def test_quotes_at_once(lab):
    """A quote comes back in the call that asked for it."""
    quotes, items = Quotes(lab), some_items(lab)
    found = quotes.ask(items)
    expect("the answer", (found["status"], json.loads(found.get("output") or "null"))).equals(
        ("SUCCEEDED", {"total": sum(item["price"] * item["quantity"] for item in items)}),
        why="A page that shows a price waits for the answer, not for an execution's ARN.",
    )


@check(task="express", needs=["states.express"], after=["17.quotes-at-once"], cards=["sfn-express"])
def test_answers_with_its_failure(lab):
    """A quote that fails comes back in the same call, as a failure with its error; the next one works again."""
    quotes, items = Quotes(lab), some_items(lab)
    empty = quotes.ask([])
    expect("the answer about no items", (empty["status"], empty.get("error"))).equals(
        ("FAILED", "EmptyOrder"), why="The call succeeds even if the workflow fails: only the status tells."
    )
    expect("the status of a quote after that", quotes.ask(items)["status"]).equals(
        "SUCCEEDED", why="One execution has nothing to do with the next."
    )


@check(
    task="express",
    needs=["states.express"],
    after=["17.quotes-at-once"],
    cards=["sfn-standard-vs-express", "sfn-express"],
)
def test_leaves_its_history_in_a_log(lab):
    """An Express execution's history is in CloudWatch Logs, with its data, and nowhere else."""
    quotes = Quotes(lab)
    execution = quotes.ask(some_items(lab))["executionArn"]
    described = quotes.states.describe_state_machine(stateMachineArn=quotes.arn).get("loggingConfiguration", {})
    groups = [target["cloudWatchLogsLogGroup"]["logGroupArn"] for target in described.get("destinations") or []]
    expect("log groups of the Express machine", len(groups)).equals(
        1, why="Without a log nobody can tell what an Express execution did."
    )
    name = groups[0].split(":log-group:")[-1].removesuffix(":*")
    logs = lab.client("logs")

    def written() -> list[dict]:
        found = [json.loads(event["message"]) for event in logs.filter_log_events(logGroupName=name)["events"]]
        found = [line for line in found if line.get("execution_arn") == execution]
        expect("the last event in the log", [line["type"] for line in found][-1:]).equals(
            ["ExecutionSucceeded"], why="Level ALL writes every event; the others only what went wrong."
        )
        return found

    lines = lab.eventually(written)
    first = next((line for line in lines if line["type"] == "ExecutionStarted"), {})
    expect("the input in the log", first.get("details", {}).get("input")).meets(
        bool(first.get("details", {}).get("input")),
        "what the execution was given",
        why="The log has events without their data, unless it is told to include them.",
    )
    try:
        quotes.states.get_execution_history(executionArn=execution)
        refused = "accepted"
    except ClientError as error:
        refused = error.response["Error"]["Code"]
    expect("GetExecutionHistory of the Express execution", refused).meets(
        refused != "accepted", "refused", why="Step Functions keeps no history of Express executions."
    )


def named(states, machine: str, name: str, given: str) -> set[str]:
    """The executions that come of starting twice under one name."""
    found = set()
    for _ in range(2):
        try:
            found.add(states.start_execution(stateMachineArn=machine, name=name, input=given)["executionArn"])
        except states.exceptions.ExecutionAlreadyExists:
            pass
    return found


@check(
    task="express", needs=["states.express"], after=["17.waits-for-an-approval"], cards=["sfn-standard", "sfn-express"]
)
def test_a_name_runs_once_or_twice(lab):
    """Started twice under one name, an order runs once, while a quote runs each time."""
    shop, quotes = Shop(lab), Quotes(lab)
    order = shop.order(amount=LARGE + 1)  # it waits for its approval, so that it still runs
    name = f"{lab.draw.word()}-{time.time_ns()}"
    machine, given = lab.outputs["StateMachineArn"], json.dumps(order)
    orders = named(shop.states, machine, name, given)
    expect("executions of one order, started twice under one name", len(orders)).equals(
        1, why="A Standard execution's name is taken while it runs: a second click charges nobody twice."
    )
    runs = named(quotes.states, quotes.arn, name, json.dumps({"items": some_items(lab)}))
    expect("executions of one quote, started twice under one name", len(runs)).equals(
        2, why="Express runs at least once, so what it does must bear being done twice."
    )
    shop.states.stop_execution(executionArn=orders.pop())
