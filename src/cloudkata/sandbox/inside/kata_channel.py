"""A program's end of the control socket: frames of two 32-bit lengths, a JSON head and a body."""

import json
import os
import socket
import struct

_LENGTHS = struct.Struct("!II")


class Channel:
    def __init__(self, control):
        self._socket = socket.socket(fileno=control)
        self._file = self._socket.makefile("rb")

    def send(self, body=b"", **head):
        packed = json.dumps(head).encode()
        self._socket.sendall(_LENGTHS.pack(len(packed), len(body)) + packed + body)

    def receive(self):
        """The next frame as (head, body). The program ends when nobody is at the other end any more."""
        lengths = self._file.read(_LENGTHS.size)
        if len(lengths) < _LENGTHS.size:
            os._exit(0)
        head, body = _LENGTHS.unpack(lengths)
        return json.loads(self._file.read(head)), self._file.read(body)
