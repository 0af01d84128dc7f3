"""What an attempt gets from a target: two sets of keys for an account of its own, and the target's patience."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from cloudkata.targets.ledger import Ledger

# On AWS its requests are signed for all Regions at once and go to a host of the account's; an emulator has neither.
_STORES = "cloudfront-keyvaluestore"
PATIENCE = ("call", "propagation", "poll", "edge")


@dataclass(frozen=True)
class Keys:
    """AWS credentials; temporary ones have a session token."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""


class Clock(Protocol):
    """What a target can do with time. `moves`: whether advance() is there; wait() lets time pass in any case."""

    moves: bool

    def wait(self, seconds: float) -> None: ...

    def settle(self, seconds: float) -> list[str]: ...

    def advance(self, seconds: float) -> float: ...

    def paced(self, factor: float) -> contextlib.AbstractContextManager: ...


@dataclass(frozen=True)
class Session:
    """One attempt's place on a target. `patience` maps a reason to wait to real seconds."""

    target: str
    endpoint: str
    region: str
    account: str
    prefix: str
    learner: Keys
    checks: Keys
    port: int
    patience: dict[str, float]
    clock: Clock
    waiter_poll: float = 0.0
    slack: float = 1.0  # how many times as long as on the embedded engine a learner's code may take
    visible_after: float = 0.0  # real seconds until all of a service's own servers know what was made
    boundary: str = ""  # the ARN of the permissions boundary that roles made by learner code must have
    engine: object = None
    elsewhere: Callable[[], Session] | None = None  # a session in one more account of the same target
    ledger: Ledger | None = None  # where no log of requests is kept
    _clients: dict = field(default_factory=dict, repr=False, compare=False)

    def fault(self) -> str:
        """Why the target cannot be relied on any more, or "": with a fault nothing that failed is the learner's."""
        return self.engine.fault  # type: ignore[attr-defined]

    def requests(self, since: int = 0) -> list[dict]:
        """The requests of this attempt's account after number `since`, as the front door logged them, oldest first."""
        return self.engine.requests(since, self.account)["entries"]  # type: ignore[attr-defined]

    @contextlib.contextmanager
    def way(self, listener: socket.socket, name: str):
        """Have the target's front door answer a sandbox's listener."""
        with self.engine.way(listener, name):  # type: ignore[attr-defined]
            yield

    def excuse(self, error: str) -> str:
        """Why an error that learner code ended with is not its fault, in a sentence, or ""."""
        return ""

    def environment(self) -> dict[str, str]:
        """What a learner's process is told of the target: where it is, and the learner's keys."""
        found = {
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.learner.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.learner.secret_access_key,
            "AWS_SESSION_TOKEN": self.learner.session_token,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true" if self.endpoint else "",
        }
        return {name: value for name, value in found.items() if value}

    def client(self, service: str, keys: Keys):
        """A boto3 client for this session with the given keys; it never reads the user's own credentials."""
        made = self._clients.get((service, keys))
        if made is None:
            made = self._clients[service, keys] = self._make_client(service, keys)
        return made

    def services(self) -> list[str]:
        """The services that the learner's keys were used for so far, by the front door's names."""
        return sorted({entry["service"] for entry in self.requests() if entry["key_set"] == "learner"} - {""})

    def make_clients_of(self, other: Session) -> None:
        """Make the clients that `other` has made, before somebody waits for them."""
        mine = {other.checks: self.checks, other.learner: self.learner}
        for service, keys in list(other._clients):
            if keys in mine:
                self.client(service, mine[keys])

    def _make_client(self, service: str, keys: Keys):
        from botocore.config import Config

        options = {"retries": {"max_attempts": 1, "mode": "standard"}, "read_timeout": 70}
        stores = service == _STORES and self.endpoint
        config = Config(**options, inject_host_prefix=not self.endpoint, signature_version="v4" if stores else None)
        made = plain_client(service, self.region, self.endpoint, keys, config)
        if stores:
            made.meta.events.register_first(f"request-created.{service}", _to_the_endpoint)
        return made


def plain_client(service: str, region: str, endpoint: str, keys: Keys, config):
    """A boto3 client that knows nothing but what it is given."""
    with _making:
        return _botocore().create_client(
            service,
            region_name=region,
            endpoint_url=endpoint or None,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token or None,
            config=config,
        )


_making = threading.Lock()  # botocore's sessions are not for several threads at once


@functools.cache
def _botocore():
    """One session for the process, which reads each service's model once and nothing of the user's."""
    import botocore.session

    nothing = (None, None, None, None)  # no file, no variable, no default
    session = botocore.session.Session(session_vars={"profile": nothing})
    session.set_config_variable("config_file", "/dev/null")
    session.set_config_variable("credentials_file", "/dev/null")
    return session


@functools.cache
def service_model(service: str) -> dict:
    """What botocore knows of a service: `operations`, `shapes` and so on. Raises UnknownServiceError.

    Read anew, since a client of S3 takes the bucket out of the paths in the model that it was made of.
    """
    from botocore.loaders import create_loader

    return create_loader().load_service_model(service, "service-2")


def data_loader():
    """What reads botocore's models, once for the process."""
    return _botocore().get_component("data_loader")


def _to_the_endpoint(request, **_) -> None:
    """Take the account that botocore puts before the host out of a URL."""
    request.url = re.sub(r"//\d{12}\.", "//", request.url, count=1)
