"""How a Python function's process is started: as LocalStack's containers have it, with bubblewrap where that works.

A function finds its code in /var/task, AWS's own runtime client and boto3 in /var/runtime, a /tmp and processes of its
own, and no package of the host's. Layers are not there: LocalStack's free image does not put them into functions
(https://docs.localstack.cloud/aws/services/lambda/ ). Without bubblewrap the same at other paths. No security boundary:
the network is the host's, and so are the rights. Only code that you trust runs here.
"""

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html and what these need
_PACKAGES = (
    *("awslambdaric", "boto3", "botocore", "dateutil", "jmespath", "s3transfer"),
    *("runtime_client", "simplejson", "six", "snapshot_restore_py", "urllib3"),
)
_TASK, _RUNTIME = "/var/task", "/var/runtime"


@functools.cache
def bubblewrap() -> str:
    """The program, if it works here, or ""."""
    found = shutil.which("bwrap")
    if found is None:
        return ""
    tried = subprocess.run([found, *_system(), "--", "/usr/bin/env", "true"], capture_output=True, check=False)
    return found if tried.returncode == 0 else ""


def command(code: str, scratch: str, handler: str) -> tuple[list[str], dict[str, str]]:
    """(the command line, the variables that it needs) for a function whose code lies in the folder `code`."""
    python = [_interpreter(), "-S", "-u", "-m", "awslambdaric", handler]
    packages = _runtime_packages()
    if not bubblewrap():
        runtime = Path(scratch) / "runtime"
        runtime.mkdir(exist_ok=True)
        for path in packages:
            if not (runtime / path.name).exists():
                (runtime / path.name).symlink_to(path)
        return python, {"PYTHONPATH": f"{code}:{runtime}", "LAMBDA_TASK_ROOT": code, "TMPDIR": scratch}
    mounts = ["--ro-bind", code, _TASK]
    for path in packages:
        mounts += ["--ro-bind", str(path), f"{_RUNTIME}/{path.name}"]
    files = Path(scratch) / "tmp"
    files.mkdir(exist_ok=True)
    mounts += ["--bind", str(files), "/tmp"]
    line = [bubblewrap(), *_system(), *mounts, "--chdir", _TASK, "--", *python]
    return line, {"PYTHONPATH": f"{_TASK}:{_RUNTIME}", "LAMBDA_TASK_ROOT": _TASK, "HOME": "/tmp", "TMPDIR": "/tmp"}


def _system() -> list[str]:
    """The parts of the machine that a Python program needs."""
    options = ["--unshare-pid", "--proc", "/proc", "--dev", "/dev", "--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib64"):
        path = f"/{name}"
        if os.path.islink(path):
            options += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            options += ["--ro-bind", path, path]
    options += ["--ro-bind", "/etc", "/etc", "--tmpfs", "/tmp"]
    home = os.path.realpath(sys.base_prefix)
    return [*options, "--ro-bind", home, home] if home != "/usr" else options


def _interpreter() -> str:
    return os.path.join(
        os.path.realpath(sys.base_prefix), "bin", f"python{sys.version_info.major}.{sys.version_info.minor}"
    )


@functools.cache
def _runtime_packages() -> tuple[Path, ...]:
    found = []
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.origin is not None, name
        origin = Path(spec.origin)
        found.append(origin.parent if origin.name == "__init__.py" else origin)
    return tuple(found)
