"""Where a submission's files are put, one after the other: whatever they come from, these are the rules.

Only ordinary files get in, at paths below the tray, in sizes that an honest submission has. What is never a learner's
own work (repositories, environments, caches) is left out and not counted.
"""

from __future__ import annotations

import errno
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MB = 1 << 20
LEFT_OUT = frozenset(
    {".git", ".hg", ".svn", "__pycache__", "__MACOSX", ".DS_Store", ".venv", "venv", "node_modules", ".idea", ".vscode"}
    | {".pytest_cache", ".ruff_cache", ".mypy_cache", "cdk.out", "Thumbs.db", "desktop.ini"}
)
_OURS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE)
_NAME = 80


class Refused(Exception):
    """A submission is not graded; the message is the reason, a sentence for its learner."""


@dataclass(frozen=True)
class Limits:
    """What is taken of one submission. `archive`: of the file that it comes in."""

    files: int = 2000
    file: int = 20 * MB
    total: int = 50 * MB
    archive: int = 50 * MB
    depth: int = 16


LIMITS = Limits()


def megabytes(size: int) -> str:
    return f"{size / MB:.0f} MB" if size >= MB else f"{size} bytes"


def named(path: str) -> str:
    """A path of a submission in a sentence: what does not print is replaced, and the middle of a long one cut."""
    text = "".join("?" if unicodedata.category(char)[0] == "C" else char for char in path)
    return text if len(text) <= _NAME else f"{text[: _NAME // 2]}…{text[-_NAME // 2 :]}"


class Tray:
    """Takes files into the new folder `root`."""

    def __init__(self, root: Path, limits: Limits = LIMITS) -> None:
        self.root, self.limits = root, limits
        self._files = self._bytes = 0
        root.mkdir(mode=0o755)

    def wants(self, path: str) -> bool:
        """Whether `path` (with "/") is a file's to take, and not of those left out. Raises Refused for a wrong one."""
        parts = path.split("/")
        if path.startswith("/") or (len(path) > 1 and path[1] == ":"):
            raise Refused(f"{named(path)} is an absolute path; put your files into one folder and send that")
        if ".." in parts:
            raise Refused(f"{named(path)} leads out of the submission")
        if any(unicodedata.category(char) == "Cc" for char in path):
            raise Refused(f"the name {named(path)} has control characters in it")
        if len(parts) > self.limits.depth:
            raise Refused(f"{named(path)} lies more than {self.limits.depth} folders deep")
        return not LEFT_OUT.intersection(parts) and not path.endswith((".pyc", "/"))

    def announce(self, path: str, size: int) -> None:
        """Refuse a file by the size that is claimed for it, before a byte is read."""
        if size > self.limits.file:
            raise Refused(f"{named(path)} has {megabytes(size)}; a file may have {megabytes(self.limits.file)}")
        self._files += 1
        if self._files > self.limits.files:
            raise Refused(f"it has more than {self.limits.files} files; send only those that you wrote")
        if self._bytes + size > self.limits.total:
            raise Refused(f"its files have more than {megabytes(self.limits.total)} in all")

    def take(self, path: str, chunks: Iterable[bytes], *, executable: bool = False) -> None:
        """Write an announced file; the sizes that count are those of what comes. Raises Refused."""
        target = self.root.joinpath(*[part for part in path.split("/") if part not in ("", ".")])
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except (FileExistsError, NotADirectoryError) as error:
            raise Refused(f"{named(path)} is in it twice") from error
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in _OURS:
                raise
            raise Refused(f"{named(path)} is no name that a file can have here") from error
        with open(descriptor, "wb") as file:
            written = 0
            for chunk in chunks:
                written += len(chunk)
                self._bytes += len(chunk)
                if written > self.limits.file or self._bytes > self.limits.total:
                    raise Refused(f"{named(path)} is larger than what is taken")
                file.write(chunk)
            os.fchmod(descriptor, 0o755 if executable else 0o644)

    def open_up(self) -> None:
        """Let the user that a sandbox runs as read the folders, whatever the umask is."""
        for folder, _, _ in os.walk(self.root):
            os.chmod(folder, 0o755)
