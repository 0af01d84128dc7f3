"""What the sandbox of this machine holds, found out by a program inside it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
from dataclasses import dataclass

from cloudkata.sandbox.isolation import isolation
from cloudkata.sandbox.launch import Program, start

_SECONDS = 15.0
# What the program reports, what that must be, and how a person reads it.
_QUESTIONS = (
    ("sees_host_process", False, "sees no process outside"),
    ("reads_host_file", False, "reads no file of ours"),
    ("lists_home", False, "sees no home folder"),
    ("connects_to_host", False, "reaches no other program on this machine"),
    ("connects_outside", False, "reaches no network"),
    ("writes_code", False, "cannot change its own code"),
    ("is_root", False, "is not root"),
    ("processes_limited", True, "is limited in processes"),
)


@dataclass(frozen=True)
class Holding:
    """One thing a sandbox must hold, and whether it does here."""

    claim: str
    holds: bool


def inspect_sandbox() -> list[Holding]:
    """Start a program in a sandbox and ask what it can do. Raises SandboxError when it cannot be started."""
    with tempfile.TemporaryDirectory(prefix="kata-inspect-") as folder, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        secret = os.path.join(folder, "secret")
        os.mkdir(os.path.join(folder, "code"))
        with open(secret, "w", encoding="ascii") as file:
            file.write("seen")
        program = Program(
            module="inspection",
            readonly={"/var/task": os.path.join(folder, "code")},
            env={"KATA_PROBE": json.dumps([listener.getsockname()[1], secret, os.getpid()])},
            cwd="/var/task",
            port=0,
            outside_tmp=folder,
        )
        child = start(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            child.control.settimeout(_SECONDS)
            said = b""
            while chunk := child.control.recv(1 << 16):
                said += chunk
        except TimeoutError:
            said = b""
        finally:
            child.kill()
    found = json.loads(said) if said else {}
    holdings = [Holding(claim, found.get(name) is wanted) for name, wanted, claim in _QUESTIONS]
    return [Holding("has namespaces of its own", isolation().full and found.get("processes", 99) < 20), *holdings]
