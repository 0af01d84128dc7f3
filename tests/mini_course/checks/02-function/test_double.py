"""Lab 02: what the function answers."""

from cloudkata.checking import check, expect


@check(task="double")
def test_doubles(lab):
    """The answer is twice the number that was sent."""
    number = lab.draw.random.randint(10, 99)
    value = lab.invoke(lab.outputs["FunctionName"], {"number": number}).value
    expect(f"the answer to {number}", value).equals(2 * number, why="That is what doubling means.")
