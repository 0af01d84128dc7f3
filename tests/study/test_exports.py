"""Cards in other programs: Anki's own library imports the package, twice, and keeps what was learned."""

import csv
import io
from pathlib import Path

import pytest

from cloudkata.course import find_course
from cloudkata.course.study import load_cards
from cloudkata.study.exports import as_csv, write_anki

CARDS = load_cards(find_course(Path(__file__)))


@pytest.fixture
def collection(tmp_path):
    anki = pytest.importorskip("anki.collection")
    opened = anki.Collection(str(tmp_path / "collection.anki2"))
    yield opened
    opened.close()


def imported(collection, file):
    from anki.collection import ImportAnkiPackageOptions, ImportAnkiPackageRequest

    request = ImportAnkiPackageRequest(package_path=str(file), options=ImportAnkiPackageOptions(with_scheduling=True))
    return collection.import_anki_package(request)


def test_a_second_import_makes_no_duplicate_and_loses_no_schedule(collection, tmp_path):
    first, second = tmp_path / "first.apkg", tmp_path / "second.apkg"
    write_anki(CARDS.values(), first)
    imported(collection, first)
    assert collection.note_count() == len(CARDS)
    card = collection.get_card(collection.find_cards("tag:14-dynamodb-transactions")[0])
    collection.sched.set_due_date([card.id], "7")
    before = collection.get_card(card.id)
    write_anki(reversed(CARDS.values()), second)
    imported(collection, second)
    after = collection.get_card(card.id)
    assert collection.note_count() == len(CARDS)
    assert (after.due, after.ivl, after.type, after.queue) == (before.due, before.ivl, before.type, before.queue)
    assert before.ivl == 7


def test_what_is_shown_is_escaped(collection, tmp_path):
    nasty = next(iter(CARDS.values())).model_copy(update={"answer": "<script>x</script> `a<b`"})
    write_anki([nasty], tmp_path / "n.apkg")
    imported(collection, tmp_path / "n.apkg")
    fields = collection.get_note(collection.find_notes("")[0]).fields
    assert fields[1] == "&lt;script&gt;x&lt;/script&gt; <code>a&lt;b</code>"


def test_csv_has_a_row_for_each_card_and_no_formula():
    nasty = next(iter(CARDS.values())).model_copy(update={"situation": "=cmd()", "why": "two\nlines, and a comma"})
    rows = list(csv.DictReader(io.StringIO(as_csv([*CARDS.values(), nasty]))))
    assert [row["id"] for row in rows[:-1]] == list(CARDS)
    assert rows[-1]["situation"] == "'=cmd()" and rows[-1]["why"] == "two\nlines, and a comma"
