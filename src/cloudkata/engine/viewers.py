"""A distribution's host name leads to the account that owns it: its viewers have no key.

Always on, since without it nothing of a distribution can be seen from outside an account of one's own.
"""

from __future__ import annotations

import re

from cloudkata.engine.owners import Owners, Unsigned

_HOST = re.compile(r"^([a-z0-9]+\.cloudfront\.net)(:\d+)?$")


def register(owners: Owners) -> None:
    owners.register(_owner)


def _owner(request: Unsigned) -> str | None:
    found = _HOST.match(request.headers.get("host", "").lower())
    return find(found.group(1)) if found else None


def find(domain: str) -> str | None:
    """The account with the distribution of this domain name."""
    from ministack.services import cloudfront

    for (account, _), distribution in list(cloudfront._distributions._data.items()):
        if distribution["DomainName"] == domain:
            return account
    return None
