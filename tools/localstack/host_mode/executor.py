"""A runtime executor for LocalStack that starts one process for each execution environment, instead of a container."""

import json
import math
import os
import queue
import shutil
import signal
import tempfile
import time

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from host_mode.command import command
from host_mode.runtime_api import HOST, Runtime

_LOG_CHARACTERS = 100_000


class ProcessExecutor(RuntimeExecutor):
    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id=id, function_version=function_version)
        self.runtime: Runtime | None = None
        self.env: dict[str, str] = {}
        self.logs = ""
        self.scratch = ""
        self.init_ms: float | None = None

    def start(self, env_vars: dict[str, str]) -> None:
        self.env = {name: str(value) for name, value in env_vars.items()}
        self.scratch = tempfile.mkdtemp(prefix="function-")
        self._boot()

    def stop(self) -> None:
        if self.runtime:
            self.runtime.kill()
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _boot(self) -> None:
        runtime = self.function_version.config.runtime or ""
        if not runtime.startswith("python"):
            said = f"no {runtime or 'image'} here: only functions in Python are run"
            raise StatusErrorException("unsupported", payload=_json("Runtime.Unsupported", said))
        code = str(self.function_version.config.code.get_unzipped_code_location())
        line, needed = command(code, self.scratch, self.env.get("_HANDLER", ""))
        env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "en_US.UTF-8",
            "HOME": self.scratch,
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.env,
            **needed,
        }
        if own := self.env.get("PYTHONPATH"):
            env["PYTHONPATH"] = f"{needed['PYTHONPATH']}:{own}"
        began = time.perf_counter()
        self.runtime = Runtime(line, env, code)
        try:  # an environment is ready once its runtime asks for the first event
            kind, _, body = self.runtime.outcome.get(timeout=config.LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT + 5)
        except queue.Empty:
            kind, body = "time-out", None
        self.init_ms = (time.perf_counter() - began) * 1000
        if kind == "ready":
            return
        self.logs += self.runtime.printed()
        self.runtime.kill()
        if kind == "exit":
            body = _json(
                "Runtime.ExitError", f"RequestId: {self.id} Error: Runtime exited with error: exit status {body}"
            )
        elif kind == "time-out":
            body = _json("Sandbox.Timedout", "Init timed out")
        raise StatusErrorException("the environment did not start", payload=body)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        request, seconds = payload["invoke-id"], int(self.env["AWS_LAMBDA_FUNCTION_TIMEOUT"])
        assert self.runtime is not None
        if self.runtime.process.poll() is not None:  # it crashed or timed out the last time
            self.runtime.kill()
            self._boot()
        runtime, cold, self.init_ms = self.runtime, self.init_ms, None
        while not runtime.outcome.empty():
            runtime.outcome.get_nowait()
        head = runtime.printed() + f"START RequestId: {request} Version: {self.function_version.id.qualifier}\n"
        began = time.perf_counter()
        runtime.invocations.put(
            {
                "id": request,
                "deadline_ms": int((time.time() + seconds) * 1000),
                "arn": payload["invoked-function-arn"],
                "trace": payload.get("trace-id") or "",
                "payload": payload["payload"].encode(),
            }
        )
        kind, body = self._outcome(runtime, request, began + seconds)
        took = (time.perf_counter() - began) * 1000
        status = ""
        if kind == "time-out":
            runtime.kill()
            status = "\tStatus: timeout"
            said = f"RequestId: {request} Error: Task timed out after {seconds}.00 seconds"
            body = _json("Sandbox.Timedout", said)
        elif kind == "exit":
            status = "\tStatus: error\tError Type: Runtime.ExitError"
            body = _json("Runtime.ExitError", f"RequestId: {request} Error: Runtime exited {_how(body)}")
        printed = runtime.printed()
        printed += "" if not printed or printed.endswith("\n") else "\n"
        logs = head + printed + self._report(request, took, cold, status)
        self.logs = (self.logs + logs)[-_LOG_CHARACTERS:]
        return InvocationResult(request, body, is_error=kind != "response", logs=logs)

    def _outcome(self, runtime: Runtime, request: str, deadline: float) -> tuple[str, object]:
        while True:
            try:
                kind, answered, body = runtime.outcome.get(timeout=max(0.0, deadline - time.perf_counter()))
            except queue.Empty:
                return "time-out", None
            if kind not in ("response", "error") or answered == request:
                return kind, body

    def _report(self, request: str, took: float, cold: float | None, status: str) -> str:
        memory = self.env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        started = f"\tInit Duration: {cold:.2f} ms" if cold else ""
        return (
            f"END RequestId: {request}\n"
            f"REPORT RequestId: {request}\tDuration: {took:.2f} ms\tBilled Duration: {math.ceil(took)} ms\t"
            f"Memory Size: {memory} MB\tMax Memory Used: {memory} MB{started}{status}\n"
        )

    def get_logs(self) -> str:
        return self.logs

    def get_address(self) -> str:
        return HOST

    def get_endpoint_from_executor(self) -> str:
        return HOST

    def get_runtime_endpoint(self) -> str:
        return f"http://{HOST}:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        pass


def _json(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}, separators=(",", ":")).encode()


def _how(status: object) -> str:
    if not status:
        return "without providing a reason"
    assert isinstance(status, int)
    return f"with error: {f'exit status {status}' if status > 0 else f'signal: {signal.Signals(-status).name}'}"
