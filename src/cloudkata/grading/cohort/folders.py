"""Takes a folder in. No link is ever followed, not even one that appears while the folder is read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from cloudkata.grading.cohort.tray import LEFT_OUT, Refused, Tray, named

_CHUNK = 1 << 16
_NO_LINK = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # and no waiting for who writes into a pipe


def copy_folder(folder: Path, tray: Tray) -> None:
    """Copy the files below `folder`. Raises Refused, and OSError for what is our fault."""
    try:
        descriptor = os.open(folder, _NO_LINK | os.O_DIRECTORY)
    except NotADirectoryError as error:
        raise Refused("it is a link, not a folder") from error
    except PermissionError as error:
        raise Refused("it cannot be read; its permissions keep the grader out") from error
    try:
        _copy(descriptor, "", tray)
    finally:
        os.close(descriptor)


def _copy(folder: int, prefix: str, tray: Tray) -> None:
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.name not in LEFT_OUT)
    for name in names:
        path = prefix + name
        if not tray.wants(path):
            continue
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            raise Refused(f"{named(path)} is a link; send the file itself")
        if not stat.S_ISDIR(found.st_mode) and not stat.S_ISREG(found.st_mode):
            raise Refused(f"{named(path)} is no ordinary file")
        if stat.S_ISREG(found.st_mode):
            tray.announce(path, found.st_size)
        try:
            descriptor = os.open(name, _NO_LINK, dir_fd=folder)
        except PermissionError as error:
            raise Refused(f"{named(path)} cannot be read; its permissions keep the grader out") from error
        except OSError as error:
            if error.errno == errno.ELOOP:  # it was no link a moment ago
                raise Refused(f"{named(path)} is a link; send the file itself") from error
            raise
        try:
            opened = os.fstat(descriptor)
            if stat.S_ISDIR(opened.st_mode):
                _copy(descriptor, f"{path}/", tray)
            elif stat.S_ISREG(opened.st_mode):
                tray.take(path, _chunks(descriptor), executable=bool(opened.st_mode & 0o100))
            else:
                raise Refused(f"{named(path)} is no ordinary file")
        finally:
            os.close(descriptor)


def _chunks(descriptor: int) -> Iterator[bytes]:
    while chunk := os.read(descriptor, _CHUNK):
        yield chunk
