"""What a learner is called: as found, as shown, and as a part of file names."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata

_SHOWN = 120
_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def shown(name: str) -> str:
    r"""`name` with what does not print, or turns the text around, written as \u{..}; so two names stay two."""
    text = "".join(f"\\u{{{ord(char):x}}}" if unicodedata.category(char) in _UNSAFE else char for char in name)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 12]}…{key(name)[-10:]}"


def key(name: str) -> str:
    """A name for files: lower-case ASCII letters, digits and dashes, and the same only for the same `name`."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")
    return f"{words or 'learner'}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:10]}"
