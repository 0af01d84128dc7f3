"""What the engine's own process never does, whatever a service is asked for.

MiniStack opens URLs that learners name, and runs CloudFront Functions in Node on the host. Python's audit events
come before the act and cannot be taken back by any code: https://docs.python.org/3/library/audit_events.html
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from cloudkata.sandbox import seccomp
from cloudkata.sandbox.isolation import isolation, namespace_options
from cloudkata.sandbox.launch import system_mounts

_SCHEMES = ("http:", "https:")
_STARTS = frozenset({"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn"})
_NODE = "node"
_NODE_UID = 1_600_000_000  # and the number of the process on top: below those that sandboxes draw
_NODE_PROCESSES = 64  # and threads, of which Node has a dozen
_OWN_UID = "@uid@"  # a uid for each Node: the limit counts all that one uid has, in whatever engine
_NODE_FILE_BYTES = 16 << 20
_NODE_DATA_BYTES = 512 << 20  # Node itself takes some 200; without a limit one function could take all there is


class GuardError(PermissionError):
    """The engine was about to do on the host what only a sandbox may."""


def put_up(state: Path, functions_isolated: bool) -> None:
    """From now on: no program but sandboxes, no URL but HTTP.

    Only the second holds without isolation, and where MiniStack's own workers run the functions (bare, in tests).
    """
    isolated = functions_isolated and isolation().full
    allowed = {isolation().bwrap, _NODE}
    if isolated:
        _put_node_first(state)

    def judge(event: str, arguments: tuple) -> None:
        if event == "urllib.Request":
            if not str(arguments[0]).strip().lower().startswith(_SCHEMES):
                raise GuardError("the engine opens http and https only")
        elif not isolated:
            return
        elif event == "subprocess.Popen":
            if os.fsdecode(arguments[0]) not in allowed:
                raise GuardError(f"the engine starts sandboxes only, not {arguments[0]!r}")
        elif event in _STARTS:
            raise GuardError(f"the engine starts sandboxes only, not by {event}")

    sys.addaudithook(judge)


def _put_node_first(state: Path) -> None:
    """A program `node` first on the path that runs the real one in a sandbox, without network or files."""
    node = shutil.which(_NODE)
    if node is None:
        return
    folder = state / "bin"
    folder.mkdir(mode=0o755)
    found = isolation()
    options = [found.bwrap, *namespace_options(found), *system_mounts(), "--ro-bind", os.path.realpath(node), "/node"]
    options += ["--dev", "/dev", "--remount-ro", "/dev", "--proc", "/proc", "--remount-ro", "/", "--chdir", "/"]
    command = ["/usr/bin/prlimit", f"--data={_NODE_DATA_BYTES}", f"--fsize={_NODE_FILE_BYTES}", "--core=0"]
    if found.drop_uid:
        command += [f"--nproc={_NODE_PROCESSES}"]  # of a person, the processes outside would count as well
        command += ["/usr/bin/setpriv", "--reuid", _OWN_UID, "--regid", _OWN_UID, "--clear-groups"]
        command += ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"]
    redirect = ""
    if filtered := seccomp.program():
        (folder / "filter").write_bytes(filtered)
        options += ["--seccomp", "9"]
        redirect = f" 9<{shlex.quote(str(folder / 'filter'))}"
    script = folder / _NODE
    program = shlex.join([*options, "--", *command, "/node"]).replace(_OWN_UID, f"$(({_NODE_UID} + $$))")
    script.write_text(f'#!/bin/sh\nexec {program} "$@"{redirect}\n')
    script.chmod(0o755)
    os.environ["PATH"] = f"{folder}:{os.environ.get('PATH', os.defpath)}"
