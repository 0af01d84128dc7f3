"""Files of a user's own: mode 0600, complete or not there at all, and never read when somebody else may write them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cloudkata.engine.remote import EngineError


def write_own(path: Path, text: str) -> None:
    """Write a file that its owner alone may read, complete or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)


def read_own(path: Path, again: str) -> str:
    """The text of such a file, "" when there is none. Raises EngineError for one that others may have written.

    `again`: the command that makes it anew.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise EngineError(f"{path} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, encoding="utf-8") as file:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) != 0o600:
            raise EngineError(f"{path} is not a file of yours alone: remove it and run {again} again")
        return file.read()
