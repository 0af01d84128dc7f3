"""Starts child processes from one thread that lives as long as this process.

bubblewrap's --die-with-parent follows the thread that forked it, not the process: a child started from a
worker thread would die with that thread. Started from here, it dies exactly when this process does.
"""

from __future__ import annotations

import queue
import subprocess
import threading
from concurrent.futures import Future

_requests: queue.SimpleQueue[tuple[Future, list[str], dict]] = queue.SimpleQueue()
_started = threading.Lock()
_thread: threading.Thread | None = None


def _serve() -> None:
    while True:
        answer, argv, options = _requests.get()
        try:
            answer.set_result(subprocess.Popen(argv, **options))
        except BaseException as error:  # noqa: BLE001 (handed to the caller)
            answer.set_exception(error)
        del answer, argv, options  # or the last process is kept until the next one


def popen(argv: list[str], **options) -> subprocess.Popen:
    """subprocess.Popen(argv, **options), forked from the long-lived thread. Raises what Popen raises."""
    global _thread
    with _started:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_serve, name="kata-spawner", daemon=True)
            _thread.start()
    answer: Future = Future()
    _requests.put((answer, argv, options))
    return answer.result()
