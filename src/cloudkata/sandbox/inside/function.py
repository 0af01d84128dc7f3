"""Runs a Lambda function with AWS's own runtime client, whose calls go over the control socket.

AWS's client expects a native module `runtime_client` that speaks HTTP to the Lambda Runtime API. This one, in
plain Python, makes the same calls as frames on an inherited socket: two 32-bit lengths, a JSON head, a body.
"""

import json
import os
import socket
import struct
import sys
import types

_LENGTHS = struct.Struct("!II")


class _Channel:
    def __init__(self, control):
        self._socket = socket.socket(fileno=control)
        self._file = self._socket.makefile("rb")

    def send(self, body=b"", **head):
        packed = json.dumps(head).encode()
        self._socket.sendall(_LENGTHS.pack(len(packed), len(body)) + packed + body)

    def receive(self):
        lengths = self._file.read(_LENGTHS.size)
        if len(lengths) < _LENGTHS.size:
            os._exit(0)  # the engine is gone
        head, body = _LENGTHS.unpack(lengths)
        return json.loads(self._file.read(head)), self._file.read(body)


def _runtime_client(channel):
    def following():
        channel.send(op="next")
        headers, event = channel.receive()
        headers["Lambda-Runtime-Deadline-Ms"] = int(headers["Lambda-Runtime-Deadline-Ms"])
        return event, headers

    def post_invocation_result(invoke_id, data, content_type, invocation_id=None):
        channel.send(data, op="response", id=invoke_id)

    def post_error(invoke_id, data, xray_fault, invocation_id=None):
        channel.send(data if isinstance(data, bytes) else data.encode(), op="error", id=invoke_id)

    module = types.ModuleType("runtime_client")
    module.initialize_client = lambda user_agent: None
    module.next = following
    module.post_invocation_result = post_invocation_result
    module.post_error = post_error
    return module


def main(control):
    channel = _Channel(control)
    sys.modules["runtime_client"] = _runtime_client(channel)
    from awslambdaric import bootstrap
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient
    from awslambdaric.lambda_runtime_marshaller import to_json

    class Client(LambdaRuntimeClient):
        def post_init_error(self, error_response_data, error_type_override=None):
            channel.send(to_json(error_response_data).encode(), op="init-error")

        def restore_next(self):
            pass  # a snapshot is a started environment here: nothing has to be waited for

        def report_restore_error(self, restore_error_data):
            channel.send(to_json(restore_error_data).encode(), op="init-error")

    sys.argv[:] = ["/var/runtime/bootstrap.py"]
    bootstrap.run(os.environ["_HANDLER"], Client("runtime"))
