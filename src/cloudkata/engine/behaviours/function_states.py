"""A new function is Pending before it is Active; while it is updated, the previous code and settings still serve.

AWS documents (https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html): invocations and other operations
on a Pending function fail; during an update State stays Active, LastUpdateStatus is InProgress, further updates and
PublishVersion fail, and invocations get the previous code and configuration until LastUpdateStatus is Successful.
A published version carries its own qualified ARN, and publishing with nothing changed since makes no new one
(https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html).

MiniStack accepts all of these at once, calls an updating function Pending, ends its environments and serves the new
code immediately. Its `_schedule_state_transition` is emptied, an update no longer ends environments (its
`invalidate_worker` is put off to the end of the update), and `_execute_function` is given the previous record.
Callers inside the engine (event source mappings, other services) wait until a Pending function is Active, and so
does CloudFormation for each step of a stack: its Lambda resources are moved off the event loop for that. How long a
change takes is our choice; AWS gives no figure.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import functools
import json
import threading
import time

from cloudkata.engine.context import Context

CHANGE_SECONDS = 1.0  # of AWS time, for a creation as for an update
_LEAST_REAL_SECONDS = 0.1
_LONGEST_WAIT = 60.0  # of real time, for a caller inside the engine
_PREVIOUS = "kata_previous"  # in a function's record, while it is updated
_LAMBDA = "ministack.services.lambda_svc:"
_UPDATING = {
    "State": "Active",
    "StateReason": "",
    "StateReasonCode": "",
    "LastUpdateStatus": "InProgress",
    "LastUpdateStatusReason": "The function is being created.",
    "LastUpdateStatusReasonCode": "Creating",
}
_CREATING = {"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"}
_READY = dict.fromkeys(_UPDATING, "") | {"State": "Active", "LastUpdateStatus": "Successful"}

_updating: contextvars.ContextVar[bool] = contextvars.ContextVar("kata_updating", default=False)


class _Changes:
    """The functions that are being created or updated. Thread-safe."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._done = threading.Condition()
        self._changing: dict[int, str] = {}

    def pending(self) -> list[str]:
        with self._done:
            return [f"function {name} is being changed" for name in self._changing.values()]

    def begin(self, record: dict, name: str, finish) -> None:
        """Call `finish` once the change has taken its time."""
        with self._done:
            self._changing[id(record)] = name
        run = functools.partial(contextvars.copy_context().run, self._run, record, finish)
        threading.Thread(target=run, name="kata-function-state", daemon=True).start()

    def _run(self, record: dict, finish) -> None:
        until = time.monotonic() + _LEAST_REAL_SECONDS
        self._context.clock.sleep(CHANGE_SECONDS)
        time.sleep(max(0.0, until - time.monotonic()))
        try:
            finish()
        finally:
            with self._done:
                del self._changing[id(record)]
                self._done.notify_all()

    def wait(self, record: dict) -> None:
        """Until nothing changes `record` any more."""
        with self._done:
            self._done.wait_for(lambda: id(record) not in self._changing, _LONGEST_WAIT)


def register(context: Context) -> None:
    changes = _Changes(context)
    context.activity.probe(changes.pending)
    _change(context, changes)
    _serve(context, changes)


def _change(context: Context, changes: _Changes) -> None:
    """Take changes one at a time, each for a while."""
    from ministack.services import lambda_svc

    publish_now = lambda_svc._publish_version  # MiniStack's own, which refuses nothing

    def begin(name) -> None:
        record = lambda_svc._functions[name]
        changes.begin(record, name, functools.partial(_settle, lambda_svc, record, name))
        if not _is_request():
            changes.wait(record)

    def create(original, data):
        answer = original({key: value for key, value in data.items() if key != "Publish"})
        if answer[0] != 201:
            return answer
        name = data["FunctionName"]
        if data.get("Publish"):
            answer = _published(lambda_svc, publish_now, name, 201, qualified=False)
        begin(name)
        return answer

    def update(original, name, data):
        record = lambda_svc._functions.get(name)
        if record is None:
            return original(name, data)
        refusal = _refusal(lambda_svc, changes, record, name)
        if refusal:
            return refusal
        record[_PREVIOUS] = {"config": copy.deepcopy(record["config"]), "code_zip": record.get("code_zip")}
        token = _updating.set(True)
        try:
            answer = original(name, {key: value for key, value in data.items() if key != "Publish"})
        finally:
            _updating.reset(token)
        if answer[0] != 200:
            del record[_PREVIOUS]
            return answer
        record["config"].update(_UPDATING)
        answer = lambda_svc.json_response(record["config"])
        if data.get("Publish"):
            answer = _published(lambda_svc, publish_now, name, 200, qualified=True)
        begin(name)
        return answer

    def publish(original, name, data):
        record = lambda_svc._functions.get(name)
        return (record and _refusal(lambda_svc, changes, record, name)) or original(name, data)

    def invalidate(original, name, qualifier=None, account=None, region=None):
        if not _updating.get():
            original(name, qualifier=qualifier, account=account, region=region)

    def may_wait(original, resource_type):
        return resource_type.startswith("AWS::Lambda::") or original(resource_type)

    for operation, hook in (("_update_code", update), ("_update_config", update), ("_publish_version", publish)):
        context.seams.hook(_LAMBDA + operation, hook, order=80)  # innermost: arguments are judged before
    context.seams.hook(_LAMBDA + "_create_function", create, order=80)
    context.seams.hook(_LAMBDA + "_schedule_state_transition", lambda original, name, delay: None)
    context.seams.hook(_LAMBDA + "invalidate_worker", invalidate)
    context.seams.hook("ministack.services.cloudformation.stacks:_runs_on_worker_thread", may_wait)


def _serve(context: Context, changes: _Changes) -> None:
    """Run what a function is at the time: nothing while it is Pending, the previous record during an update."""
    from ministack.services import lambda_svc

    async def invoke(original, name, event, headers, path_qualifier=None, query_params=None):
        qualifier = lambda_svc._qualifier_from_path_or_query(path_qualifier, query_params)
        _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
        if config and config.get("State") == "Pending":
            return _conflict(lambda_svc, "The function is currently in the following state: Pending")
        return await original(name, event, headers, path_qualifier, query_params)

    def execute(original, func, event):
        config = func.get("config") or func
        account, region = lambda_svc._account_region_from_function_config(config)
        record = lambda_svc._functions.get_scoped(account, region, config.get("FunctionName", ""))
        if record is None:
            return original(func, event)
        version = config.get("Version", "$LATEST")
        current = record if version == "$LATEST" else record["versions"].get(version)
        if current and current["config"].get("State") == "Pending" and _PREVIOUS not in current:
            changes.wait(record)
        if version == "$LATEST":
            serving = record.get(_PREVIOUS) or record
            arn = config.get("FunctionArn") or record["config"]["FunctionArn"]
            func = {**func, "config": {**serving["config"], "FunctionArn": arn}, "code_zip": serving.get("code_zip")}
        return original(func, event)

    context.seams.hook(_LAMBDA + "_invoke", invoke, order=20)
    context.seams.hook(_LAMBDA + "_execute_function", execute, order=20)


def _conflict(lambda_svc, reason: str) -> tuple:
    message = f"The operation cannot be performed at this time. {reason}"
    return lambda_svc.error_response_json("ResourceConflictException", message, 409)


def _is_request() -> bool:
    """What has no event loop is CloudFormation, which waits before a change and after it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _refusal(lambda_svc, changes: _Changes, record: dict, name: str) -> tuple | None:
    """Why a change cannot begin now."""
    if not _is_request():
        changes.wait(record)
    config = record["config"]
    if config.get("State") == "Pending":
        return _conflict(lambda_svc, "The function is currently in the following state: Pending")
    if config.get("LastUpdateStatus") == "InProgress":
        arn = lambda_svc._func_arn(name)
        return _conflict(lambda_svc, f"An update is in progress for resource: {arn}")
    return None


def _published(lambda_svc, publish_now, name: str, status: int, *, qualified: bool) -> tuple:
    """The answer of a change that publishes as well: the version becomes Active together with the function."""
    record = lambda_svc._functions[name]
    number = json.loads(publish_now(name, {})[2])["Version"]
    version = record["versions"][number]["config"]
    version.update(_CREATING)
    shown = {**record["config"], "Version": number}
    if qualified:
        shown["FunctionArn"] = version["FunctionArn"]
    return lambda_svc.json_response(shown, status)


def _settle(lambda_svc, record: dict, name: str) -> None:
    """End a change: the new code and configuration serve from now on."""
    if lambda_svc._functions.get(name) is not record:
        return
    account, region = lambda_svc._account_region_from_function_config(record["config"])
    for config in (record["config"], *(version["config"] for version in record["versions"].values())):
        snapshot = (config.get("SnapStart") or {}).get("OptimizationStatus") == "On"
        changing = config.get("LastUpdateStatus") == "InProgress" or config.get("State") == "Pending"
        if changing and not snapshot:  # a SnapStart version becomes Active when its snapshot is made
            config.update(_READY)
    if record.pop(_PREVIOUS, None) is not None:
        lambda_svc.invalidate_worker(name, qualifier="$LATEST", account=account, region=region)
