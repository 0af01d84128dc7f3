"""The access keys the engine issues, and whose each one is."""

from __future__ import annotations

import secrets
import string
import threading
from dataclasses import dataclass

_ALPHABET = string.ascii_uppercase + "234567"
KEY_SETS = ("learner", "functions", "checks")
# What a learner makes with IAM or STS inside the own account: valid there, but no evidence of who used it.
DERIVED = "derived"
# A request without a key, for an account that owns what it names.
UNSIGNED = "unsigned"


@dataclass(frozen=True)
class Key:
    """`key_set` is one of KEY_SETS; `account` has twelve digits."""

    key_set: str
    account: str
    access_key_id: str
    secret_access_key: str
    session_token: str = ""

    def environment(self) -> dict[str, str]:
        """As environment variables that every SDK reads."""
        found = {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}
        return found | ({"AWS_SESSION_TOKEN": self.session_token} if self.session_token else {})


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


class KeyRing:
    """Issues keys as sessions of MiniStack's STS, whose signatures MiniStack then verifies itself."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}
        self._accounts: set[str] = set()
        self._lock = threading.Lock()

    def new_account(self) -> str:
        """A random account id that this engine has not used."""
        with self._lock:
            while (account := str(secrets.randbelow(9 * 10**11) + 10**11)) in self._accounts:
                pass
            self._accounts.add(account)
        return account

    def issue(self, key_set: str, account: str, *, role: str = "", session_name: str = "") -> Key:
        """A key for the whole account, or for a role's session where `role` is given."""
        from ministack.services import sts

        if key_set not in KEY_SETS:
            raise ValueError(f"there is no key set {key_set}")
        key = Key(
            key_set,
            account,
            ("ASIA" if role else "AKIA") + _random(_ALPHABET, 16),
            _random(string.ascii_letters + string.digits, 40),
            _random(string.ascii_letters + string.digits, 120) if role else "",
        )
        session = {
            "Arn": f"arn:aws:iam::{account}:root",
            "UserId": account,
            "AccountId": account,
            "SecretAccessKey": key.secret_access_key,
        }
        if role:
            session |= {
                "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session_name}",
                "UserId": f"{role}:{session_name}",
                "SessionToken": key.session_token,
            }
        with self._lock:
            self._keys[key.access_key_id] = key
            sts.register_session(key.access_key_id, session)
        return key

    def revoke(self, access_key_id: str) -> None:
        from ministack.services import sts

        with self._lock:
            self._keys.pop(access_key_id, None)
            sts._sessions.pop(access_key_id, None)

    def owner(self, access_key_id: str) -> tuple[str, str] | None:
        """(key set, account) of a key this engine issued, or of one made from those; None for any other."""
        from ministack.core.iam_evaluator import (
            AmbiguousAccessKeyError,
            find_iam_access_key_account,
            is_root_access_key,
        )
        from ministack.core.responses import _account_from_sts_session

        key = self._keys.get(access_key_id)
        if key is not None:
            return key.key_set, key.account
        if is_root_access_key(access_key_id):
            return None
        try:
            account = find_iam_access_key_account(access_key_id) or _account_from_sts_session(access_key_id)
        except AmbiguousAccessKeyError:
            return None
        return (DERIVED, account) if account else None
