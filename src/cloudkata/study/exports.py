"""Cards for other programs: an Anki package whose re-import keeps everybody's schedule, and CSV."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterable
from pathlib import Path

from cloudkata.course.study import Card

# Chosen once, and never changed: Anki knows deck, note type and notes by these, and notes besides by their card's id.
_DECK, _MODEL = 1_732_430_001, 1_732_430_002
_TIMESTAMP = 1_732_430_000.0
_COLUMNS = ("id", "lab", "situation", "answer", "why", "unknown", "belief", "page", "skills")
_FRONT = "{{Situation}}"
_BACK = (
    '{{FrontSide}}<hr id="answer"><p><b>{{Answer}}</b></p><p>{{Why}}</p>'
    "{{#Unknown}}<p>Not known: {{Unknown}}</p>{{/Unknown}}<p>A common belief, and wrong: {{Belief}}</p>"
    '<p><a href="{{Page}}">{{Page}}</a></p>'
)


def write_anki(cards: Iterable[Card], file: Path) -> None:
    """Write a package for Anki. Raises OSError."""
    import genanki

    names = ("Situation", "Answer", "Why", "Unknown", "Belief", "Page")
    model = genanki.Model(
        _MODEL,
        "cloudkata",
        fields=[{"name": name} for name in names],
        templates=[{"name": "Card", "qfmt": _FRONT, "afmt": _BACK}],
    )
    deck = genanki.Deck(_DECK, "cloudkata")
    for card in cards:
        texts = (card.situation, card.answer, card.why, card.unknown, card.belief)
        note = genanki.Note(
            model=model,
            fields=[*(_rich(text) for text in texts), html.escape(card.page)],
            tags=[*card.skills, *([card.lab] if card.lab else [])],
            guid=genanki.guid_for("cloudkata", card.id),
        )
        deck.add_note(note)
    genanki.Package(deck).write_to_file(str(file), timestamp=_TIMESTAMP)


def _rich(text: str) -> str:
    """Text as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def as_csv(cards: Iterable[Card]) -> str:
    """Cards as CSV with a header line; a cell that a spreadsheet would take for a formula begins with an apostrophe."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for card in cards:
        row = [" ".join(value) if isinstance(value, tuple) else value for value in map(card.__getattribute__, _COLUMNS)]
        writer.writerow([f"'{cell}" if cell[:1] in "=+-@" and cell else cell for cell in row])
    return file.getvalue()
