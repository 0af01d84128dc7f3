"""Lab @number@: what the function answers."""

from cloudkata.checking import check, expect


@check(task="add")
def test_adds(lab):
    """The answer is the sum of the two numbers."""
    a, b = lab.draw.random.sample(range(10, 100), 2)
    reply = lab.invoke(lab.outputs["FunctionName"], {"a": a, "b": b})
    expect(f"the answer to {a} and {b}", reply.failure or reply.value).equals(
        a + b, why="The numbers come with each call: nothing else may decide the answer."
    )
