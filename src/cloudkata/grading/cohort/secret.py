"""The secret of a cohort, from which every learner's inputs are drawn: nobody can know them before, and they stay."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from cloudkata.course import CourseError

_BYTES = 32


def read_secret(file: Path) -> bytes:
    """The secret in `file`, which is made for its owner alone where there is none. Raises CourseError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _make(file)
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, "rb") as opened:
            found, secret = os.fstat(descriptor), opened.read().strip()
    except OSError as error:
        raise CourseError(f"the cohort's secret {file} cannot be read: {error.strerror}") from error
    if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid():
        raise CourseError(f"others can read the cohort's secret {file}; delete it, or run chmod 600 on it")
    if len(secret) < _BYTES:
        raise CourseError(f"the cohort's secret {file} is too short; delete it, and a new one is made")
    return secret


def _make(file: Path) -> None:
    """Make the file whole or not at all, and leave one alone that is there."""
    if os.path.lexists(file):
        return
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as made:
        made.write(secrets.token_hex(_BYTES).encode() + b"\n")
    try:
        os.link(beside, file)
    except FileExistsError:
        pass  # another process was quicker: its secret it is
    finally:
        beside.unlink()


def seed_of(secret: bytes, name: str, slug: str) -> int:
    """The seed of a learner at a lab, as `kata check --seed` takes one."""
    message = b"cloudkata seed/1\0" + os.fsencode(name) + b"\0" + slug.encode()
    return int.from_bytes(hmac.digest(secret, message, hashlib.sha256)[:4], "big")
