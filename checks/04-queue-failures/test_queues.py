"""Orders go into the queues; what they come to is read from the table, the dead-letter queue and the log."""

import contextlib
import json

from botocore.exceptions import ClientError

from cloudkata.checking import check, expect

SENT_AT_ONCE = 10  # messages, the most that one request may carry
LEAST_VISIBILITY = 60  # seconds: what Lambda makes of a shorter one with the window of this lab is below
WINDOW = 2  # seconds, as the brief asks
SLOW = 8  # seconds, within the time-out of the workers
VISIBILITY = "VisibilityTimeout"
MOST_TRIES = 10  # until we give up on a message that should be given up on
NIGHT = 12 * 3600


@contextlib.contextmanager
def scene(lab):
    """Time-outs are as long for the services as for the functions, and nothing is left in the queues in the end."""
    with lab.clock.paced(1.0), visible_soon(lab):
        try:
            yield
        finally:  # what failed would come back in the next scene
            for output in ("QueueUrl", "FifoQueueUrl", "DlqUrl"):
                if held(lab, output):
                    lab.eventually(lambda output=output: _purge(lab, output), within="poll")


def _purge(lab, output):
    expect("purging a queue", asked(lambda: lab.client("sqs").purge_queue(QueueUrl=lab.outputs[output]))).equals(
        "accepted", why="SQS does this once a minute for a queue."
    )


def asked(call):
    """What SQS says to a call: "accepted", or the code of its refusal."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "accepted"


@contextlib.contextmanager
def visible_soon(lab):
    """Where time cannot be moved, what failed comes back soon. How long its queue hides it is at stake in one check
    only, which needs a clock that moves."""
    if lab.clock.moves:
        yield
        return
    sqs, hidden = lab.client("sqs"), {}
    try:
        for output, worker in (("QueueUrl", "WorkerFunction"), ("FifoQueueUrl", "FifoWorkerFunction")):
            queue, function = lab.outputs[output], lab.outputs[worker]
            hidden[queue] = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[VISIBILITY])["Attributes"]
            # with less than the window and the time-out together, Lambda hides what it receives for half a minute more
            longest = lab.client("lambda").get_function_configuration(FunctionName=function)["Timeout"]
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={VISIBILITY: str(WINDOW + longest)})
        yield
    finally:
        for queue, found in hidden.items():
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={VISIBILITY: found[VISIBILITY]})


def names(lab, count):
    return [f"{name.lower()}-{lab.draw.random.randrange(10**6)}" for name in lab.draw.names(count)]


def good(lab, name, **more):
    return {"order": name, "amount": lab.draw.random.randrange(1, 1000), **more}


def bad(lab, name):
    """An order that nobody can ever book."""
    return {"order": name, "amount": lab.draw.word()}


def send(lab, orders):
    """Put orders into the standard queue in one request, so that they arrive together."""
    entries = [{"Id": str(number), "MessageBody": json.dumps(order)} for number, order in enumerate(orders)]
    lab.client("sqs").send_message_batch(QueueUrl=lab.outputs["QueueUrl"], Entries=entries)


def send_in_turn(lab, orders):
    """Put orders into the FIFO queue in one request, each in the group of its line."""
    entries = [
        {
            "Id": str(number),
            "MessageBody": json.dumps(order),
            "MessageGroupId": order["line"],
            "MessageDeduplicationId": order["order"],
        }
        for number, order in enumerate(orders)
    ]
    lab.client("sqs").send_message_batch(QueueUrl=lab.outputs["FifoQueueUrl"], Entries=entries)


def counts(lab, output):
    """(messages that can be received, messages that were received and may come back)."""
    wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    queue = lab.outputs[output]
    found = lab.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=wanted)["Attributes"]
    return int(found[wanted[0]]), int(found[wanted[1]])


def held(lab, output):
    return sum(counts(lab, output))


def item(lab, key):
    found = lab.client("dynamodb").get_item(
        TableName=lab.outputs["ResultsTable"], Key={"pk": {"S": key}}, ConsistentRead=True
    )
    return found.get("Item", {})


def times(lab, name):
    """How often an order was booked."""
    return int(item(lab, f"order#{name}").get("times", {"N": "0"})["N"])


def booked(lab, orders):
    return sorted(name for name in orders if times(lab, name))


def line(lab, name):
    """The orders of a line in the order in which they were booked."""
    return [entry["S"] for entry in item(lab, f"line#{name}").get("orders", {"L": []})["L"]]


def welcome(lab, customer):
    """Make a customer known, so that the orders of that customer can be booked."""
    key = {"pk": {"S": f"customer#{customer}"}}
    lab.client("dynamodb").put_item(TableName=lab.outputs["ResultsTable"], Item=key)


def invocations(lab, output):
    """How many invocations of a worker have ended, as its log says."""
    logs = lab.client("logs")
    try:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{lab.outputs[output]}", filterPattern='"REPORT RequestId"'
        )
        return sum(len(page["events"]) for page in pages)
    except logs.exceptions.ResourceNotFoundException:
        return 0


def more_invocations(lab, output, before, count, why):
    """Wait until `count` more invocations have ended than `before`; the first may have to start its environment."""

    def look():
        seen = invocations(lab, output) - before
        expect("batches that the worker has worked on", seen).meets(seen >= count, f"{count} or more", why=why)

    lab.eventually(look, within=_patience(lab, count))


def hand_over(lab):
    """Have the worker get what is in the standard queue: once it is taken, the window need not be waited for."""
    lab.eventually(lambda: _taken(lab), within="poll")
    lab.clock.wait(WINDOW)


def let_it_come_back(lab, output):
    """Let the visibility time-out of whatever was received pass."""
    found = lab.client("sqs").get_queue_attributes(QueueUrl=lab.outputs[output], AttributeNames=[VISIBILITY])
    least = LEAST_VISIBILITY if lab.clock.moves else 0
    lab.clock.wait(max(int(found["Attributes"][VISIBILITY]), least) + 1)


def _patience(lab, tries):
    """How long to wait for a try: where time cannot be moved, a further one comes when Lambda has seen the message."""
    return "call" if tries > 1 and lab.clock.moves else "poll"


def try_until_buried(lab, before):
    """Let what is in the queue come back until it is in the dead-letter queue."""
    why = "An order that cannot be booked has to leave the queue, and to be kept: the queue's redrive policy does both."
    for tries in range(1, MOST_TRIES + 1):
        hand_over(lab)

        def look(tries=tries):
            done = invocations(lab, "WorkerFunction") - before
            there = held(lab, "DlqUrl")
            expect("tries, and messages in the dead-letter queue", (done, there)).meets(
                there > 0 or done >= tries, f"a message there, or {tries} tries", why=why
            )

        lab.eventually(look, within=_patience(lab, tries))
        if held(lab, "DlqUrl"):
            return
        let_it_come_back(lab, "QueueUrl")
    expect("messages in the dead-letter queue", held(lab, "DlqUrl")).meets(False, "the bad order", why=why)


@check(task="gather", needs=["lambda.batching-window"], cards=["lambda-event-source-mapping"])
def test_orders_that_arrive_apart_are_gathered(lab):
    """Orders that arrive one by one within two seconds reach the worker together."""
    with scene(lab):
        orders = names(lab, 4)
        before = invocations(lab, "WorkerFunction")
        for name in orders:
            send(lab, [good(lab, name)])
            lab.eventually(lambda: _taken(lab), within="poll")
        hand_over(lab)
        lab.eventually(lambda: _all_booked(lab, orders), within="poll")
        lab.eventually(lambda: _empty(lab, "QueueUrl"), within="call")
        seen = invocations(lab, "WorkerFunction") - before
        expect("batches for 4 orders", seen).meets(
            1 <= seen <= 2,
            "1 or 2",
            why="Each invocation costs; a window lets a batch fill up before it is handed over.",
        )


def _taken(lab):
    expect("orders that nobody has received", counts(lab, "QueueUrl")[0]).equals(
        0, why="The mapping takes an order from the queue as soon as it can."
    )


def _empty(lab, output):
    expect("messages that are left in the queue", held(lab, output)).equals(
        0, why="What a worker has handled is deleted from the queue, by Lambda."
    )


def _all_booked(lab, orders):
    expect("booked orders", booked(lab, orders)).equals(sorted(orders), why="Every order that can be booked must be.")


@check(task="gather", cards=["lambda-event-source-mapping", "q-100k-uploads"])
def test_no_more_than_five_at_a_time(lab):
    """A batch has five orders at most."""
    with scene(lab):
        orders = names(lab, SENT_AT_ONCE)
        before = invocations(lab, "WorkerFunction")
        send(lab, [good(lab, name) for name in orders])
        lab.eventually(lambda: _all_booked(lab, orders), within="poll")
        lab.eventually(lambda: _empty(lab, "QueueUrl"), within="call")
        seen = invocations(lab, "WorkerFunction") - before
        expect("batches for 10 orders", seen).meets(
            seen >= 2,
            "2 or more",
            why="The worker must be done with a batch within its time-out: BatchSize is the limit.",
        )


@check(task="isolate", needs=["lambda.partial-responses"], cards=["lambda-sqs-partial-batch"])
def test_nine_of_ten_take_effect(lab):
    """With one bad order among ten, the other nine are booked."""
    with scene(lab):
        orders = names(lab, SENT_AT_ONCE)
        spoiled = lab.draw.random.choice([orders[1], orders[6]])
        before = invocations(lab, "WorkerFunction")
        send(lab, [bad(lab, name) if name == spoiled else good(lab, name) for name in orders])
        more_invocations(lab, "WorkerFunction", before, 1, "The orders are handed to the worker.")
        fine = [name for name in orders if name != spoiled]
        lab.eventually(lambda: _all_booked(lab, fine), within="call")


@check(task="isolate", needs=["lambda.partial-responses"], cards=["lambda-sqs-partial-batch"])
def test_what_was_handled_is_not_handled_again(lab):
    """A bad order is tried again; the orders that were booked beside it are not."""
    with scene(lab):
        orders = names(lab, 5)
        spoiled = orders[2]
        before = invocations(lab, "WorkerFunction")
        send(lab, [bad(lab, name) if name == spoiled else good(lab, name) for name in orders])
        why = "What fails comes back when its visibility time-out is over, and only then."
        more_invocations(lab, "WorkerFunction", before, 1, why)
        for tries in (2, 3):
            let_it_come_back(lab, "QueueUrl")
            hand_over(lab)
            more_invocations(lab, "WorkerFunction", before, tries, why)
        repeated = sorted(name for name in orders if times(lab, name) > 1)
        expect("orders that were booked more than once", repeated).meets(
            not repeated, "none", why="An order that was handled must not come back with one that was not."
        )


@check(task="bury", cards=["q-lambda-dlq-vs-sqs-dlq", "lambda-esm-failure"])
def test_only_the_bad_order_is_buried(lab):
    """After its tries the bad order is in the dead-letter queue, and no other is."""
    with scene(lab):
        orders = names(lab, 5)
        spoiled = orders[2]
        before = invocations(lab, "WorkerFunction")
        send(lab, [bad(lab, name) if name == spoiled else good(lab, name) for name in orders])
        try_until_buried(lab, before)
        lab.settle()
        expect("orders in the dead-letter queue", buried(lab)).equals(
            [spoiled], why="Somebody will look at each of them by hand: there must be no more than necessary."
        )


def buried(lab):
    """The orders in the dead-letter queue, which stay there."""
    found = lab.client("sqs").receive_message(
        QueueUrl=lab.outputs["DlqUrl"], MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    return sorted(json.loads(message["Body"]).get("order") for message in found.get("Messages", []))


@check(task="bury", cards=["lambda-esm-failure"])
def test_a_passing_trouble_is_survived(lab):
    """An order that fails twice and can be booked then is booked."""
    with scene(lab):
        (name,) = names(lab, 1)
        customer = lab.draw.word()
        before = invocations(lab, "WorkerFunction")
        send(lab, [good(lab, name, customer=customer)])
        why = "Most troubles pass: an order gets five tries before it is given up."
        for tries in (1, 2):
            hand_over(lab)
            more_invocations(lab, "WorkerFunction", before, tries, why)
            if tries == 2:
                welcome(lab, customer)
            let_it_come_back(lab, "QueueUrl")
        hand_over(lab)
        lab.eventually(lambda: _all_booked(lab, [name]), within=_patience(lab, 3))


@check(
    task="bury",
    after=["04.only-the-bad-order-is-buried"],
    needs=["sqs.move-tasks", "clock.advance"],
    cards=["q-lambda-dlq-vs-sqs-dlq"],
)
def test_a_redrive_task_puts_orders_back(lab):
    """The next morning the cause is gone, and a redrive task brings a buried order back to be booked."""
    with scene(lab):
        (name,) = names(lab, 1)
        customer = lab.draw.word()
        before = invocations(lab, "WorkerFunction")
        send(lab, [good(lab, name, customer=customer)])
        try_until_buried(lab, before)
        lab.clock.advance(NIGHT)
        welcome(lab, customer)
        expect("orders in the dead-letter queue after a night", buried(lab)).equals(
            [name], why="A message keeps its age when it is moved: the dead-letter queue has to keep it for longer."
        )
        redrive(lab)
        hand_over(lab)
        lab.eventually(lambda: _all_booked(lab, [name]), within="poll")
        expect("orders that are still buried", buried(lab)).meets(
            not buried(lab), "none", why="A redrive task moves messages; it does not copy them."
        )


def redrive(lab):
    """What an operator does: put the messages of the dead-letter queue back to where they came from."""
    sqs = lab.client("sqs")
    dead = sqs.get_queue_attributes(QueueUrl=lab.outputs["DlqUrl"], AttributeNames=["QueueArn"])["Attributes"]
    sqs.start_message_move_task(SourceArn=dead["QueueArn"])

    def look():
        (task,) = sqs.list_message_move_tasks(SourceArn=dead["QueueArn"])["Results"]
        expect("the state of the redrive task", task["Status"]).equals(
            "COMPLETED", why="The queue that messages came from must still be there to take them back."
        )

    lab.eventually(look, within="poll")


@check(task="turns", cards=["sqs-fifo", "lambda-sqs-partial-batch"])
def test_a_line_keeps_its_order_after_a_failure(lab):
    """When an order of a line fails, those behind it wait for it, and those before it are not booked again."""
    with scene(lab):
        orders = names(lab, 4)
        way, customer = lab.draw.word(), lab.draw.word()
        before = invocations(lab, "FifoWorkerFunction")
        made = [good(lab, name, line=way) for name in orders]
        made[1]["customer"] = customer
        send_in_turn(lab, made)
        why = "A FIFO queue hands over the messages of a group in their order."
        more_invocations(lab, "FifoWorkerFunction", before, 1, why)
        welcome(lab, customer)
        let_it_come_back(lab, "FifoQueueUrl")
        lab.eventually(lambda: _all_booked(lab, orders), within=_patience(lab, 2))
        lab.settle()
        expect("the line, as it was booked", line(lab, way)).equals(
            orders, why="Stop at the first failure, and send back all from there on: then a line stays in its order."
        )


def _all_taken(lab, count):
    expect("messages in the FIFO queue (to be received, received)", counts(lab, "FifoQueueUrl")).equals(
        (0, count), why="Messages of different groups are received whatever becomes of the others."
    )


@check(task="turns", needs=["clock.advance"], cards=["sqs-visibility-timeout"])
def test_a_slow_order_is_not_handed_to_another(lab):
    """While a worker is busy with an order, nobody else gets it."""
    with scene(lab):
        (name,) = names(lab, 1)
        send_in_turn(lab, [good(lab, name, line=name, seconds=1)])
        lab.eventually(lambda: _all_taken(lab, 1), within="poll")
        lab.clock.advance(SLOW)
        lab.eventually(lambda: _all_booked(lab, [name]), within="poll")
        why = "A message that becomes visible while it is worked on is worked on twice, and cannot be deleted any more."
        lab.eventually(lambda: _booked_once(lab, name, why), within="call")


def _booked_once(lab, name, why):
    seen = (times(lab, name), held(lab, "FifoQueueUrl"))
    expect("how often it was booked, and messages left in the queue", seen).equals((1, 0), why=why)


@check(task="turns", cards=["sqs-fifo"])
def test_a_duplicate_is_dropped(lab):
    """The same order sent again within five minutes is not handled again."""
    with scene(lab):
        first, second = names(lab, 2)
        way = lab.draw.word()
        again = good(lab, first, line=way)
        for order in (again, again, good(lab, second, line=way)):
            send_without_id(lab, order)
        lab.eventually(lambda: _all_booked(lab, [first, second]), within="poll")
        send_without_id(lab, again)
        lab.settle()
        expect("the line, as it was booked", line(lab, way)).equals(
            [first, second], why="The shop presses the button twice; the queue can tell by the content."
        )


def send_without_id(lab, order):
    """Put an order into the FIFO queue as the shop does: without a deduplication id."""
    refused = ""
    try:
        lab.client("sqs").send_message(
            QueueUrl=lab.outputs["FifoQueueUrl"], MessageBody=json.dumps(order), MessageGroupId=order["line"]
        )
    except ClientError as error:
        refused = error.response["Error"]["Message"]
    expect("why the queue refused an order", refused).meets(
        not refused, "it did not", why="Without a deduplication id the queue has to make one from the content."
    )


# The last one: its slow order is not waited for.
@check(task="turns", needs=["lambda.message-groups"], cards=["q-sqs-standard-vs-fifo"])
def test_other_lines_go_on(lab):
    """While one line waits for its failed order, or its slow one, another is served."""
    with scene(lab):
        waiting, slow, one, other = names(lab, 4)
        warm_up(lab)
        before = invocations(lab, "FifoWorkerFunction")
        send_in_turn(lab, [good(lab, waiting, line="a" + waiting, customer=lab.draw.word())])
        more_invocations(lab, "FifoWorkerFunction", before, 1, "The failing order is tried.")
        send_in_turn(lab, [good(lab, one, line="b" + one)])
        lab.eventually(lambda: _all_booked(lab, [one]), within="poll")
        send_in_turn(lab, [good(lab, slow, line="c" + slow, seconds=6)])
        lab.eventually(lambda: _all_taken(lab, 2), within="poll")
        send_in_turn(lab, [good(lab, other, line="d" + other)])
        lab.eventually(lambda: _all_booked(lab, [other]), within="poll")
        expect("orders that were booked before the slow one", booked(lab, [one, other, slow])).equals(
            sorted([one, other]), why="Order is kept within a group; different groups are handled at the same time."
        )


def warm_up(lab):
    """Have two environments of the FIFO worker started, so that no start is taken for a wait."""
    first, second = names(lab, 2)
    send_in_turn(lab, [good(lab, first, line=first, seconds=0.5)])
    lab.eventually(lambda: _all_taken(lab, 1), within="poll")
    send_in_turn(lab, [good(lab, second, line=second)])
    lab.eventually(lambda: _all_booked(lab, [first, second]), within="poll")
    lab.eventually(lambda: _empty(lab, "FifoQueueUrl"), within="call")
