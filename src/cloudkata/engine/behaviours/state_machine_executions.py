"""State machines run as AWS documents, with histories as AWS writes them.

AWS documents (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html and
state-parallel.html): a machine's TimeoutSeconds ends the execution as TIMED_OUT, and nothing inside can catch it; a
task ends when its own time-out passes or no heartbeat came; a branch that fails stops the others; a path that finds
nothing fails the execution with States.Runtime, which no Retry or Catch covers. Express executions
(https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html) have no history by API, may share a
name and have five minutes; StartSyncExecution is theirs alone. A second StartExecution of the same name and input
while it runs answers as the first did
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html). Versions and aliases:
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-cd-aliasing-versioning.html. Batches and results of a
distributed Map: input-output-itembatcher.html, input-output-resultwriter.html.

MiniStack's interpreter knows none of that: it has no time-out but a task's, in real time; waits for all branches; takes
null for what is not there; writes no events inside branches and no previousEventId; runs the newest definition whatever
version was asked for. It is not reached: `engine/workflows` runs the executions, and MiniStack keeps the records,
evaluates JSONata and intrinsic functions, and calls the other services. docs/adr/0007 says why.

A function that a Task calls takes real time, and so does that Task's time-out; all other timers are AWS time.
TestState is still MiniStack's.

Needs aws_clock, function_environments.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import json
import threading
from collections.abc import Callable

from cloudkata.engine.context import Context

_MODULE = "ministack.services.stepfunctions:"


def register(context: Context) -> None:
    from ministack.services import stepfunctions

    from cloudkata.engine.workflows import activities, callbacks, executions, operations

    executions.Host.clock = context.clock
    executions.Host.activity = context.activity
    at_once: dict[str, Callable[[dict], dict]] = {
        "StartExecution": executions.start,
        "StopExecution": operations.stop,
        "DescribeExecution": operations.describe,
        "DescribeStateMachineForExecution": operations.describe_machine,
        "SendTaskSuccess": callbacks.succeed,
        "SendTaskFailure": callbacks.fail,
        "SendTaskHeartbeat": lambda data: callbacks.beat(context.clock.now(), data),
    }

    def answer(operation: Callable[[dict], dict], data: dict):
        try:
            return stepfunctions._finalize_response(stepfunctions.json_response(operation(data)))
        except callbacks.Refused as refused:
            return stepfunctions.error_response_json(*refused.args, 400)

    async def handle(original, method, path, headers, body, query):
        action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        ours = action in at_once or action in ("StartSyncExecution", "GetActivityTask")
        if not ours and action not in operations.JUDGED:
            return await original(method, path, headers, body, query)
        try:
            data = json.loads(body) if body else {}
        except ValueError:
            return await original(method, path, headers, body, query)
        if action in at_once:
            return answer(at_once[action], data)
        if action == "StartSyncExecution":
            return await _in_thread(functools.partial(answer, executions.start_and_wait, data))
        if action == "ListExecutions" and operations.is_qualified(data):
            return answer(operations.list_qualified, data)
        try:
            if action == "GetActivityTask":
                return stepfunctions.json_response(await activities.take(context.clock.now, data))
            operations.JUDGED[action](data)
        except callbacks.Refused as refused:
            return stepfunctions.error_response_json(*refused.args, 400)
        return await original(method, path, headers, body, query)

    context.seams.hook(_MODULE + "handle_request", handle, order=60)
    # other services of MiniStack start executions by these
    context.seams.hook(_MODULE + "_start_execution", lambda original, data: answer(executions.start, data))
    context.seams.hook(_MODULE + "_start_sync_execution", lambda _, data: answer(executions.start_and_wait, data))


def _in_thread(work: Callable) -> asyncio.Future:
    """Await `work` in a thread of its own: as many may wait as there are executions."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def run() -> None:
        try:
            result = work()
        except Exception as error:
            loop.call_soon_threadsafe(future.set_exception, error)
        else:
            loop.call_soon_threadsafe(future.set_result, result)

    threading.Thread(target=contextvars.copy_context().run, args=(run,), name="kata-sync", daemon=True).start()
    return future
