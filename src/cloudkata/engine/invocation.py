"""What an invocation is, and how Lambda says what came of it: payload, error and log lines."""

from __future__ import annotations

import json
import math
import signal
import time
from dataclasses import dataclass

RESPONSE_BYTES = 6_291_556  # the size Lambda names in its own error message


@dataclass
class Invocation:
    """One call as the runtime API describes it; all times in milliseconds since the epoch."""

    request_id: str
    event: bytes
    arn: str
    trace_id: str = ""
    client_context: str = ""
    version: str = "$LATEST"


@dataclass
class Outcome:
    """What came of one invocation: a payload (JSON text), the log, and whether the function failed."""

    payload: bytes
    failed: bool
    log: str
    init_ms: float | None


def ending(call: Invocation, how: str, payload: bytes, config: dict, exit_code: int = 0) -> tuple[bytes, str]:
    """(the payload of the answer, the end of the REPORT line) for an invocation that ended in the way `how`.

    "response" and "error" pass on what the runtime sent; "too large", "timeout", "memory", "exit" and "init" are
    Lambda's own errors: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
    """
    prefix = f"RequestId: {call.request_id} Error: "
    if how == "response":
        return payload, ""
    if how == "error":
        return payload, "\tStatus: error\tError Type: " + _error_type(payload)
    if how == "too large":
        message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES} bytes)."
        return _error("Function.ResponseSizeTooLarge", message), "\tStatus: error"
    if how == "timeout":
        text = f"{prefix}Task timed out after {float(config.get('Timeout', 3)):.2f} seconds"
        return _error("Sandbox.Timedout", text), "\tStatus: timeout"
    if how == "memory":
        status = "\tStatus: error\tError Type: Runtime.OutOfMemory"
        return _error("Runtime.ExitError", f"{prefix}Runtime exited with error: signal: killed"), status
    status = "\tStatus: error\tError Type: Runtime.ExitError"
    return _error("Runtime.ExitError", prefix + _exit_text(exit_code)), status


def parse(payload: bytes):
    """The JSON value of a payload, or its text where it is none."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _error_type(payload: bytes) -> str:
    found = parse(payload)
    return str(found.get("errorType", "")) if isinstance(found, dict) else ""


def _exit_text(code: int) -> str:
    if code == 0:
        return "Runtime exited without providing a reason"
    if code > 0:
        return f"Runtime exited with error: exit status {code}"
    try:
        name = signal.strsignal(-code) or str(-code)
    except ValueError:
        name = str(-code)
    return f"Runtime exited with error: signal: {name.lower()}"


def log_text(
    config: dict, call: Invocation, printed: bytes, ms: float, memory: int, init_ms: float | None, status: str
) -> str:
    """The lines Lambda writes around what a function printed."""
    text = printed.decode("utf-8", "replace")
    if text and not text.endswith("\n"):
        text += "\n"
    if "Status: timeout" in status:
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        text += f"{now} {call.request_id} Task timed out after {float(config.get('Timeout', 3)):.2f} seconds\n\n"
    init = f"\tInit Duration: {init_ms:.2f} ms" if init_ms is not None else ""
    billed = math.ceil(ms + (init_ms or 0))  # since 1 August 2025 the init phase is billed as well
    return (
        f"START RequestId: {call.request_id} Version: {call.version}\n{text}END RequestId: {call.request_id}\n"
        f"REPORT RequestId: {call.request_id}\tDuration: {ms:.2f} ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: {config.get('MemorySize', 128)} MB\tMax Memory Used: {memory} MB{init}{status}\n"
    )
