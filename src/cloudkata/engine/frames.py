"""The engine's end of the control socket of a function environment; see sandbox/inside/function.py."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass

_LENGTHS = struct.Struct("!II")
_HEAD_BYTES = 64 << 10
# Room for a response of 6 MB and an error report; what is longer is not worth reading.
_BODY_BYTES = 32 << 20


class FrameError(Exception):
    """The other end closed the socket, or sent what is no frame."""


@dataclass(frozen=True)
class Frame:
    head: dict
    body: bytes


class FrameReader:
    """Collects bytes from a non-blocking socket into frames. Whatever arrives is untrusted."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._buffer = bytearray()

    def pump(self) -> bool:
        """Read what is there, up to one frame of the longest kind; whether there was anything.

        Raises FrameError at the end of the stream, but not together with what came before it: the last words of a
        program that ends are to be taken first.
        """
        read = False
        while len(self._buffer) < _LENGTHS.size + _HEAD_BYTES + _BODY_BYTES:
            try:
                chunk = self._channel.recv(1 << 18)
            except BlockingIOError:
                return read
            except OSError as error:
                if read:
                    return True
                raise FrameError(str(error)) from error
            if not chunk:
                if read:
                    return True
                raise FrameError("closed")
            self._buffer += chunk
            read = True
        return read

    def take(self) -> Frame | None:
        """The next complete frame, or None. Raises FrameError for one that is malformed or too long."""
        if len(self._buffer) < _LENGTHS.size:
            return None
        head_size, body_size = _LENGTHS.unpack_from(self._buffer)
        if head_size > _HEAD_BYTES or body_size > _BODY_BYTES:
            raise FrameError("too long")
        end = _LENGTHS.size + head_size + body_size
        if len(self._buffer) < end:
            return None
        packed = bytes(self._buffer[_LENGTHS.size : end])
        del self._buffer[:end]
        try:
            head = json.loads(packed[:head_size])
        except ValueError as error:
            raise FrameError("no frame") from error
        if not isinstance(head, dict):
            raise FrameError("no frame")
        return Frame(head, packed[head_size:])


def pack(head: dict, body: bytes) -> bytes:
    packed = json.dumps(head).encode()
    return _LENGTHS.pack(len(packed), len(body)) + packed + body
