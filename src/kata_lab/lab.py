"""The `lab` of deploy.py: clients, names, packages, roles and the outputs to fill in."""

from __future__ import annotations

import functools
import io
import json
import os
import re
import zipfile
from pathlib import Path

_NAME = re.compile(r"^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$")
_NAME_LENGTH = 32
_FIXED_TIME = (2020, 1, 1, 0, 0, 0)  # so that the same files make the same archive


class LabError(Exception):
    """Something was asked of `lab` that it cannot do; the message says what to do instead."""


class Lab:
    """One deployment of one lab. Made by the grader; deploy.py receives it."""

    def __init__(
        self,
        *,
        folder: str,
        prefix: str,
        region: str,
        account: str,
        poll: float,
        packages: dict | None = None,
        door: str | None = None,
        boundary: str = "",
        roles_within: float = 0.0,
    ) -> None:
        self.outputs: dict[str, str] = {}
        self.region = region
        self.account = account
        self._folder = Path(folder)
        self._prefix = prefix
        self._poll = poll
        self._packages = packages or {}
        self._door = os.environ.get("AWS_ENDPOINT_URL", "") if door is None else door
        self._roles = (boundary, roles_within)

    def client(self, service: str, **options):
        """A boto3 client for the target, in the lab's Region. Its waiters poll as often as suits the target.

        Asked for again with the same options, it is the same client: making one costs more than most calls.
        """
        return _client(service, self.region, self._poll, self._roles, **options)

    def name(self, base: str) -> str:
        """This attempt's name for a resource: the attempt's prefix and `base`, 32 characters at most."""
        if not _NAME.match(base):
            raise LabError(f'"{base}" is not usable in a name: use lower-case letters, digits and inner dashes')
        full = f"{self._prefix}-{base}"
        if len(full) > _NAME_LENGTH:
            raise LabError(f'"{base}" is too long: {_NAME_LENGTH - len(self._prefix) - 1} characters at most')
        return full

    def package(self, folder: str, requirements: tuple[str, ...] = ()) -> bytes:
        """The files below `folder` of this lab as a .zip archive, ready for ZipFile=.

        `requirements` names packages to put beside them, with what those need, as `pip install --target` would.
        """
        root = (self._folder / folder).resolve()
        if not root.is_dir():
            raise LabError(f'there is no folder "{folder}" to package')
        files: dict[str, Path] = {}
        for name, path in [pair for one in requirements for pair in self._required(one).items()]:
            files |= _below(Path(path), name)
        files |= _below(root, "")  # the last, since own code comes first
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, path in sorted(files.items()):
                info = zipfile.ZipInfo(name, _FIXED_TIME)
                info.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
                archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)
        return buffer.getvalue()

    def _required(self, name: str) -> dict[str, str]:
        """What a package brings: paths by their place in an archive."""
        found = self._packages.get(re.sub(r"[-_.]+", "-", name).lower())
        if found is None:
            known = ", ".join(self._packages) or "none"
            raise LabError(
                f'"{name}" is not a package that lab.package can add. Those are named without a version: {known}. '
                "Other pure-Python code you can put into your folder."
            )
        if found["problem"]:
            raise LabError(found["problem"])
        return found["files"]

    def api_url(self, api_id: str, stage: str = "") -> str:
        """Where an API of API Gateway is called. Without a stage it is the one that is not in the path, `$default`."""
        endpoint = self._door
        if endpoint:
            url = f"{endpoint}/_aws/execute-api/{api_id}"
        else:
            url = f"https://{api_id}.execute-api.{self.region}.amazonaws.com"
        return f"{url}/{stage}" if stage else url

    def role(
        self, base: str, allow: list[dict] | None = None, service: str | list[str] = "lambda.amazonaws.com"
    ) -> str:
        """Make a role for a service, with the policy statements `allow` and leave to write logs; returns its ARN.

        `service` may be several: each of them may assume the role.
        """
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=self.name(base), AssumeRolePolicyDocument=_policy([trust]))["Role"]
        logs = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
        statements = [logs, *({"Effect": "Allow", **statement} for statement in allow or ())]
        iam.put_role_policy(RoleName=role["RoleName"], PolicyName="lab", PolicyDocument=_policy(statements))
        return role["Arn"]


def _below(root: Path, name: str) -> dict[str, Path]:
    """The file `root`, or all files below it, by their place under `name` in an archive."""
    found = sorted(root.rglob("*")) if root.is_dir() else [root]
    kept = [path for path in found if path.is_file() and "__pycache__" not in path.parts]
    return {(Path(name) / path.relative_to(root)).as_posix(): path for path in kept}


@functools.lru_cache(maxsize=64)
def _client(service: str, region: str, poll: float, roles: tuple[str, float], **options):
    import boto3

    from kata_lab import real_account

    made = boto3.client(service, region_name=region, **options)
    real_account.adapt(made, *roles)
    get_waiter = made.get_waiter

    def waiter(name):
        found = get_waiter(name)
        if poll and poll < found.config.delay:
            found.config.max_attempts *= int(found.config.delay / poll)
            found.config.delay = poll
        return found

    made.get_waiter = waiter
    return made


def _policy(statements: list[dict]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
