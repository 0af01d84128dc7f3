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

from cloudkata.sandbox.launch import SandboxError

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


# "250 MB ... unzipped, including all layers": https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
UNZIPPED_BYTES = 262_144_000
_FILES = 50_000  # AWS names no number; this is far above any package of the course


class PackageError(SandboxError):
    """An archive cannot be unpacked, or holds more than Lambda allows."""


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
        """A folder with the contents of `archives`, later ones over earlier ones. Raises PackageError.

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
                left = [UNZIPPED_BYTES, _FILES]
                for archive in archives:
                    _extract(archive, partial, left)
                os.chmod(partial, 0o755)  # noqa: S103 (the function runs as somebody else)
                os.rename(partial, target)
            except BaseException as error:
                shutil.rmtree(partial, ignore_errors=True)
                # an archive that lies about itself makes zipfile raise nearly anything
                if isinstance(error, PackageError) or not isinstance(error, Exception):
                    raise
                raise PackageError(f"Could not unzip the code: {error}") from error
        return str(target)


def _inside(target: Path, name: str) -> Path:
    """Where a member goes: below `target`, whatever its name, as with zipfile's own extract()."""
    return target.joinpath(*(part for part in name.split("/") if part not in ("", ".", "..")))


def _extract(archive: bytes, target: Path, left: list[int]) -> None:
    """Unpack with the permissions Lambda's user needs; a link becomes a file that holds its target's name.

    What the archive says of its sizes is not believed: `left` is what may still be written, in bytes and in files.
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        for member in file.infolist():
            left[1] -= 1
            if left[1] < 0:
                raise PackageError(f"Unzipped, the code has more than {_FILES} files")
            path = _inside(target, member.filename)
            if member.is_dir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with file.open(member) as source, open(path, "wb") as written:
                while chunk := source.read(1 << 20):
                    left[0] -= len(chunk)
                    if left[0] < 0:
                        raise PackageError(f"Unzipped size must be smaller than {UNZIPPED_BYTES} bytes")
                    written.write(chunk)
            executable = (member.external_attr >> 16) & 0o100
            os.chmod(path, 0o755 if executable else 0o644)
    for folder, _, _ in os.walk(target):
        os.chmod(folder, 0o755)  # noqa: S103
