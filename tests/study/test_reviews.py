"""What is remembered of cards, which is asked next, and what a drill survives."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cloudkata.course.study import Card
from cloudkata.study.deck import Deck, Limits
from cloudkata.study.reviews import Reviews
from cloudkata.study.store import FILE, StoreError

NOW = 1_790_000_000.0
DAY = 86_400.0
CARDS = {
    name: Card(id=name, situation="s", answer="a", why="w", belief="b", page="https://x.test", skills=())
    for name in ("one", "two", "three")
}


@pytest.fixture
def reviews(tmp_path):
    return Reviews(tmp_path, fuzz=False)


def deck(reviews, **more):
    return Deck(dict(CARDS), reviews.remembered(), **more)


def test_looking_makes_nothing(tmp_path):
    reviews = Reviews(tmp_path / "workspace")
    assert (reviews.remembered(), reviews.suspended(), reviews.done_since(0), reviews.failed_checks()) == (
        {},
        frozenset(),
        (0, 0),
        {},
    )
    assert list(tmp_path.iterdir()) == []


def test_a_card_that_was_known_comes_later_than_one_that_was_not(reviews):
    known = reviews.rate("one", "easy", None, NOW)
    missed = reviews.rate("two", "again", None, NOW)
    assert missed.due - NOW < 3600 < DAY < known.due - NOW
    again = reviews.rate("one", "good", known, known.due)
    assert again.due - again.at > known.due - known.at


def test_what_is_remembered_is_the_last_review(reviews):
    first = reviews.rate("one", "good", None, NOW)
    last = reviews.rate("one", "good", first, NOW + 600)
    assert reviews.remembered()["one"].due == pytest.approx(last.due)
    assert reviews.remembered()["one"].at == NOW + 600


def test_undo_takes_the_last_review_back_and_loses_no_row(reviews, tmp_path):
    first = reviews.rate("one", "good", None, NOW)
    reviews.rate("one", "again", first, NOW + 600)
    assert reviews.undo(NOW + 601) == "one"
    assert reviews.remembered()["one"].at == NOW
    assert reviews.undo(NOW + 602) == "one"
    assert reviews.remembered() == {} and reviews.undo(NOW + 603) == ""
    with sqlite3.connect(tmp_path / FILE) as connection:
        assert connection.execute("SELECT count(*) FROM review").fetchone() == (2,)
    connection.close()


def test_suspended_cards_come_back_when_asked_to(reviews):
    reviews.suspend("one", True, NOW)
    assert reviews.suspended() == {"one"}
    reviews.suspend("one", False, NOW + 1)
    assert reviews.suspended() == frozenset()


def test_due_cards_come_before_new_ones_within_the_limits(reviews):
    kept = reviews.rate("two", "easy", None, NOW)
    assert deck(reviews).next(kept.due + 1).id == "two"
    assert deck(reviews).next(NOW + 1).id == "one"
    assert deck(reviews, limits=Limits(new=0)).next(NOW + 1) is None
    assert deck(reviews, limits=Limits(new=0, reviews=0)).next(kept.due + 1) is None
    assert deck(reviews, limits=Limits(new=1, reviews=5), done=(1, 0)).next(NOW + 1) is None


def test_a_failed_check_makes_its_cards_due(reviews):
    kept = reviews.rate("two", "easy", None, NOW)
    limits = Limits(new=0)
    assert deck(reviews, limits=limits).next(NOW + 600) is None
    failed = deck(reviews, limits=limits, failed={"two": NOW + 300})
    assert failed.next(NOW + 600).id == "two"
    failed.rated(reviews.rate("two", "good", kept, NOW + 700))
    assert failed.next(NOW + 800) is None
    assert deck(reviews, failed={"three": NOW}).next(NOW + 1).id == "three"


def test_a_card_in_learning_is_asked_again_rather_than_waited_for(reviews):
    only = deck(reviews, limits=Limits(new=1))
    only.rated(reviews.rate("one", "again", None, NOW))
    assert only.next(NOW + 1).id == "one"


def test_counts_of_days_and_of_today(reviews):
    first = reviews.rate("one", "again", None, NOW)
    reviews.rate("one", "good", first, NOW + 60)
    reviews.rate("two", "good", None, NOW + DAY)
    assert reviews.days(NOW) == {0: (2, 1), 1: (1, 0)}
    assert reviews.done_since(NOW) == (2, 1)
    assert reviews.done_since(NOW + DAY) == (1, 0)


def many(folder, cards=500, rows=20_000):
    """A database with that many reviews."""
    reviews = Reviews(folder, fuzz=False)
    state = json.dumps(reviews.rate("card-0", "good", None, NOW).memory.to_dict())
    with sqlite3.connect(folder / FILE) as connection:
        connection.executemany(
            "INSERT INTO review (card, at, rating, state) VALUES (?, ?, 3, ?)",
            ((f"card-{number % cards}", NOW + number, state) for number in range(rows - 1)),
        )
    connection.close()
    return reviews


def test_a_large_deck_opens_at_once(tmp_path):
    reviews = many(tmp_path)
    cards = {f"card-{n}": CARDS["one"].model_copy(update={"id": f"card-{n}"}) for n in range(500)}
    began = time.process_time()
    large = Deck(cards, reviews.remembered(), limits=Limits(1000, 1000), done=reviews.done_since(NOW + DAY))
    opened = time.process_time() - began
    began = time.process_time()
    assert large.next(NOW + 40 * DAY)
    chosen = time.process_time() - began
    assert len(large.remembered) == 500
    assert opened < 0.5 and chosen < 0.05, (opened, chosen)


WRITER = """
import sys, time
from pathlib import Path
from cloudkata.study.reviews import Reviews
reviews = Reviews(Path(sys.argv[1]))
for number in range(10_000):
    reviews.rate(f"card-{number}", "good", None, time.time())
    print(number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 5, 9])
def test_a_drill_that_is_killed_keeps_every_review_that_was_confirmed(tmp_path, after):
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) >= after:
                os.kill(process.pid, signal.SIGKILL)
                break
    assert len(Reviews(tmp_path).remembered()) >= after + 1


def test_two_drills_at_once_lose_nothing(tmp_path):
    def drill(name):
        reviews = Reviews(tmp_path)
        for number in range(25):
            reviews.rate(f"{name}-{number}", "good", None, NOW + number)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(drill, ("a", "b")))
    assert len(Reviews(tmp_path).remembered()) == 50


def test_a_broken_database_gets_a_sentence(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match=FILE):
        Reviews(tmp_path).remembered()
