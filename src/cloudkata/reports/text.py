"""Makes text that a learner may have written safe to show."""

from __future__ import annotations

import unicodedata

_CUT = 2048


def safe(text: str, cut: int = _CUT) -> str:
    """`text` without control, format and direction characters but line ends and tabs, cut to `cut` characters."""
    shown = "".join(
        char
        if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co")
        else "\N{REPLACEMENT CHARACTER}"
        for char in text.replace("\r\n", "\n")
    )
    return shown if len(shown) <= cut else shown[: cut - 1] + "…"
