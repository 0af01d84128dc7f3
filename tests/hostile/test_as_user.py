"""The same list, and the cheats, as an ordinary user: where the tests run as root, they are run again as nobody in particular."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cloudkata

UID = 54_321  # in no user database
SECONDS = 900
CHECKOUT = Path(cloudkata.__file__).parents[2]


def _out_of_reach(path: Path) -> Path | None:
    """The first folder on the way to `path` that others may not enter."""
    for folder in [*reversed(path.parents), path]:
        if folder.exists() and not folder.stat().st_mode & 0o001:
            return folder
    return None


def _reach(paths: list[Path]) -> list[str]:
    """Options of bubblewrap that put each of `paths` where it is, below folders that anybody may enter."""
    options: list[str] = []
    blocked = {path: folder for path in paths if (folder := _out_of_reach(path))}
    for folder in sorted(set(blocked.values())):
        options += ["--perms", "0755", "--tmpfs", str(folder)]
    for path in sorted(blocked):
        for parent in reversed(path.parents):
            if blocked[path] in parent.parents:
                options += ["--perms", "0755", "--dir", str(parent)]
        options += ["--ro-bind", str(path), str(path)]
    return options


def test_the_same_holds_for_a_user(tmp_path_factory):
    if os.geteuid() != 0:
        return  # all of this ran as a user already
    scratch = Path("/tmp", f"kata-user-{os.getpid()}")  # noqa: S108 (a user must be able to enter it)
    scratch.mkdir(mode=0o700)
    os.chown(scratch, UID, UID)
    bwrap, setpriv = shutil.which("bwrap"), shutil.which("setpriv")
    assert bwrap and setpriv, "bubblewrap and setpriv are needed to run the tests as a user"
    paths = [Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), CHECKOUT]
    command = [bwrap, "--dev-bind", "/", "/", *_reach(paths), "--die-with-parent", "--chdir", str(scratch), "--"]
    command += [
        setpriv,
        "--reuid",
        str(UID),
        "--regid",
        str(UID),
        "--clear-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
        "--",
    ]
    command += [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--tb=short",
        "-p",
        "no:cacheprovider",
        f"--basetemp={scratch / 'base'}",
    ]
    command += [f"--rootdir={CHECKOUT}", f"--confcutdir={CHECKOUT / 'tests'}", "-c", str(CHECKOUT / "pyproject.toml")]
    command += [str(Path(__file__).parent), f"--ignore={__file__}", str(CHECKOUT / "tests/grading/test_cheats.py")]
    env = {"PATH": os.environ["PATH"], "HOME": str(scratch), "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    closing = done.stdout.strip().splitlines()[-1:] or [""]
    print(f"as user {UID}: {closing[0]}")
    if done.returncode:
        pytest.fail(
            f"as user {UID}: exit status {done.returncode}\n{done.stdout[-8000:]}\n{done.stderr[-2000:]}", pytrace=False
        )
    assert " passed" in closing[0]
