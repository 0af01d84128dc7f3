"""Says what was expected and what was seen, in a form that a report can show."""

from __future__ import annotations

_CUT = 2048


class NotAsExpected(AssertionError):
    """A claim did not hold: `expected` and `actual` are short texts, `why` says why it matters."""

    def __init__(self, expected: str, actual: str, why: str) -> None:
        super().__init__(f"expected {expected}, saw {actual}")
        self.expected = expected[:_CUT]
        self.actual = actual[:_CUT]
        self.why = why


class expect:  # noqa: N801 (reads as a verb where it is used)
    """`expect("what was looked at", value).equals(other, why="...")`; raises NotAsExpected."""

    def __init__(self, what: str, actual) -> None:
        self._what = what
        self._actual = actual

    def _demand(self, holds: bool, expected: str, why: str) -> None:
        if not holds:
            raise NotAsExpected(f"{self._what}: {expected}", shown(self._actual), why)

    def equals(self, value, *, why: str) -> None:
        """The same value of the same type: 1 is not True, and not "1"."""
        same = type(self._actual) is type(value) and self._actual == value
        self._demand(same, shown(value), why)

    def contains(self, part: str, *, why: str) -> None:
        """A text that has `part` in it."""
        holds = isinstance(self._actual, str) and part in self._actual
        self._demand(holds, f"a text with {shown(part)} in it", why)

    def meets(self, holds: bool, expected: str, *, why: str) -> None:
        """Anything else: `holds` says whether it is as `expected` says in words."""
        self._demand(holds, expected, why)


def shown(value) -> str:
    """A value as a report shows it: its repr, cut."""
    text = repr(value)
    return text if len(text) <= _CUT else text[: _CUT - 1] + "…"
