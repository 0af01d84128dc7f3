"""Runs CloudFront Functions in Node, as the runtime cloudfront-js-2.0 is documented.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html : no network, no
file system, no timers, no evaluation of code, a clock that stands still, the modules crypto, querystring, buffer and
cloudfront. https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-custom-methods.html : key-value
stores. Nothing of one run is left for the next.

Not AWS's: Node takes more of the language than that runtime does; memory is not limited to 2 MB; the limit of time,
which AWS does not publish, is far above it.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

MISSING = "CloudFront Functions need Node.js, and there is no program `node` on this machine."
_SECONDS = 0.5  # of computing; a run that waits for ever is ended after the second
_WAIT_SECONDS = 5.0
_FULL_MILLISECONDS = 50.0  # what a compute utilisation of 100 stands for here
_MEMORY_MB = 128
_PROGRAMS = 4  # accounts that keep a Node process each
_IDLE = 2


class NoNode(RuntimeError):
    """This machine has no Node."""


@dataclass(frozen=True)
class Run:
    """What came of one run: a value, or an error as text."""

    value: object
    error: str
    logs: tuple[str, ...]
    milliseconds: float

    @property
    def utilization(self) -> int:
        """0 to 100, as a share of the time allowed."""
        return max(0, min(100, round(100 * self.milliseconds / _FULL_MILLISECONDS)))


class Programs:
    """Node processes, each for the functions of one account alone: what one of them breaks stays in it."""

    def __init__(self) -> None:
        self._pools: OrderedDict[str, object] = OrderedDict()
        self._lock = threading.Lock()
        self._script = Path(__file__).with_name("worker.js").read_text(encoding="utf-8")

    def run(self, account: str, code: str, event: object, stores: dict, made: dict) -> Run:
        """Call the handler of `code`. `stores` has the pairs of each key-value store by ARN. Raises NoNode."""
        from ministack.core import node_pool

        asked = {"code": code, "event": event, "stores": stores, "made": made, "seconds": _SECONDS}
        try:
            said = self._pool(account).call(asked, timeout=_WAIT_SECONDS)  # type: ignore[attr-defined]
        except node_pool.NodeWorkerTimeout:
            return Run(None, "The function exceeded its compute time", (), _FULL_MILLISECONDS)
        except node_pool.NodeWorkerError as error:
            if error.reason == "missing_node":
                raise NoNode(MISSING) from error
            return Run(None, "The function ended its runtime", (), 0.0)
        except ValueError:
            return Run(None, "The function spoiled its runtime's answer", (), 0.0)
        return Run(said.get("value"), str(said.get("error", "")), tuple(said["logs"]), float(said["milliseconds"]))

    def _pool(self, account: str):
        from ministack.core import node_pool

        with self._lock:
            pool = self._pools.get(account)
            if pool is None:
                pool = node_pool.NodeWorkerPool(
                    self._script,
                    log_prefix="cloudfront-js",
                    logger=logging.getLogger(__name__),
                    timeout=_WAIT_SECONDS,
                    max_old_space_mb=_MEMORY_MB,
                    max_idle=_IDLE,
                )
                self._pools[account] = pool
            self._pools.move_to_end(account)
            gone = [self._pools.popitem(last=False)[1]] if len(self._pools) > _PROGRAMS else []
        for old in gone:
            old.reset()  # type: ignore[attr-defined]
        return pool
