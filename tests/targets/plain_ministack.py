"""MiniStack as its makers ship it, without anything of ours: an endpoint like any other."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

_SECONDS = 30.0


@contextlib.contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """The URL of a MiniStack on loopback that keeps its files in `folder` and ends with the context."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {
        **{"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)},
        **{"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LOG_LEVEL": "WARNING", "SFTP_ENABLED": "0"},
        **{"STATE_DIR": str(folder / "state"), "S3_DATA_DIR": str(folder / "s3"), "LAMBDA_EXECUTOR": "local"},
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    }
    with open(folder / "ministack.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "from ministack.app import main; main()"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _SECONDS
        while not _answers(url):
            assert process.poll() is None, (folder / "ministack.log").read_text()
            assert time.monotonic() < deadline, "MiniStack did not start"
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
