"""Takes a .zip archive in. What an archive says of itself is checked first, and what comes out of it is counted."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from cloudkata.grading.cohort.tray import MB, Refused, Tray, megabytes, named

_CHUNK = 1 << 16
_RATIO = 200  # text shrinks to a tenth; a thousandth is only reached by what was made for it
_SMALL = MB
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_ENTRY_BYTES = 2048  # of the list of contents, for each file that may be there
_END = struct.Struct("<4s4H2LH")  # "end of central directory record" of PKWARE's APPNOTE, 4.3.16
_END_REACH = (1 << 16) + _END.size


def unpack(archive: Path, tray: Tray) -> None:
    """Unpack `archive`. Raises Refused, and OSError for what is our fault."""
    descriptor = os.open(archive, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Refused("it is no ordinary file")
        if found.st_size > tray.limits.archive:
            raise Refused(f"the archive has {megabytes(found.st_size)}; it may have {megabytes(tray.limits.archive)}")
        if _contents_bytes(file, found.st_size) > tray.limits.files * _ENTRY_BYTES:
            raise Refused(f"it has more than {tray.limits.files} files; send only those that you wrote")
        try:
            with zipfile.ZipFile(file) as opened:
                _unpack(opened, tray)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeError) as error:
            raise Refused("it is no .zip archive, or a damaged one; pack it again") from error


def _unpack(archive: zipfile.ZipFile, tray: Tray) -> None:
    wanted = []
    for info in archive.infolist():
        path = info.filename.replace("\\", "/")  # as some tools of Windows write it
        if not tray.wants(path):
            continue
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind == stat.S_IFLNK:
            raise Refused(f"{named(path)} is a link; send the file itself")
        if kind not in (0, stat.S_IFREG):
            raise Refused(f"{named(path)} is no ordinary file")
        if info.flag_bits & _ENCRYPTED:
            raise Refused("the archive is encrypted; send it without a password")
        if info.compress_type not in _METHODS:
            raise Refused(f"{named(path)} is packed in a way that is not read here; pack it as an ordinary .zip")
        if info.file_size > _SMALL and info.file_size > _RATIO * max(1, info.compress_size):
            raise Refused(f"{named(path)} unpacks to {info.file_size // max(1, info.compress_size)} times its size")
        wanted.append((path, info))
    if sum(info.file_size for _, info in wanted) > tray.limits.total:
        raise Refused(f"its files have more than {megabytes(tray.limits.total)} in all")
    for path, info in wanted:
        tray.announce(path, info.file_size)
        with archive.open(info) as member:
            tray.take(path, _chunks(member), executable=bool(info.external_attr >> 16 & 0o100))


def _contents_bytes(file: IO[bytes], size: int) -> int:
    """How long the archive's list of contents says it is: all of it is read into memory before a name is seen."""
    file.seek(max(0, size - _END_REACH))
    tail = file.read(_END_REACH)
    place = tail.rfind(b"PK\5\6")
    if place < 0 or len(tail) - place < _END.size:
        raise Refused("it is no .zip archive, or a damaged one; pack it again")
    if tail[max(0, place - 20) : place].startswith(b"PK\6\7"):  # the sizes are elsewhere, for archives of 4 GB and more
        raise Refused("it is an archive of the kind for more than 4 GB; pack it again with another tool")
    return _END.unpack_from(tail, place)[5]


def _chunks(member: IO[bytes]) -> Iterator[bytes]:
    while chunk := member.read(_CHUNK):
        yield chunk
