"""Lab 01: what the counter holds."""

from cloudkata.checking import check, expect


@check(task="deploy")
def test_has_a_table(lab):
    """There is a table that is found by `id`."""
    table = lab.client("dynamodb").describe_table(TableName=lab.outputs["Table"])["Table"]
    key = table["KeySchema"][0]["AttributeName"]
    expect("the partition key", key).equals("id", why="The counter is the item whose id is `total`.")


@check(task="count", after=["01.has-a-table"])
def test_adds_up(lab):
    """Each step is added, and the new number returned."""
    first, second = lab.draw.random.sample(range(1, 100), 2)
    said = [lab.call("count", step).value for step in (first, second)]
    expect(f"what count() returned for {first} and {second}", said).equals(
        [first, first + second], why="A counter remembers."
    )


@check(task="count", after=["01.adds-up"])
def test_keeps_the_number(lab):
    """The number is in the table, as a number."""
    key = {"id": {"S": "total"}}
    item = lab.client("dynamodb").get_item(TableName=lab.outputs["Table"], Key=key).get("Item", {})
    expect("the item", item).meets(
        int(item.get("amount", {}).get("N", 0)) > 0,
        "an item with an amount",
        why="What a process remembers ends with it.",
    )
