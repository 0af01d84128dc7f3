"""Runs a learner's deploy.py in a sandbox."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from cloudkata.engine.packages import RUNTIME_PACKAGES, runtime_packages
from cloudkata.sandbox.launch import Program, Sandboxed, SandboxError, start
from cloudkata.targets.session import Session

DEPLOY_SECONDS = 120.0
_REPORT_BYTES = 1 << 20
_PRINTED_BYTES = 64 << 10
_START_SECONDS = 15.0
_FOLDER = "/var/task"


@dataclass(frozen=True)
class Frame:
    """A line of the learner's own code that an error passed through."""

    file: str
    line: int
    source: str


@dataclass(frozen=True)
class Deployment:
    """What running deploy.py came to. `error` is "" when it finished; `outputs` are claims."""

    outputs: dict[str, str]
    printed: str
    seconds: float
    error: str = ""
    frames: tuple[Frame, ...] = ()


def deploy(folder: Path, session: Session, seconds: float = DEPLOY_SECONDS) -> Deployment:
    """Run deploy.py of `folder` against `session`. Raises SandboxError when no sandbox can be started."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kata-deploy-") as scratch:
        program = _program(folder, session, scratch)
        read, write = os.pipe()
        try:
            child = start(program, stdout=write, stderr=write)
        finally:
            os.close(write)
        try:
            os.set_blocking(read, False)
            report, printed, ended = _watch(child, session, read, began + seconds)
        finally:
            child.kill()
            os.close(read)
    took = time.monotonic() - began
    if not ended:
        return Deployment({}, printed, took, f"deploy.py did not finish within {seconds:g} seconds")
    return _understand(report, printed, took)


def _program(folder: Path, session: Session, scratch: str) -> Program:
    lab_package = Path(importlib.util.find_spec("kata_lab").origin).parent  # type: ignore[union-attr,arg-type]
    readonly = {_FOLDER: str(folder.resolve()), "/var/runtime/kata_lab": str(lab_package)}
    packages = runtime_packages(tuple(name for name in RUNTIME_PACKAGES if name != "awslambdaric"))
    readonly |= {f"/var/runtime/{name}": path for name, path in packages.items()}
    task = {
        "lab": {
            "prefix": session.prefix,
            "region": session.region,
            "account": session.account,
            "poll": session.waiter_poll,
        }
    }
    env = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/tmp",  # noqa: S108 (inside)
        "TMPDIR": "/tmp",  # noqa: S108 (inside)
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": session.region,
        "AWS_DEFAULT_REGION": session.region,
        "AWS_ENDPOINT_URL": session.endpoint,
        "AWS_ACCESS_KEY_ID": session.learner.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.learner.secret_access_key,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }
    parents = sorted({os.path.dirname(path) for inside, path in readonly.items() if inside != _FOLDER})
    from cloudkata.sandbox.isolation import isolation

    return Program(
        module="kata_lab.child",
        readonly=readonly,
        env=env,
        cwd=_FOLDER,
        port=session.port,
        args=[json.dumps(task)],
        path_last=["/var/runtime"] if isolation().full else parents,
        outside_tmp=scratch,
    )


def _watch(child: Sandboxed, session: Session, output: int, deadline: float) -> tuple[bytes, str, bool]:
    """(what came over the control socket, what was printed, whether it ended in time)."""
    from cloudkata.sandbox.isolation import isolation

    if not isolation().full:
        return _collect(child, output, deadline)
    try:
        listener = child.receive_listener(_START_SECONDS)
    except SandboxError as error:
        said = os.read(output, 2000).decode("utf-8", "replace").strip() if child.process.poll() is not None else ""
        raise SandboxError(f"{error} {said}".strip()) from error
    with session.way(listener, "deploy"):
        return _collect(child, output, deadline)


def _collect(child: Sandboxed, output: int, deadline: float) -> tuple[bytes, str, bool]:
    report, printed = bytearray(), bytearray()
    child.control.setblocking(False)
    poll = select.poll()
    poll.register(child.control, select.POLLIN)
    poll.register(output, select.POLLIN)
    open_ends = {child.control.fileno(), output}
    while child.control.fileno() in open_ends and (left := deadline - time.monotonic()) > 0:
        for descriptor, _ in poll.poll(min(left, 1.0) * 1000):
            limit, into = (_PRINTED_BYTES, printed) if descriptor == output else (_REPORT_BYTES, report)
            try:
                chunk = os.read(descriptor, 1 << 16)
            except OSError:
                chunk = b""
            if not chunk:
                poll.unregister(descriptor)
                open_ends.discard(descriptor)
            into += chunk[: max(0, limit - len(into))]
    return bytes(report), printed.decode("utf-8", "replace"), child.control.fileno() not in open_ends


def _understand(report: bytes, printed: str, took: float) -> Deployment:
    try:
        said = json.loads(report)
        if isinstance(said.get("outputs"), dict):
            outputs = {str(name): str(value) for name, value in said["outputs"].items()}
            return Deployment(outputs, printed, took)
        frames = tuple(Frame(str(f), int(n), str(s)) for f, n, s in said["frames"])
        return Deployment({}, printed, took, str(said["failed"]) or "it failed", frames)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Deployment({}, printed, took, "deploy.py ended before deploy(lab) returned")
