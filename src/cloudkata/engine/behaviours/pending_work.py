"""What MiniStack's own pollers and workflows still have to do, for `settle`.

AWS has no such operation. A mapped queue that holds a message, visible or not, is work: it will be delivered, again
if it must. A running workflow is work. What a stream mapping has still to do stream_mappings says itself; without it,
the position is not known, which is never taken for done.
"""

from __future__ import annotations

import functools
import sys

from cloudkata.engine.context import Context


def register(context: Context) -> None:
    context.activity.probe(functools.partial(_queues, context))
    context.activity.probe(_workflows)


def _queues(context: Context) -> list[str]:
    from ministack.core.responses import request_scope
    from ministack.services import lambda_svc

    found = []
    for account, region, mapping in list(lambda_svc._iter_all_esms()):
        if not mapping.get("Enabled", True):
            continue
        source = mapping.get("EventSourceArn", "")
        service = source.split(":")[2] if source.count(":") >= 5 else ""
        if service != "sqs":
            if "stream_mappings" in context.behaviours:
                continue
            found.append(f"an event source mapping of {service or 'a stream'}, whose position is not known")
            continue
        with request_scope(account, region):
            held = _messages(source)
        held += lambda_svc._esm_inflight.get(mapping.get("UUID"), 0)
        if held:
            found.append(f"{held} message(s) in {source.rsplit(':', 1)[-1]}")
    return found


def _messages(arn: str) -> int:
    from ministack.services import sqs

    queue = sqs._queue_by_arn(arn)
    return len(queue["messages"]) if queue else 0


def _workflows() -> list[str]:
    module = sys.modules.get("ministack.services.stepfunctions")
    if module is None:
        return []
    running = [found for found in module._executions.all_values() if found.get("status") == "RUNNING"]
    return [f"{len(running)} running execution(s)"] if running else []
