"""SQS event source mappings: each has pollers of its own, and does what is documented with what a function answers.

AWS documents:
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html (at least once; messages are deleted after a success; FIFO
order, one batch at a time for a message group),
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html (batch size, window, time-outs, what is
refused, what the execution role needs),
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html (five batches at once to begin with,
MaximumConcurrency),
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html (function errors, throttling, partial
responses), and https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html (filters).

MiniStack polls all mappings of all accounts from one thread, ignores the window, takes an empty or unknown
itemIdentifier for a success, never runs two FIFO groups at once, has its own idea of filters, and refuses almost
nothing. Its `_poll_sqs` does nothing here, and its thread is not started where streams have pollers of their own too.
Our pollers run on the event loop, where SQS does, call its public operations, and sleep until something arrives
(`esm_wake`) or becomes visible.

Needs aws_clock, function_environments and mapping_states.

Our choices, where the pages are silent: more than five batches at once need MaximumConcurrency; concurrency is not
lowered after errors; a throttled batch is offered again after 1, 2, 4 ... seconds as long as its messages are
invisible; what is no JSON object counts as an invalid response.
"""

from __future__ import annotations

import asyncio
import json
import sys
import traceback

from cloudkata.engine import alarm
from cloudkata.engine.context import Context
from cloudkata.engine.mappings import queue_client
from cloudkata.engine.mappings.queue_poller import QueuePoller
from cloudkata.engine.mappings.queue_rules import Refused, check

_LAMBDA = "ministack.services.lambda_svc:"
_MOVES_TIME = ("ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "DeleteMessage", "DeleteMessageBatch")


class _Pollers:
    """One poller for each mapping of a queue, of all accounts."""

    def __init__(self, context: Context) -> None:
        assert context.loop is not None
        self._context, self._loop = context, context.loop
        self._pollers: dict[tuple[str, str, str], QueuePoller] = {}
        self._tasks: set[asyncio.Task] = set()
        self._waking = False

    def wake(self) -> None:
        """Have every poller look at its queue; from any thread."""
        if not self._waking:
            self._waking = True
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._waking = False
        for poller in self._pollers.values():
            poller.alarm.ring_here()

    def sync(self) -> None:
        """Start what is missing; from any thread. A poller ends by itself when its mapping is gone."""
        self._loop.call_soon_threadsafe(self._sync)

    def _sync(self) -> None:
        for account, region, mapping in _mappings():
            key = (account, region, mapping["UUID"])
            if key not in self._pollers:
                self._pollers[key] = QueuePoller(self._context, account, region, mapping)
                self._keep(self._poll(key, mapping))
        self._wake()

    def _keep(self, work) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _poll(self, key, mapping: dict) -> None:
        from ministack.services import lambda_svc

        def exists() -> bool:
            return lambda_svc._esms.get_scoped(*key) is mapping

        poller = self._pollers[key]
        while exists():
            try:
                await poller.run(exists)
            except Exception:  # whatever a queue or a function is made to be, its mapping goes on
                traceback.print_exc(file=sys.stderr)
                await alarm.sleep(self._context.clock, 1.0)
        poller.alarm.close()
        del self._pollers[key]


def register(context: Context) -> None:
    pollers = _Pollers(context)
    context.activity.probe(_pending)
    _operations(context)

    def ensure(original):
        pollers.sync()
        if "stream_mappings" not in context.behaviours:
            original()

    def arrived(original):
        original()
        pollers.wake()

    async def dispatch(original, action, data, url):
        try:
            return await original(action, data, url)
        finally:
            if action in _MOVES_TIME:
                pollers.wake()

    context.seams.hook(_LAMBDA + "_poll_sqs", lambda original: False)
    context.seams.hook(_LAMBDA + "_ensure_poller", ensure, order=90)
    context.seams.hook("ministack.core.concurrency:esm_wake.set", arrived)
    context.seams.hook("ministack.services.sqs:_dispatch", dispatch)


def _operations(context: Context) -> None:
    """Judge what is created and what an update would make of it."""
    from ministack.services import lambda_svc

    def create(original, data):
        if not _is_queue(data):
            return original(data)
        try:
            name, qualifier = _judge(lambda_svc, data, data)
            _check_single(lambda_svc, data["EventSourceArn"], name, qualifier)
        except Refused as refused:
            return lambda_svc.error_response_json(*refused.args)
        answer = original(data)
        if answer[0] == 202:
            lambda_svc._esms[json.loads(answer[2])["UUID"]].pop("LastProcessingResult", None)  # only streams have it
        return answer

    def update(original, uuid, data):
        mapping = lambda_svc._esms.get(uuid)
        if mapping is None or not _is_queue(mapping):
            return original(uuid, data)
        try:
            _judge(lambda_svc, {**mapping, "FunctionName": mapping["FunctionArn"], **data}, data)
        except Refused as refused:
            return lambda_svc.error_response_json(*refused.args)
        return original(uuid, data)

    context.seams.hook(_LAMBDA + "_create_esm", create)
    context.seams.hook(_LAMBDA + "_update_esm", update)


def _judge(lambda_svc, settings: dict, asked: dict) -> tuple[str, str | None]:
    """(name, qualifier) of the function that a mapping with these settings is for. Raises Refused."""
    if refusal := lambda_svc._validate_scaling_config(asked, settings["EventSourceArn"]):
        raise _refused(refusal)
    name, qualifier, refusal = lambda_svc._resolve_existing_esm_function(settings.get("FunctionName", ""))
    if refusal:
        raise _refused(refusal)
    _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
    check(settings, asked, config or {})
    return name, qualifier


def _refused(answer: tuple) -> Refused:
    """MiniStack's own error as ours."""
    body = json.loads(answer[2])
    return Refused(body["__type"], body.get("message") or body.get("Message") or "", answer[0])


def _check_single(lambda_svc, arn: str, name: str, qualifier: str | None) -> None:
    for other in lambda_svc._esms.values():
        if (other["EventSourceArn"], other["FunctionName"], other.get("Qualifier")) == (arn, name, qualifier):
            text = f"An event source mapping with SQS arn ({arn}) and function ({name}) already exists."
            more = f"Please update or delete the existing mapping with UUID {other['UUID']}"
            raise Refused("ResourceConflictException", f"{text} {more}", 409)


def _is_queue(mapping: dict) -> bool:
    return str(mapping.get("EventSourceArn", "")).split(":")[2:3] == ["sqs"]


def _mappings():
    from ministack.services import lambda_svc

    return [found for found in lambda_svc._iter_all_esms() if _is_queue(found[2])]


def _pending() -> list[str]:
    """A mapped queue that holds a message is work, visible or not: it will be delivered, again if it must."""
    held = {mapping["EventSourceArn"]: 0 for _, _, mapping in _mappings() if mapping["Enabled"]}
    found = [(queue_client.held(arn), arn.rpartition(":")[2]) for arn in held]
    return [f"{count} message(s) in {name}" for count, name in found if count]
