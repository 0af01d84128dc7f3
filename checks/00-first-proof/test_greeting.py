"""Lab 00: what the function answers."""

from cloudkata.checking import check, expect


def answer(lab, event):
    reply = lab.invoke(lab.outputs["FunctionName"], event)
    expect("the function's error", reply.failure).equals("", why="An exception is not an answer: the caller gets none.")
    return reply.value


def status(reply):
    return reply.get("statusCode") if isinstance(reply, dict) else reply


@check(task="greet")
def test_greets_by_name(lab):
    """A request with a name gets a 200 and a greeting with that very name."""
    for name in lab.draw.names(3):
        reply = answer(lab, {"name": name})
        expect(f"statusCode for the name {name}", status(reply)).equals(
            200, why="A request that is complete is answered with a 200."
        )
        expect(f"the body for the name {name}", reply.get("body")).contains(
            name, why="The name comes with each request: a fixed greeting answers only one."
        )


@check(task="greet")
def test_refuses_a_missing_name(lab):
    """A request without a name gets a 400, and the next one with a name a 200 again."""
    first, second = lab.draw.names(2)
    answer(lab, {"name": first})  # what one request leaves behind must not serve the next
    for event in ({}, {"city": lab.draw.word()}):
        expect(f"statusCode for {event}", status(answer(lab, event))).equals(
            400, why="The caller has to learn that the request was wrong: only the status says so."
        )
    expect("statusCode for a name after that", status(answer(lab, {"name": second}))).equals(
        200, why="Refusing one request must not stop the next."
    )
