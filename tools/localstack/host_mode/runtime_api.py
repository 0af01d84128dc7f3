"""One process of a function and the Lambda Runtime API that serves it alone.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import contextlib
import os
import queue
import select
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"
_API = "/2018-06-01/runtime"
_END_SECONDS = 2.0


class Runtime:
    """`outcome` gets (kind, request id, body) of what happens: ready, response, error, init_error or exit."""

    def __init__(self, command: list[str], env: dict[str, str], cwd: str) -> None:
        self.invocations: queue.Queue = queue.Queue()
        self.outcome: queue.Queue = queue.Queue()
        self.asked = False
        self._printed = bytearray()
        self._lock = threading.Lock()
        self.server = _Server((HOST, 0), type("Handler", (_Handler,), {"runtime": self}))
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        env = {**env, "AWS_LAMBDA_RUNTIME_API": f"{HOST}:{self.server.server_address[1]}"}
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.set_blocking(self.process.stdout.fileno(), False)
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    def printed(self) -> str:
        """What the process has printed since it was last asked: all of it was there before its answer was."""
        self._drain()
        with self._lock:
            text, self._printed = bytes(self._printed), bytearray()
        return text.decode("utf-8", "replace")

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._watching.join(_END_SECONDS)
        self.invocations.put(None)
        threading.Thread(target=self.server.shutdown, daemon=True).start()
        self.server.server_close()

    def _drain(self) -> bool:
        with self._lock:
            while True:
                try:
                    chunk = os.read(self.process.stdout.fileno(), 1 << 16)
                except (BlockingIOError, ValueError, OSError):
                    return True
                if not chunk:
                    return False
                self._printed += chunk

    def _watch(self) -> None:
        descriptor = self.process.stdout.fileno()
        with contextlib.suppress(ValueError, OSError):
            while True:
                select.select([descriptor], [], [], 1)
                if not self._drain():
                    break
                if self.process.poll() is not None and not select.select([descriptor], [], [], 0)[0]:
                    break
        status = self.process.wait()
        with self._lock:
            self.process.stdout.close()
        self.outcome.put(("exit", None, status))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_) -> None:
        """A process that was ended in the middle of a request is no news."""


class _Handler(BaseHTTPRequestHandler):
    runtime: Runtime
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet a reply,
    disable_nagle_algorithm = True  # sent at once: 40 ms less a call

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        if self.path != f"{_API}/invocation/next":
            return self._reply(404)
        if not self.runtime.asked:
            self.runtime.asked = True
            self.runtime.outcome.put(("ready", None, None))
        given = self.runtime.invocations.get()
        if given is None:
            return self._reply(500)
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": given["id"],
            "Lambda-Runtime-Deadline-Ms": str(given["deadline_ms"]),
            "Lambda-Runtime-Invoked-Function-Arn": given["arn"],
            "Lambda-Runtime-Trace-Id": given["trace"],
        }
        return self._reply(200, given["payload"], headers)

    def do_POST(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._reply(202, b'{"status":"OK"}\n', {"Content-Type": "application/json"})
        *_, name, last = self.path.strip("/").split("/")
        if (name, last) == ("init", "error"):
            self.runtime.outcome.put(("init_error", None, body))
        elif last in ("response", "error"):
            self.runtime.outcome.put((last, name, body))

    def _reply(self, code: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
