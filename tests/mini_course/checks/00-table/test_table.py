"""Lab 00: what the table keeps."""

from cloudkata.checking import check, expect


@check(task="key", cards=["table-key"])
def test_finds_by_id(lab):
    """What is written under an id is found by that id."""
    table, client, word = lab.outputs["Table"], lab.client("dynamodb"), lab.draw.word()
    key = client.describe_table(TableName=table)["Table"]["KeySchema"][0]["AttributeName"]
    expect("the partition key", key).equals("id", why="Whoever looks for a thing knows its id alone.")
    client.put_item(TableName=table, Item={"id": {"S": word}, "text": {"S": word}})
    found = client.get_item(TableName=table, Key={"id": {"S": word}})["Item"]["text"]["S"]
    expect("the text of the item", found).equals(word, why="An item comes back as it was written.")
