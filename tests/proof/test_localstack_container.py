"""LocalStack in its container, or one that runs already, by pytest-localstack; skipped where there is neither.

`pip install -e '.[localstack]'` brings the plugin. LOCALSTACK_PORT names the port of one that runs on this machine.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

plugin = pytest.importorskip("pytest_localstack", reason="the extra localstack is not installed")

ROOT = Path(__file__).parents[2]
VERSION = "4.14.0"  # the last release that needs no token
START_SECONDS = 180


@pytest.fixture(scope="module")
def url():
    """Where LocalStack answers: at LOCALSTACK_PORT, or in a container that ends with these tests."""
    import docker
    from pytest_localstack.session import LocalstackSession, RunningSession

    if port := os.environ.get("LOCALSTACK_PORT"):
        session = RunningSession("127.0.0.1", services={"sts": int(port)}, region_name="us-east-1")
    else:
        if not os.environ.get("DOCKER_HOST") and not Path("/var/run/docker.sock").exists():
            pytest.skip("there is no Docker")
        client = docker.from_env()
        session = LocalstackSession(client, services={"sts": 4566}, region_name="us-east-1", localstack_version=VERSION)
    session.start(timeout=START_SECONDS)
    yield session.endpoint_url("sts").replace("localhost", "127.0.0.1")
    session.stop()


@pytest.mark.parametrize("lab", ["00", "14"])
def test_a_solution_passes(url, lab):
    command = [sys.executable, "-m", "cloudkata.cli.kata", "check", lab, "--solution", "--endpoint-url", url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The endpoint proved it." in done.stdout
