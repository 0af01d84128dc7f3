"""Mappings of Kinesis and DynamoDB streams are polled, batched, retried, split and given up on as documented.

AWS documents: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html and
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html (polling, batches, windows, order, parallelisation);
https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html (retries, bisecting, destinations);
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html (partial responses);
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html (tumbling windows). engine/streams has a
module for each, with what the pages say and where they are silent.

MiniStack has one polling thread for all mappings, retries a failed batch for ever, loses what a partial response
reports, and does nothing of the rest. Its `_poll_kinesis` and `_poll_dynamodb_streams` find nothing any more; where it
would start its thread, `_ensure_poller`, new mappings are looked for and each gets a poller of its own.

Needs aws_clock, mapping_states, stream_arguments.
"""

from __future__ import annotations

from cloudkata.engine.behaviours.stream_arguments import stream_kind
from cloudkata.engine.context import Context
from cloudkata.engine.streams.mapping import Mapping

_LAMBDA = "ministack.services.lambda_svc:"


def register(context: Context) -> None:
    from ministack.core.responses import request_scope
    from ministack.services import lambda_svc

    polled: dict[str, tuple[dict, Mapping]] = {}  # by UUID

    def look() -> None:
        """Start a poller for each new mapping, and end those of mappings that are gone."""
        there = set()
        for account, region, record in list(lambda_svc._iter_all_esms()):
            uuid = record["UUID"]
            there.add(uuid)
            if uuid in polled or not stream_kind(record.get("EventSourceArn", "")):
                continue
            with request_scope(account, region):
                func = lambda_svc._functions.get(record["FunctionName"]) or {"config": {}}
                polled[uuid] = record, Mapping(context, record, account, region, func["config"].get("Role", ""))
        for uuid in set(polled) - there:
            polled.pop(uuid)[1].stop()

    def look_soon() -> None:
        assert context.loop is not None
        context.loop.call_soon_threadsafe(look)

    def ensure(original):
        original()
        look_soon()

    def release(original, uuid):
        original(uuid)
        look_soon()

    context.seams.hook(_LAMBDA + "_poll_kinesis", lambda original: False)
    context.seams.hook(_LAMBDA + "_poll_dynamodb_streams", lambda original: False)
    context.seams.hook(_LAMBDA + "_ensure_poller", ensure)
    context.seams.hook(_LAMBDA + "_release_esm_poll_state", release)
    context.activity.probe(lambda: [line for _, mapping in list(polled.values()) for line in mapping.pending()])
