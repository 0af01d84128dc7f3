"""What any test may say of the machine that it needs."""

import pytest

from cloudkata.sandbox.isolation import isolation


def pytest_configure(config):
    config.addinivalue_line("markers", "isolated(why): needs the sandbox; skipped where bubblewrap is not")


def pytest_collection_modifyitems(items):
    found = isolation()
    for item in items:
        mark = item.get_closest_marker("isolated")
        if mark is not None and not found.full:
            item.add_marker(pytest.mark.skip(reason=f"{mark.args[0]}; there is none: {found.reason}"))
