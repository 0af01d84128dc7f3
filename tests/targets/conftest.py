"""An emulator that is not ours, for the tests of the endpoint target."""

import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from plain_ministack import ministack  # noqa: E402


@pytest.fixture(scope="session")
def emulator():
    """The URL of a MiniStack that runs for all tests of a session."""
    with tempfile.TemporaryDirectory(prefix="kt-") as folder, ministack(Path(folder)) as url:
        yield url
