"""Asynchronous invocations are retried on AWS time, keep their request id, and are known to be pending.

AWS documents (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html): a function error
is retried twice by default, with a minute before the first and two minutes before the second retry; a throttled
event goes back to the queue and is tried again for up to six hours, from one second to five minutes apart, without
using up those retries; what fails in the end goes to the on-failure destination or the dead-letter queue.

MiniStack waits one and two real seconds instead, and counts a throttled attempt as one of the retries. Its
`invoke_async_with_retry` is replaced; the record it sends in the end is still its own `_route_async_failure`.

Needs function_environments.
"""

from __future__ import annotations

import contextvars
import threading

from cloudkata.engine.context import Context

_RETRY_SECONDS = (60.0, 120.0)
_THROTTLED_FIRST, _THROTTLED_LONGEST = 1.0, 300.0
_MAX_AGE = 21_600.0


def register(context: Context) -> None:
    from ministack.core.responses import _request_account_id, _request_region
    from ministack.services import lambda_svc

    def deliver(func: dict, event) -> None:
        config = func.get("config") or func
        account, region = lambda_svc._account_region_from_function_config(config)
        _request_account_id.set(account)
        _request_region.set(region)
        settings = func.get("event_invoke_config") or (func.get("event_invoke_configs") or {}).get("$LATEST") or {}
        result = _attempts(context, lambda_svc, func, event, settings)
        target = ((settings.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        target = target or (config.get("DeadLetterConfig") or {}).get("TargetArn")
        if result is not None and target:
            lambda_svc._route_async_failure(target, config.get("FunctionName", ""), event, result)

    def invoke(original, func, event):
        end = context.activity.begin("asynchronous invocation")

        def run() -> None:
            try:
                deliver(func, event)
            finally:
                end()

        threading.Thread(target=contextvars.copy_context().run, args=(run,), name="kata-async", daemon=True).start()

    context.seams.hook("ministack.services.lambda_svc:invoke_async_with_retry", invoke)


def _attempts(context: Context, lambda_svc, func: dict, event, settings: dict) -> dict | None:
    """Try until it succeeds (None) or nothing more may be tried (the last result)."""
    retries = settings.get("MaximumRetryAttempts")
    retries = len(_RETRY_SECONDS) if retries is None else int(retries)
    expires = context.clock.now() + float(settings.get("MaximumEventAgeInSeconds") or _MAX_AGE)
    failures, throttled = 0, 0
    while True:
        result = lambda_svc._execute_function(func, event)
        if result.get("throttle"):
            pause = min(_THROTTLED_FIRST * 2**throttled, _THROTTLED_LONGEST)
            throttled += 1
        elif result.get("error"):
            if failures >= retries:
                return result
            pause = _RETRY_SECONDS[min(failures, 1)]
            failures += 1
        else:
            return None
        if context.clock.now() + pause > expires:
            return result
        context.clock.sleep(pause)
