"""The learner's database: one SQLite file in the workspace, whose schema grows by steps.

SQLite's rollback journal keeps it whole when a process is killed at any moment, and its locks when there are several.
A file that a newer cloudkata has written is left alone.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

FILE = "progress.sqlite3"
_BUSY_SECONDS = 10.0  # another process holds the file for some milliseconds

# A step is never changed once it has been released: the next one changes what it made.
STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE attempt (
            id INTEGER PRIMARY KEY, lab TEXT NOT NULL, started REAL NOT NULL, seconds REAL NOT NULL,
            status TEXT NOT NULL, score REAL NOT NULL, target TEXT NOT NULL, isolation TEXT NOT NULL,
            seed INTEGER NOT NULL, task TEXT NOT NULL)""",
        "CREATE INDEX attempt_lab ON attempt (lab, id)",
        """CREATE TABLE verdict (
            attempt INTEGER NOT NULL REFERENCES attempt ON DELETE CASCADE, check_id TEXT NOT NULL,
            task TEXT NOT NULL, status TEXT NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (attempt, check_id))""",
        """CREATE TABLE task_result (
            attempt INTEGER NOT NULL REFERENCES attempt ON DELETE CASCADE, task TEXT NOT NULL,
            passed INTEGER NOT NULL, PRIMARY KEY (attempt, task))""",
    ),
    (
        "CREATE TABLE hint (lab TEXT NOT NULL, task TEXT NOT NULL, level INTEGER NOT NULL, shown REAL NOT NULL, "
        "PRIMARY KEY (lab, task, level))",
        "CREATE TABLE solution (lab TEXT PRIMARY KEY, shown REAL NOT NULL, after_pass INTEGER NOT NULL)",
    ),
    (
        # rows of these are only ever added: what was undone or suspended is one row more
        """CREATE TABLE review (
            id INTEGER PRIMARY KEY, card TEXT NOT NULL, at REAL NOT NULL, rating INTEGER NOT NULL,
            state TEXT NOT NULL)""",
        "CREATE INDEX review_card ON review (card, id)",
        "CREATE INDEX review_at ON review (at)",
        "CREATE TABLE undone (review INTEGER PRIMARY KEY REFERENCES review, at REAL NOT NULL)",
        "CREATE TABLE suspension (id INTEGER PRIMARY KEY, card TEXT NOT NULL, at REAL NOT NULL, held INTEGER NOT NULL)",
    ),
    (
        """CREATE TABLE exam (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, began REAL NOT NULL, seed INTEGER NOT NULL,
            questions TEXT NOT NULL, seconds REAL)""",
        """CREATE TABLE exam_answer (
            id INTEGER PRIMARY KEY, exam INTEGER NOT NULL REFERENCES exam, question TEXT NOT NULL,
            chosen TEXT NOT NULL, at REAL NOT NULL)""",
        "CREATE TABLE exam_end (exam INTEGER PRIMARY KEY REFERENCES exam, at REAL NOT NULL)",
    ),
)


class StoreError(Exception):
    """The database cannot be used; the message says why and what to do."""


class Store:
    """The database in `folder`, which is made with the first thing that is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / FILE

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """A connection to read from, or None when nothing was ever written. Raises StoreError."""
        if not self.path.is_file():
            yield None
            return
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction, kept when the context ends well. Raises StoreError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self._folder} cannot be made: {error.strerror}") from error
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        try:
            connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        except sqlite3.Error as error:
            raise StoreError(f"{self.path.name} cannot be opened: {error}") from error
        with contextlib.closing(connection):
            try:
                connection.execute("PRAGMA foreign_keys = ON")
                self._bring_up_to_date(connection)
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise StoreError(f"{self.path.name} cannot be used: {error}; {_advice(error)}") from error

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        if self._version(connection) == len(STEPS):
            return
        connection.execute("BEGIN IMMEDIATE")  # another process may be at it: look again when it is done
        for number in range(self._version(connection), len(STEPS)):
            for statement in STEPS[number]:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")
        connection.execute("COMMIT")

    def _version(self, connection: sqlite3.Connection) -> int:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(STEPS):
            raise StoreError(
                f"{self.path.name} was written by a newer cloudkata (schema {version}, this one knows {len(STEPS)}); "
                "it is left as it is: use the newer one to go on with it"
            )
        return version


def _advice(error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return "another process keeps it busy"
    if "readonly" in str(error):
        return "make its folder writable"
    return "move it away to start a new one"
