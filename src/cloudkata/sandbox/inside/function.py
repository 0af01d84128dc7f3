"""Runs a Lambda function with AWS's own runtime client, whose calls go over the control socket.

AWS's client expects a native module `runtime_client` that speaks HTTP to the Lambda Runtime API. This one, in
plain Python, makes the same calls as frames on an inherited socket. All of it is imported before the function's own
folder comes onto sys.path, so that no file of a function can take the place of a module of the runtime.
"""

import os
import sys
import types

from kata_channel import Channel

_channel = None


def _next():
    _channel.send(op="next")
    headers, event = _channel.receive()
    headers["Lambda-Runtime-Deadline-Ms"] = int(headers["Lambda-Runtime-Deadline-Ms"])
    return event, headers


def _post_invocation_result(invoke_id, data, content_type, invocation_id=None):
    _channel.send(data, op="response", id=invoke_id)


def _post_error(invoke_id, data, xray_fault, invocation_id=None):
    _channel.send(data if isinstance(data, bytes) else data.encode(), op="error", id=invoke_id)


def _runtime_client():
    module = types.ModuleType("runtime_client")
    module.initialize_client = lambda user_agent: None
    module.next = _next
    module.post_invocation_result = _post_invocation_result
    module.post_error = _post_error
    return module


sys.modules["runtime_client"] = _runtime_client()

from awslambdaric import bootstrap  # noqa: E402
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient  # noqa: E402
from awslambdaric.lambda_runtime_marshaller import to_json  # noqa: E402


class _Client(LambdaRuntimeClient):
    def post_init_error(self, error_response_data, error_type_override=None):
        _channel.send(to_json(error_response_data).encode(), op="init-error")

    def restore_next(self):
        pass  # a snapshot is a started environment here: nothing has to be waited for

    def report_restore_error(self, restore_error_data):
        _channel.send(to_json(restore_error_data).encode(), op="init-error")


def main(control):
    global _channel
    _channel = Channel(control)
    sys.argv[:] = ["/var/runtime/bootstrap.py"]
    bootstrap.run(os.environ["_HANDLER"], _Client("runtime"))
