"""What MiniStack's workflows still have to do, for `settle`.

AWS has no such operation. A running workflow is work. What mappings of queues and streams have still to do
queue_mappings and stream_mappings say themselves.
"""

from __future__ import annotations

import sys

from cloudkata.engine.context import Context


def register(context: Context) -> None:
    context.activity.probe(_workflows)


def _workflows() -> list[str]:
    module = sys.modules.get("ministack.services.stepfunctions")
    if module is None:
        return []
    running = [found for found in module._executions.all_values() if found.get("status") == "RUNNING"]
    return [f"{len(running)} running execution(s)"] if running else []
