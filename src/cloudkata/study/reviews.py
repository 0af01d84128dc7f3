"""What a learner remembered of each card, and when it should be asked again, by FSRS.

Rows are only added. A card's state is kept with each review, so that opening a deck replays nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fsrs import Card as Memory
from fsrs import Rating, Scheduler

from cloudkata.study.store import Store

RATINGS = {"again": Rating.Again, "hard": Rating.Hard, "good": Rating.Good, "easy": Rating.Easy}
_DAY = 86_400.0


@dataclass(frozen=True)
class Remembered:
    """The last review of a card that was not undone: `at` and `due` in seconds since the epoch."""

    card: str
    at: float
    due: float
    rating: int
    memory: Memory


class Reviews:
    """The reviews in one workspace. Every method raises StoreError when they cannot be read or kept."""

    def __init__(self, workspace: Path, fuzz: bool = True) -> None:
        self._store = Store(workspace)
        self._scheduler = Scheduler(enable_fuzzing=fuzz)

    def remembered(self) -> dict[str, Remembered]:
        """Every card that was ever reviewed, with its last review."""
        with self._store.reading() as connection:
            if connection is None:
                return {}
            rows = connection.execute(
                "SELECT card, at, rating, state FROM review WHERE id IN (SELECT max(id) FROM review "
                "WHERE id NOT IN (SELECT review FROM undone) GROUP BY card)"
            ).fetchall()
        found = (Memory.from_dict(json.loads(state)) for *_, state in rows)
        return {
            card: Remembered(card, at, memory.due.timestamp(), rating, memory)
            for (card, at, rating, _), memory in zip(rows, found, strict=True)
        }

    def suspended(self) -> frozenset[str]:
        """The cards that are not to be asked."""
        with self._store.reading() as connection:
            if connection is None:
                return frozenset()
            rows = connection.execute(
                "SELECT card FROM suspension WHERE id IN (SELECT max(id) FROM suspension GROUP BY card) AND held"
            ).fetchall()
        return frozenset(card for (card,) in rows)

    def rate(self, card: str, rating: str, before: Remembered | None, now: float) -> Remembered:
        """Keep how well a card was known ("again", "hard", "good", "easy"); what is remembered of it now."""
        memory = before.memory if before else Memory(card_id=0, due=datetime.fromtimestamp(now, UTC))
        after, _ = self._scheduler.review_card(memory, RATINGS[rating], datetime.fromtimestamp(now, UTC))
        kept = Remembered(card, now, after.due.timestamp(), int(RATINGS[rating]), after)
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO review (card, at, rating, state) VALUES (?, ?, ?, ?)",
                (card, now, kept.rating, json.dumps(after.to_dict())),
            )
        return kept

    def undo(self, now: float) -> str:
        """Take the last review back; the card's id, or "" when there is none."""
        with self._store.writing() as connection:
            row = connection.execute(
                "SELECT id, card FROM review WHERE id NOT IN (SELECT review FROM undone) ORDER BY id DESC LIMIT 1"
            ).fetchone()
            if row is None:
                return ""
            connection.execute("INSERT INTO undone VALUES (?, ?)", (row[0], now))
        return row[1]

    def suspend(self, card: str, held: bool, now: float) -> None:
        """Ask a card no more, or again."""
        with self._store.writing() as connection:
            connection.execute("INSERT INTO suspension (card, at, held) VALUES (?, ?, ?)", (card, now, int(held)))

    def days(self, since: float) -> dict[int, tuple[int, int]]:
        """Number of the day, 0 for the one that begins at `since` -> (reviews, of them not known)."""
        with self._store.reading() as connection:
            if connection is None:
                return {}
            rows = connection.execute(
                "SELECT at, rating FROM review WHERE at >= ? AND id NOT IN (SELECT review FROM undone)", (since,)
            ).fetchall()
        found: dict[int, tuple[int, int]] = {}
        for at, rating in rows:
            day = int((at - since) // _DAY)
            all_, missed = found.get(day, (0, 0))
            found[day] = all_ + 1, missed + (rating == Rating.Again)
        return found

    def done_since(self, since: float) -> tuple[int, int]:
        """(cards seen for the first time, other reviews) since a moment."""
        with self._store.reading() as connection:
            if connection is None:
                return 0, 0
            alive = "id NOT IN (SELECT review FROM undone)"
            (new,) = connection.execute(
                f"SELECT count(*) FROM (SELECT min(at) AS first FROM review WHERE {alive} GROUP BY card) "  # noqa: S608
                "WHERE first >= ?",
                (since,),
            ).fetchone()
            (all_,) = connection.execute(
                f"SELECT count(*) FROM review WHERE at >= ? AND {alive}",  # noqa: S608
                (since,),
            ).fetchone()
        return new, all_ - new

    def failed_checks(self) -> dict[str, float]:
        """Checks that failed, with when they last did, in seconds since the epoch."""
        with self._store.reading() as connection:
            if connection is None:
                return {}
            return dict(
                connection.execute(
                    "SELECT check_id, max(started) FROM verdict JOIN attempt ON attempt.id = verdict.attempt "
                    "WHERE verdict.status = 'failed' GROUP BY check_id"
                )
            )

    def retrievability(self, remembered: Iterable[Remembered], now: float) -> dict[str, float]:
        """How likely each card is known now, from 0 to 1."""
        moment = datetime.fromtimestamp(now, UTC)
        return {one.card: self._scheduler.get_card_retrievability(one.memory, moment) for one in remembered}
