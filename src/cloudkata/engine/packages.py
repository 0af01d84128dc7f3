"""Code and layers of functions as folders, and the packages that AWS's Python runtime has.

Folders are named by the hash of what they hold, so that every environment of a version shares one.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path

# What the managed Python runtimes carry besides the standard library:
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html (boto3, botocore) and what these need.
RUNTIME_PACKAGES = (
    "awslambdaric",
    "boto3",
    "botocore",
    "dateutil",
    "jmespath",
    "s3transfer",
    "simplejson",
    "six",
    "snapshot_restore_py",
    "urllib3",
)


def runtime_packages(names: tuple[str, ...] = RUNTIME_PACKAGES) -> dict[str, str]:
    """Where each package lies on this machine, by the name it has inside. Raises ImportError for a missing one."""
    found: dict[str, str] = {}
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.origin:
            raise ImportError(f"the package {name} is missing; install cloudkata again")
        origin = Path(spec.origin)
        path = origin.parent if origin.name == "__init__.py" else origin
        found[path.name] = str(path)
    return found


class CodeStore:
    """Extracted .zip archives below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        root.mkdir(mode=0o755, parents=True, exist_ok=True)

    def folder(self, archives: list[bytes]) -> str:
        """A folder with the contents of `archives`, later ones over earlier ones. Raises zipfile.BadZipFile.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-layers.html : "if the same file appears in
        multiple layers, the function uses the version in the last extracted layer".
        """
        digest = hashlib.sha256()
        for archive in archives:
            digest.update(hashlib.sha256(archive).digest())
        target = self._root / digest.hexdigest()[:24]
        with self._lock:
            if target.exists():
                return str(target)
            partial = Path(tempfile.mkdtemp(dir=self._root, prefix="partial-"))
            try:
                for archive in archives:
                    _extract(archive, partial)
                os.chmod(partial, 0o755)
                os.rename(partial, target)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
        return str(target)


def _extract(archive: bytes, target: Path) -> None:
    """Unpack with the permissions Lambda's user needs. zipfile itself keeps names inside the folder."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        for member in file.infolist():
            path = Path(file.extract(member, target))
            executable = (member.external_attr >> 16) & 0o100
            os.chmod(path, 0o755 if member.is_dir() or executable else 0o644)
    for folder, _, _ in os.walk(target):
        os.chmod(folder, 0o755)
