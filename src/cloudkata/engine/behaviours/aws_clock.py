"""The timers of services run on one clock, which can run faster than real time and be moved forward.

AWS has no such thing; real waits are minutes. Covered: SQS visibility, delay, retention and deduplication, the
retention, iterators and arrival times of Kinesis,
Lambda's state changes and asynchronous retries, DynamoDB's time to live, Step Functions' waits and retries, with the
times that their histories and logs show. Not scaled: the time a function's own code takes, so its time-out is real
too (https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html); what has an end of its own (tokens,
presigned URLs); EventBridge and its Scheduler.

MiniStack reads the module `time` in each service; those modules are given a stand-in. SFN_WAIT_SCALE stays 1.
"""

from __future__ import annotations

import datetime
import threading

from cloudkata.engine.context import Context

_MODULES = ("lambda_svc", "sqs", "kinesis", "dynamodb", "stepfunctions")


def register(context: Context) -> None:
    from ministack.services import dynamodb

    clock = context.clock
    stand_in = clock.as_time_module()
    for module in _MODULES:
        context.seams.replace(f"ministack.services.{module}:time", stand_in)
    context.seams.hook("ministack.services.stepfunctions:now_iso", lambda original: _iso(clock.now()))
    context.seams.hook("ministack.services.stepfunctions:_sleep_until", _sleep_until(context))
    # MiniStack's own reaper is in its first minute of real sleep already; this one sleeps on the clock.
    context.after_install.append(
        lambda: threading.Thread(target=dynamodb._ttl_reaper, name="kata-ttl", daemon=True).start()
    )


def _iso(now: float) -> str:
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _sleep_until(context: Context):
    def sleep_until(original, iso_timestamp):
        until = datetime.datetime.fromisoformat(iso_timestamp.replace("Z", "+00:00"))
        context.clock.sleep(max(0.0, until.timestamp() - context.clock.now()))

    return sleep_until
