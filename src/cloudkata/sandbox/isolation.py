"""Whether this machine can isolate a program, found out by doing it once."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

# Tests and `make test` without bubblewrap set this; it only ever takes isolation away.
DISABLE_ENV = "CLOUDKATA_NO_ISOLATION"
_PROBE_SECONDS = 10.0


@dataclass(frozen=True)
class Isolation:
    """What the sandbox gives here. `level` is "full" or "none"; `reason` says why it is none."""

    level: str
    reason: str = ""
    bwrap: str = ""
    drop_uid: bool = False
    disable_userns: bool = False

    @property
    def full(self) -> bool:
        return self.level == "full"


def _none(reason: str) -> Isolation:
    return Isolation("none", reason)


@functools.cache
def isolation() -> Isolation:
    """Probe bubblewrap by starting `true` in the same namespaces that a sandbox uses. Cached per process."""
    if os.environ.get(DISABLE_ENV):
        return _none(f"switched off by {DISABLE_ENV}")
    if not sys.platform.startswith("linux"):
        return _none("bubblewrap exists on Linux only")
    bwrap = shutil.which("bwrap")
    if not bwrap:
        return _none("bubblewrap (the program bwrap) is not installed")
    drop = os.geteuid() == 0
    if drop and not shutil.which("setpriv"):
        return _none("setpriv (from util-linux), which gives up root, is not installed")
    options = subprocess.run([bwrap, "--help"], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)
    found = Isolation("full", bwrap=bwrap, drop_uid=drop, disable_userns="--disable-userns" in options.stdout)
    argv = [
        bwrap,
        *namespace_options(found),
        *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"),  # noqa: S108 (inside)
        *("--", "true"),
    ]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return _none(f"bubblewrap did not start: {error}")
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        return _none(f"bubblewrap is installed but does not work here: {said}")
    return found


def namespace_options(found: Isolation) -> list[str]:
    """The bubblewrap options that make the namespaces; root keeps just what it takes to give root up."""
    options = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    options += ["--die-with-parent", "--new-session", "--clearenv"]
    if found.drop_uid:
        return [*options, "--cap-drop", "ALL"] + [
            word for name in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP") for word in ("--cap-add", name)
        ]
    options += ["--unshare-user", "--uid", "993", "--gid", "990"]
    return [*options, "--disable-userns"] if found.disable_userns else options
