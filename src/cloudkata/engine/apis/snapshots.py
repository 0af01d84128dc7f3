"""What an API consisted of when it was deployed, kept apart from what it is changed to later.

MiniStack keeps the parts of all APIs in stores by account, Region and API id, and serves what stands there. Its stores
are replaced by ones that answer with a deployment's parts while a request of that deployment is served.
"""

from __future__ import annotations

import contextlib
import contextvars
import copy
import json
import re
from collections.abc import Iterator, Mapping

from cloudkata.engine.context import Context

# While a request is served: the API's id, and its parts by the name of their store.
_serving: contextvars.ContextVar[tuple[str, Mapping[str, dict]] | None] = contextvars.ContextVar(
    "kata_serving", default=None
)
_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")
# https://docs.aws.amazon.com/apigateway/latest/developerguide/aws-api-gateway-stage-variables-reference.html
_FIELDS = frozenset({"uri", "credentials", "authorizerUri", "integrationUri", "credentialsArn", "providerARNs"})

Scope = tuple[str, str]  # account, Region


class Snapshots:
    """The deployed parts of the APIs of one MiniStack module. `names` are the stores that a deployment freezes."""

    def __init__(self, context: Context, module: str, names: tuple[str, ...]) -> None:
        self._taken: dict[tuple[str, str, str, str], dict[str, dict]] = {}
        self._rendered: dict[tuple[str, str, str, str, str], dict[str, dict]] = {}
        self._names = names
        self._stores = {name: _store(name) for name in names}
        for name, store in self._stores.items():
            context.seams.replace(f"{module}:{name}", store)

    def now(self, scope: Scope, api_id: str) -> dict[str, dict]:
        """The parts that an API has at this moment; not copied."""
        return {name: store.get_scoped(*scope, api_id, {}) for name, store in self._stores.items()}

    def keep(self, scope: Scope, api_id: str, deployment: str, parts: dict[str, dict]) -> None:
        self._taken[*scope, api_id, deployment] = parts

    def forget(self, scope: Scope, api_id: str, deployment: str) -> None:
        self._taken.pop((*scope, api_id, deployment), None)
        for key in [key for key in self._rendered if key[:4] == (*scope, api_id, deployment)]:
            del self._rendered[key]

    def deployed(self, scope: Scope, api_id: str, deployment: str, variables: dict) -> dict[str, dict] | None:
        """The parts of a deployment with a stage's variables filled in, or None where it is not known."""
        taken = self._taken.get((*scope, api_id, deployment))
        if taken is None:
            return None
        key = (*scope, api_id, deployment, json.dumps(variables, sort_keys=True))
        if key not in self._rendered:
            self._rendered[key] = filled(taken, variables)
        return self._rendered[key]


@contextlib.contextmanager
def serving(api_id: str, parts: Mapping[str, dict] | None) -> Iterator[None]:
    """Let the stores answer with `parts` for this API; None leaves them as they are."""
    if parts is None:
        yield
        return
    token = _serving.set((api_id, parts))
    try:
        yield
    finally:
        _serving.reset(token)


def filled(parts: dict[str, dict], variables: dict) -> dict[str, dict]:
    """A copy of an API's parts in which ${stageVariables.x} is replaced where AWS replaces it."""

    def fill(value, inside: bool):
        if isinstance(value, dict):
            return {key: fill(entry, key in _FIELDS) for key, entry in value.items()}
        if isinstance(value, list):
            return [fill(entry, inside) for entry in value]
        if inside and isinstance(value, str):
            return _VARIABLE.sub(lambda found: str(variables.get(found.group(1), "")), value)
        return copy.copy(value)

    return fill(parts, False)


def _store(name: str):
    from ministack.core.responses import AccountRegionScopedDict

    class ServedStore(AccountRegionScopedDict):
        """As MiniStack's, except for an API of which a deployment is being served."""

        __slots__ = ()

        def get(self, key, default=None):
            served = _serving.get()
            if served is not None and served[0] == key and name in served[1]:
                return served[1][name]
            return super().get(key, default)

    return ServedStore()
