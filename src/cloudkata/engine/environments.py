"""An execution environment of one function: a sandboxed process that AWS's runtime client runs in.

It has the interface of MiniStack's Worker, so MiniStack's pool leases, reuses and reaps it. What a caller of a
function sees follows https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html : one
invocation at a time, reuse after an exception, a new environment after a time-out or an exit, an init phase of
ten seconds that is run again within the first invocation's time-out.
"""

from __future__ import annotations

import copy
import json
import math
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cloudkata.engine.frames import Frame, FrameError, FrameReader, pack
from cloudkata.engine.invocation import RESPONSE_BYTES, Invocation, Outcome, ending, log_text, parse
from cloudkata.sandbox.launch import Program, Sandboxed, SandboxError, start

INIT_SECONDS = 10.0
_START_SECONDS = 10.0  # for the sandbox itself, on a loaded machine
_EXIT_SECONDS = 2.0  # for a process that has closed its end to be gone; then it is made to
_DRAIN_READS = 64  # in one go: a function that prints without end must not keep its time-out from coming
_LOG_BYTES = 1 << 20  # kept of one invocation's output
_MB = 1 << 20


@dataclass(frozen=True)
class Room:
    """What an environment needs: the program, who takes its listener (None without one), and what ends with it."""

    program: Program
    open_way: Callable[[socket.socket], None] | None
    close: Callable[[], None]


@dataclass
class _Process:
    """One life of the environment, from its start to its end."""

    sandboxed: Sandboxed
    output: int
    frames: FrameReader
    started: bool = False  # its init phase is over: it has asked for an event
    init_error: bytes | None = None
    ended: bool = False
    log: bytearray = field(default_factory=bytearray)
    peak: int = 0


class Handle:
    """What MiniStack's pool wants of a subprocess: it asks it to end, and waits for that."""

    def __init__(self, end) -> None:
        self._end = end
        self._ended = False

    def poll(self):
        return 0 if self._ended else None

    def terminate(self) -> None:
        if not self._ended:
            self._ended = True
            self._end()

    kill = terminate

    def wait(self, timeout=None):
        return 0


class FunctionEnvironment:
    """Runs one version of one function, one invocation at a time. Not thread-safe but for `kill`."""

    def __init__(self, func_name: str, config: dict, code_zip: bytes, *, prepare) -> None:
        self.func_name = func_name
        self.config = copy.deepcopy(config)  # MiniStack changes $LATEST's in place
        self.code_zip = code_zip
        self.in_use = False
        self.last_used = time.time()
        self.provisioned = False
        self.log_stream = ""
        self._prepare = prepare
        self._room: Room | None = None
        self._lock = threading.Lock()
        self._doomed = False
        self._cold = True
        self._proc: Handle | None = None
        self._life: _Process | None = None
        self._init_ms: float | None = None
        self._poll = select.poll()

    # --- life -------------------------------------------------------------------------------------------------

    def _spawn(self) -> None:
        """MiniStack starts environments ahead of time with this. Raises RuntimeError when the init phase fails."""
        self.ensure()
        life = self._life
        if life is None or life.ended or not life.started:
            found = parse(life.init_error) if life and life.init_error else {}
            raise RuntimeError(str(found.get("errorMessage", "the init phase failed")))

    def _start(self, seconds: float = INIT_SECONDS) -> None:
        """Start and run the init phase; an error of the function's own init is kept for its first invocation."""
        self._end_life()
        began = time.monotonic()
        room = self._room = self._prepare(self)
        read, write = os.pipe()
        try:
            sandboxed = start(replace(room.program, memory_bytes=self._memory_bytes), stdout=write, stderr=write)
        except SandboxError:
            os.close(read)
            self._end_life()
            raise
        finally:
            os.close(write)
        os.set_blocking(read, False)
        life = _Process(sandboxed, read, FrameReader(sandboxed.control))
        self._life = life
        self._poll = select.poll()
        self._poll.register(sandboxed.control, select.POLLIN)
        self._poll.register(read, select.POLLIN)
        self._proc = Handle(self.kill)
        try:
            if room.open_way is not None:
                room.open_way(sandboxed.receive_listener(_START_SECONDS))
        except SandboxError as error:
            self._drain(life)
            said = life.log.decode("utf-8", "replace").strip()
            self._end_life()
            raise SandboxError(f"{error}: {said}" if said else str(error)) from error
        sandboxed.control.setblocking(False)
        frame = self._await(life, began + seconds, ("next",))
        if frame is None and not life.ended:
            raise TimeoutError
        life.started = frame is not None
        self._init_ms = (time.monotonic() - began) * 1000
        self._cold = False
        life.peak = sandboxed.resident_bytes()
        sandboxed.freeze()

    def ensure(self) -> None:
        """Have a started environment. Raises TimeoutError when init takes longer than ten seconds."""
        if self._life is not None:
            try:
                while self._life.frames.pump():
                    pass
            except FrameError:
                self._life.ended = True
        if self._life is None or self._life.ended:
            self._start()

    def _end_life(self) -> None:
        life, self._life = self._life, None
        if life is not None:
            life.sandboxed.kill()
            os.close(life.output)
        room, self._room = self._room, None
        if room is not None:
            room.close()

    def _discard_tmpdir(self) -> None:
        """MiniStack calls this after ending a worker; there is nothing left to do then."""

    def kill(self) -> None:
        """End the environment; one that is running an invocation ends after it, as on AWS. From any thread."""
        if self._lock.acquire(blocking=False):
            try:
                self._end_life()
            finally:
                self._lock.release()
        else:
            self._doomed = True

    # --- talking to the runtime -------------------------------------------------------------------------------

    @property
    def _memory_bytes(self) -> int:
        return int(self.config.get("MemorySize", 128)) * _MB

    def _drain(self, life: _Process) -> bool:
        """Read what was printed, past the limit to drop it, so that no function blocks on it; False at the end."""
        for _ in range(_DRAIN_READS):
            try:
                chunk = os.read(life.output, 1 << 16)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            life.log += chunk[: max(0, _LOG_BYTES - len(life.log))]
        return True

    def _await(self, life: _Process, deadline: float, wanted: tuple[str, ...], request_id: str = "") -> Frame | None:
        """The next frame of a kind that is wanted (for `request_id`), or None at the deadline or the end."""
        control = life.sandboxed.control.fileno()
        while (left := deadline - time.monotonic()) > 0:
            try:
                frame = life.frames.take()
                if frame is not None:
                    kind = frame.head.get("op")
                    if kind == "init-error":
                        life.init_error = frame.body
                    if kind in wanted and frame.head.get("id", "") == request_id:
                        return frame
                    continue
                ready = {descriptor for descriptor, _ in self._poll.poll(left * 1000)}
                if life.output in ready and not self._drain(life):
                    self._poll.unregister(life.output)  # its output is closed: do not spin
                if control in ready:
                    life.frames.pump()
            except FrameError:
                life.ended = True
                self._drain(life)
                return None
        return None

    # --- one invocation ---------------------------------------------------------------------------------------

    def call(self, invocation: Invocation) -> Outcome:
        """Run one invocation to its end. Raises SandboxError when no environment can be started."""
        with self._lock:
            try:
                return self._call(invocation)
            finally:
                if self._doomed:
                    self._end_life()

    def _call(self, invocation: Invocation) -> Outcome:
        seconds = float(self.config.get("Timeout", 3))
        began = time.monotonic()
        try:
            self.ensure()
        except TimeoutError:
            try:
                self._start(seconds)  # "Lambda retries the Init phase ... with the configured function timeout"
            except TimeoutError:
                return self._finish(invocation, began, "timeout", None)
        life = self._life
        assert life is not None
        if life.ended or not life.started:
            return self._finish(invocation, began, "memory" if life.sandboxed.out_of_memory else "init", None)
        return self._run(life, invocation, time.monotonic(), seconds)

    def _run(self, life: _Process, invocation: Invocation, began: float, seconds: float) -> Outcome:
        head = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
            "Content-Type": "application/json",
        }
        if invocation.client_context:
            head["Lambda-Runtime-Client-Context"] = invocation.client_context
        self._drain(life)
        deadline = began + seconds
        life.sandboxed.thaw()
        try:
            _send(life, pack(head, invocation.event), deadline)
        except FrameError:
            life.ended = True
        frame = None if life.ended else self._await(life, deadline, ("response", "error"), invocation.request_id)
        self._drain(life)
        if frame is None:
            killed = life.sandboxed.out_of_memory
            return self._finish(invocation, began, "memory" if killed else "exit" if life.ended else "timeout", None)
        life.sandboxed.freeze()
        if len(frame.body) > RESPONSE_BYTES:
            return self._finish(invocation, began, "too large", frame)
        return self._finish(invocation, began, frame.head["op"], frame)

    def _finish(self, invocation: Invocation, began: float, how: str, frame: Frame | None) -> Outcome:
        """Say what happened, as Lambda says it, and end the environment where it cannot be used again."""
        life = self._life
        milliseconds = (time.monotonic() - began) * 1000
        printed = bytes(life.log) if life else b""
        memory = math.ceil(life.peak / _MB) if life else 0
        payload, status = self._ending(invocation, how, frame, life)
        init_ms, self._init_ms = self._init_ms, None
        if how in ("response", "error", "too large"):
            assert life is not None
            life.log.clear()
        else:
            self._proc = None
            self._end_life()
            memory = min(memory, int(self.config.get("MemorySize", 128)))
        if self.provisioned:
            init_ms = None
        log = log_text(self.config, invocation, printed, milliseconds, memory, init_ms, status)
        return Outcome(payload, how not in ("response",), log, init_ms)

    def _ending(self, call: Invocation, how: str, frame: Frame | None, life: _Process | None) -> tuple[bytes, str]:
        if frame is not None:
            return ending(call, how, frame.body, self.config)
        if how == "init" and life is not None and life.init_error is not None:
            return ending(call, "error", life.init_error, self.config)
        code = life.sandboxed.exit_code(_EXIT_SECONDS) if life and how in ("exit", "init") else 0
        return ending(call, how, b"", self.config, code)

    # --- MiniStack's Worker interface -------------------------------------------------------------------------

    def invoke(
        self, event, request_id: str, *, trace_id=None, depth=None, durable=None, invoked_function_arn=None
    ) -> dict:
        """The same for MiniStack's own callers: a dict with `status`, `result` or `error_payload`, and `log`."""
        arn = invoked_function_arn if invoked_function_arn is not None else self.config.get("FunctionArn", "")
        version = self.config.get("Version", "$LATEST")
        made = Invocation(request_id, json.dumps(event).encode(), arn, trace_id or "", version=version)
        outcome = self.call(made)
        result = {"log": outcome.log, "cold_start": outcome.init_ms is not None}
        parsed = parse(outcome.payload)
        if outcome.failed:
            return result | {"status": "error", "error": str(parsed), "error_payload": parsed}
        return result | {"status": "ok", "result": parsed}


def _send(life: _Process, data: bytes, deadline: float) -> None:
    """Write an event; one that is not read before the deadline is left half written."""
    view = memoryview(data)
    while view:
        try:
            view = view[life.sandboxed.control.send(view) :]
        except BlockingIOError:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            waiting = select.poll()
            waiting.register(life.sandboxed.control, select.POLLOUT)
            waiting.poll(left * 1000)
        except OSError as error:
            raise FrameError(str(error)) from error
