"""Which card is asked next."""

from __future__ import annotations

from dataclasses import dataclass, field

from cloudkata.course.study import Card
from cloudkata.study.reviews import Remembered

LEARN_AHEAD = 1200.0  # seconds: a card that comes again this soon is asked rather than waited for


@dataclass(frozen=True)
class Limits:
    """How many cards a day: `new` ones, and `reviews` of others."""

    new: int = 10
    reviews: int = 100


@dataclass
class Deck:
    """Chooses from `cards`: what is due first, then cards whose check failed, then new ones, within the day's limits.

    `failed` maps a card to when a check that rests on it last failed; it is due again from then on. Times are seconds
    since the epoch.
    """

    cards: dict[str, Card]
    remembered: dict[str, Remembered]
    failed: dict[str, float] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    done: tuple[int, int] = (0, 0)  # new cards and reviews of today

    def next(self, now: float) -> Card | None:
        """The card to ask at `now`, or None when nothing is left for today."""
        new, reviews = self.done
        if reviews < self.limits.reviews:
            due = self._due(now)
            if due:
                return self.cards[due[0]]
        if new < self.limits.new:
            fresh = [card for card in self.cards if card not in self.remembered]
            fresh.sort(key=lambda card: -self.failed.get(card, 0.0))
            if fresh:
                return self.cards[fresh[0]]
        soon = self._due(now + LEARN_AHEAD) if reviews < self.limits.reviews else []
        return self.cards[soon[0]] if soon else None

    def counts(self, now: float) -> tuple[int, int]:
        """(cards due, new cards) that are left for today."""
        new, reviews = self.done
        fresh = sum(card not in self.remembered for card in self.cards)
        return min(len(self._due(now)), max(0, self.limits.reviews - reviews)), min(
            fresh, max(0, self.limits.new - new)
        )

    def rated(self, kept: Remembered) -> None:
        """Take note of a review."""
        new, reviews = self.done
        self.done = (new, reviews + 1) if kept.card in self.remembered else (new + 1, reviews)
        self.remembered[kept.card] = kept

    def drop(self, card: str) -> None:
        """Ask a card no more."""
        self.cards.pop(card, None)

    def _due(self, now: float) -> list[str]:
        found = []
        for card, one in self.remembered.items():
            if card not in self.cards:
                continue
            failed = self.failed.get(card, 0.0)
            due = min(one.due, failed) if failed > one.at else one.due
            if due <= now:
                found.append((due, card))
        return [card for _, card in sorted(found)]
