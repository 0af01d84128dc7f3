"""Revising from the command line: cards, proofs, mock exams, coverage."""

import json
import re

import pytest


@pytest.fixture
def typing(mini):
    """Run a command with lines that stand for keys."""

    def run(text, *words, expect=0):
        return mini.kata(*words, text=text, expect=expect).stdout

    return run


def test_a_drill_shows_answers_takes_ratings_and_ends(typing):
    said = typing(" \n3\n \n1\nq\n", "cards")
    assert "0 due, 3 new." in said
    assert "Make `id` the partition key." in said and "Often believed, and wrong: Any attribute" in said
    assert "kata prove table-key" in said and "2 reviewed." in said
    again = typing("q\n", "cards")
    assert "0 due, 1 new." in again


def test_an_answer_is_not_shown_before_it_is_asked_for(typing):
    assert "partition key" not in typing("q\n", "cards", "0")


def test_undo_and_suspend(typing, mini):
    said = typing(" \n4\nu\n \n4\ns\nq\n", "cards", "0")
    assert "Taken back: table-key." in said and "kata cards --resume table-price" in said
    assert "Nothing is left for today." in typing("", "cards", "0")
    mini.kata("cards", "--resume", "table-price")
    assert "What does an idle table cost?" in typing("q\n", "cards", "0")


def test_limits_of_a_day(typing):
    assert "0 due, 1 new." in typing("q\n", "cards", "--new", "1")
    assert "Nothing is left for today." in typing("", "cards", "--new", "0")


def test_a_failed_check_brings_its_card_back(typing, mini):
    typing(" \n4\n \n4\nq\n", "cards", "0")
    mini.kata("start", "0")
    mini.kata("check", "0", expect=1)
    assert "1 due" in typing("q\n", "cards", "0")


def test_filters_and_statistics(typing, mini):
    assert "What does an idle table cost?" in typing("q\n", "cards", "--domain", "2")
    typing(" \n1\nq\n", "cards", "--domain", "2")
    assert "What does an idle table cost?" in typing("q\n", "cards", "--weak")
    shown = mini.kata("cards", "--stats").stdout
    assert "3 cards: 1 seen, 2 new." in shown and "░" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cards", "--domain", "9"], 'has no domain "9"; there are 1, 2'),
        (["cards", "2"], "no card fits"),
        (["cards", "--resume", "x"], 'no card "x"'),
        (["cards", "--export", "cards.pdf"], "must end in .apkg"),
        (["prove", "table-kay"], "did you mean table-key?"),
        (["exam", "c02"], 'no exam "c02"; there are DVA-C03'),
        (["exam", "--questions", "40"], "are needed"),
        (["exam", "--result"], "no mock exam was finished yet"),
    ],
)
def test_a_wrong_call_gets_a_sentence(mini, words, said):
    assert said in mini.kata(*words, expect=4).stderr


def test_a_malformed_card_names_its_file(mini):
    path = mini.folder / "cards" / "mini.toml"
    path.write_text(path.read_text().replace('why = "GetItem', 'wy = "GetItem'))
    assert "cards/mini.toml: card.0" in mini.kata("cards", expect=4).stderr


def test_a_broken_database_is_a_sentence_and_stays_as_it_is(mini):
    (mini.folder / "workspace").mkdir()
    file = mini.folder / "workspace" / "progress.sqlite3"
    file.write_bytes(b"something else" * 500)
    said = mini.kata("cards", expect=3).stderr
    assert "progress.sqlite3" in said and file.read_bytes() == b"something else" * 500


def test_exports(mini):
    assert "3 cards" in mini.kata("cards", "--export", "all.csv").stdout
    mini.kata("cards", "0", "--export", "cards.apkg")
    assert len((mini.folder / "all.csv").read_text().splitlines()) == 4
    assert (mini.folder / "cards.apkg").read_bytes()[:2] == b"PK"


def test_a_card_is_proved_with_the_calls_that_settle_it(mini):
    shown = mini.kata("prove", "table-key", "table-price", "--json", "proof.json").stdout
    assert re.search(r"the check: dynamodb (PutItem|GetItem|DescribeTable) → 200", shown)
    assert "No proof: No engine sends a bill." in shown
    found = {entry["card"]: entry for entry in json.loads((mini.folder / "proof.json").read_text())["cards"]}
    assert found["table-key"]["result"] == "proved" and found["table-price"]["result"] == "no proof"
    calls = [call["call"] for call in found["table-key"]["checks"][0]["calls"]]
    assert calls == ["dynamodb DescribeTable", "dynamodb PutItem", "dynamodb GetItem"]


def test_a_card_whose_check_fails_is_not_proved(mini):
    solution = mini.folder / "solutions" / "00-table" / "deploy.py"
    solution.write_text(solution.read_text().replace('"id"', '"it"'))
    shown = mini.kata("prove", "table-key", expect=1).stdout
    assert "✗ table-key" in shown and "0 proved, 1 not proved" in shown


def answers(text, questions=4):
    """The letters of the right options, as they are shown."""
    found = {}
    for block in re.split(r"─+ \d of \d[^─]*─+", text)[1:]:
        name = re.search(r"Question (\d)", block).group(1)
        found[name] = re.findall(r"^  ([a-d])  right", block, re.MULTILINE)
    return found


def test_a_mock_exam_can_be_left_and_gone_on_with(typing, mini):
    first = typing("q\n", "exam", "--seed", "5")
    assert "A mock exam of DVA-C03: 4 questions, seed 5." in first and "It is kept." in first
    (letters,) = answers(first).values()
    second = typing("\n".join(letters) + "\n\nq\n", "exam")
    assert "4 questions are left." in second
    third = typing("", "exam")
    assert "3 questions are left." in third


def test_a_result_says_why_and_how_sure_it_is(typing, mini):
    said = typing("a\nb\n\n" * 4, "exam", "--seed", "5", "--json", "exam.json")
    found = json.loads((mini.folder / "exam.json").read_text())
    assert found["asked"] == 4 and found["exam"] == "DVA-C03" and len(found["domains"]) == 2
    assert sum(entry["right"] for entry in found["questions"]) == found["right"]
    assert f"{found['right']} of 4 right, on DVA-C03." in said and "Because of 1." in said
    assert "2 of 2 skills of the guide have a question or a lab here." in said and "with 90% confidence" in said
    assert f"{found['right']} of 4 right" in mini.kata("exam", "--result").stdout


def test_no_total_while_too_little_of_the_guide_is_covered(typing, mini):
    path = mini.folder / "exams" / "dva-c03.toml"
    more = '\n[[skill]]\nid = "C03-other"\ntask = "2.1"\ntext = "Another"\ncertainty = "guide"\n'
    path.write_text(path.read_text() + more)
    said = typing("a\nb\n\n" * 4, "exam", "--seed", "5")
    assert "2 of 3 skills" in said and "too little of the guide" in said and "confidence" not in said


def test_coverage_as_table_json_and_page(mini):
    shown = mini.kata("coverage", "--all", "--json", "c.json", "--html", "c.html").stdout
    assert "3 cards: 1 proved by behaviour" in shown and "No engine sends a bill." in shown
    found = json.loads((mini.folder / "c.json").read_text())
    assert found["schema"] == "cloudkata.coverage/1" and len(found["cards"]) == 3
    assert "<title>Coverage</title>" in (mini.folder / "c.html").read_text()


def test_lint_finds_what_dangles(mini):
    path = mini.folder / "cards" / "mini.toml"
    path.write_text(path.read_text().replace("C03-cost", "C03-costs"))
    assert "card table-price: there is no skill C03-costs" in mini.kata("lint", expect=1).stdout
