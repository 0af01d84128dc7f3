"""Which accounts the user has allowed by hand, remembered in a file of the user's own. Keys are never in it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import platformdirs

from cloudkata.course.find import CourseError
from cloudkata.engine.remote import EngineError
from cloudkata.targets.own_file import read_own, write_own
from cloudkata.targets.profile import Profile

COMMAND = "kata sandbox allow"
_SCHEMA = "cloudkata.sandbox/1"


def permissions_file() -> Path:
    return platformdirs.user_config_path("cloudkata", appauthor=False) / "sandbox.json"


def allowed() -> dict[str, dict]:
    """What was allowed, by account number. Raises EngineError for a file that others may have written."""
    text = read_own(permissions_file(), COMMAND)
    if not text:
        return {}
    try:
        found = json.loads(text)
        accounts = found["accounts"] if found["schema"] == _SCHEMA else None
    except (ValueError, KeyError, TypeError):
        accounts = None
    if not isinstance(accounts, dict):
        raise EngineError(f"{permissions_file()} cannot be read: remove it and run {COMMAND} again")
    return accounts


def remember(profile: Profile) -> Path:
    """Write down that the user has allowed a profile's account; where. Raises EngineError."""
    path, accounts = permissions_file(), allowed()
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    accounts[profile.account] = {"allowed": now, "by": profile.arn, "region": profile.region, "at": profile.endpoint}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_own(path, json.dumps({"schema": _SCHEMA, "accounts": accounts}, indent=2) + "\n")
    except OSError as error:
        raise EngineError(f"the permission cannot be kept in {path}: {error.strerror}") from error
    return path


def must_be_allowed(profile: Profile) -> None:
    """Raises CourseError where the user has not allowed the account, or only what an emulator elsewhere plays."""
    found = allowed().get(profile.account)
    if found is None or found.get("at", "") != profile.endpoint:
        raise CourseError(
            f"account {profile.place} was not allowed yet; if it is a sandbox, in which things may be made and "
            f"deleted, run: {COMMAND} --profile {profile.name}"
        )
