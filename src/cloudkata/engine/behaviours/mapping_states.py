"""An event source mapping is Creating, Enabling, Disabling, Updating or Deleting before it is what was asked.

AWS documents the states (https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html), that
changes are made asynchronously (https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html), and
that a mapping in the middle of one is not changed: ResourceInUseException
(https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html,
https://docs.aws.amazon.com/lambda/latest/api/API_DeleteEventSourceMapping.html).

MiniStack's mappings are what was asked at once. Its records are marked here, and its `Enabled`, which every poller
looks at, is false until a mapping is: nothing is polled while it is being created or deleted. How long a change takes
is our choice; AWS speaks of up to several seconds.
"""

from __future__ import annotations

import contextvars
import functools
import json
import threading
import time

from cloudkata.engine.context import Context

CHANGE_SECONDS = 1.0  # of AWS time
_LEAST_REAL_SECONDS = 0.1
_LAMBDA = "ministack.services.lambda_svc:"
_SETTLED = ("Enabled", "Disabled")


def register(context: Context) -> None:
    from ministack.core.concurrency import esm_wake
    from ministack.services import lambda_svc

    changing: dict[str, str] = {}  # UUID -> state
    context.activity.probe(lambda: [f"a mapping is {state}" for state in list(changing.values())])

    def begin(record: dict, state: str, finish) -> tuple:
        """Show `state` until the change has taken its time; the answer to give."""
        record["State"] = changing[record["UUID"]] = state
        run = functools.partial(contextvars.copy_context().run, wait, record, finish)
        threading.Thread(target=run, name="kata-mapping-state", daemon=True).start()
        return lambda_svc.json_response(lambda_svc._esm_response(record), 202)

    def wait(record: dict, finish) -> None:
        until = time.monotonic() + _LEAST_REAL_SECONDS
        context.clock.sleep(CHANGE_SECONDS)
        time.sleep(max(0.0, until - time.monotonic()))
        try:
            finish()
            esm_wake.set()  # as for new records: whoever polls looks at its mapping again
        finally:
            changing.pop(record["UUID"], None)

    def settle(record: dict, enabled: bool) -> None:
        record["State"] = "Enabled" if enabled else "Disabled"
        record["Enabled"] = enabled

    def create(original, data):
        answer = original(data)
        if answer[0] != 202:
            return answer
        record = lambda_svc._esms[json.loads(answer[2])["UUID"]]
        enabled, record["Enabled"] = record["Enabled"], False
        return begin(record, "Creating", functools.partial(settle, record, enabled))

    def refusal(uuid: str) -> tuple | None:
        record = lambda_svc._esms.get(uuid)
        if record is None or record["State"] in _SETTLED:
            return None
        message = f"Cannot change the event source mapping because it is in the state {record['State']}."
        return lambda_svc.error_response_json("ResourceInUseException", message, 400)

    def update(original, uuid, data):
        refused = refusal(uuid)
        if refused:
            return refused
        was = bool((lambda_svc._esms.get(uuid) or {}).get("Enabled"))
        answer = original(uuid, data)
        if answer[0] not in (200, 202):
            return answer
        record = lambda_svc._esms[uuid]
        enabled = record["Enabled"]
        record["Enabled"] = was and enabled
        state = "Updating" if was == enabled else "Enabling" if enabled else "Disabling"
        return begin(record, state, functools.partial(settle, record, enabled))

    def delete(original, uuid):
        record = lambda_svc._esms.get(uuid)
        refused = refusal(uuid)
        if refused or record is None:
            return refused or original(uuid)
        record["Enabled"] = False
        return begin(record, "Deleting", functools.partial(original, uuid))

    context.seams.hook(_LAMBDA + "_create_esm", create, order=20)
    context.seams.hook(_LAMBDA + "_update_esm", update, order=20)
    context.seams.hook(_LAMBDA + "_delete_esm", delete, order=20)
