"""Provisioned concurrency initialises environments ahead of the invocations, and says when they are ready.

AWS documents (https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html): it belongs to a version or
an alias, never to $LATEST; environments are initialised in advance and the status goes from IN_PROGRESS to READY, or
to FAILED with a reason; more invocations than that at once are served on demand; it cannot exceed the function's
reserved concurrency; the variable AWS_LAMBDA_INITIALIZATION_TYPE is provisioned-concurrency
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html). Answers 202
(https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html).

MiniStack stores the figure, calls it READY at once, takes $LATEST and starts nothing. Its three operations are
replaced, in its own store; DeleteAlias, UpdateAlias and PutFunctionConcurrency follow up on theirs.

Needs function_environments. Our choices: a weighted alias provisions its main version alone; an engine keeps at most
32 environments ready and reports FAILED beyond that.
"""

from __future__ import annotations

import contextvars
import threading
from contextlib import suppress

from cloudkata.engine.behaviours.function_environments import _remove, lease, release, revision
from cloudkata.engine.context import Context
from cloudkata.sandbox.launch import SandboxError

MOST = 32
_LAMBDA = "ministack.services.lambda_svc:"
_STORE = "provisioned_concurrency"
_INIT_FAILED = "FUNCTION_ERROR_INIT_FAILURE"
_UNPUBLISHED = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
_ABOVE_RESERVED = (
    "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
)


def register(context: Context) -> None:
    _operate(context)
    _follow_up(context)


def _invalid(message: str) -> tuple:
    from ministack.services import lambda_svc

    return lambda_svc.error_response_json("InvalidParameterValueException", message, 400)


def _operate(context: Context) -> None:
    """The operations on the configuration itself."""
    from ministack.services import lambda_svc

    def put(original, name, qualifier, data):
        func = lambda_svc._functions.get(name)
        if func is None:
            return original(name, qualifier, data)
        if not qualifier or qualifier == "$LATEST":
            return _invalid(_UNPUBLISHED)
        if missing := lambda_svc._validate_function_qualifier_exists(name, qualifier):
            return missing
        version = _version(func, qualifier)
        if version == "$LATEST":
            return _invalid(_UNPUBLISHED)
        wanted = data.get("ProvisionedConcurrentExecutions")
        if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
            return _invalid("ProvisionedConcurrentExecutions must be 1 or more.")
        others = {key: held for key, held in func[_STORE].items() if key != qualifier}
        if any(_version(func, key) == version for key in others):
            taken = f"Version {version} already has provisioned concurrency, by its number or by another alias."
            return lambda_svc.error_response_json("ResourceConflictException", taken, 409)
        if func.get("concurrency") is not None and _total(others) + wanted > func["concurrency"]:
            return _invalid(_ABOVE_RESERVED)
        return lambda_svc.json_response(_begin(context, func, qualifier, wanted), 202)

    def get(original, name, qualifier):
        func = lambda_svc._functions.get(name)
        if func is None or qualifier:
            return original(name, qualifier)
        arn = lambda_svc._func_arn(name)  # without a qualifier it is ListProvisionedConcurrencyConfigs
        found = [{"FunctionArn": f"{arn}:{key}", **held} for key, held in func[_STORE].items()]
        return lambda_svc.json_response({"ProvisionedConcurrencyConfigs": found})

    def delete(original, name, qualifier):
        answer = original(name, qualifier)
        if answer[0] == 204:
            _end_unwanted(lambda_svc._functions[name])
        return answer

    context.seams.hook(_LAMBDA + "_put_provisioned_concurrency", put)
    context.seams.hook(_LAMBDA + "_get_provisioned_concurrency", get)
    context.seams.hook(_LAMBDA + "_delete_provisioned_concurrency", delete)


def _follow_up(context: Context) -> None:
    """What other operations mean for it."""
    from ministack.services import lambda_svc

    def update_alias(original, name, alias, data):
        func = lambda_svc._functions.get(name) or {}
        before = func.get("aliases", {}).get(alias, {}).get("FunctionVersion")
        held = func.get(_STORE, {}).get(alias)
        if held and data.get("FunctionVersion") == "$LATEST":
            return _invalid(_UNPUBLISHED)
        answer = original(name, alias, data)
        if held and answer[0] == 200 and func["aliases"][alias]["FunctionVersion"] != before:
            _begin(context, func, alias, held["RequestedProvisionedConcurrentExecutions"])
        return answer

    def delete_alias(original, name, alias):
        answer = original(name, alias)
        if answer[0] == 204 and lambda_svc._functions[name][_STORE].pop(alias, None):
            _end_unwanted(lambda_svc._functions[name])
        return answer

    def reserve(original, name, data):
        func = lambda_svc._functions.get(name) or {}
        reserved, total = data.get("ReservedConcurrentExecutions", 0), _total(func.get(_STORE, {}))
        if reserved < total:
            below = f"should not be lower than function's total provisioned concurrency [{total}]."
            return _invalid(f"ReservedConcurrentExecutions {reserved} {below}")
        return original(name, data)

    context.seams.hook(_LAMBDA + "_update_alias", update_alias, order=40)
    context.seams.hook(_LAMBDA + "_delete_alias", delete_alias)
    context.seams.hook(_LAMBDA + "_put_function_concurrency", reserve)


def _begin(context: Context, func: dict, qualifier: str, wanted: int) -> dict:
    """Start to provision in a thread of its own; the record that is kept up to date."""
    from ministack.services import lambda_svc

    record = {
        "RequestedProvisionedConcurrentExecutions": wanted,
        "AvailableProvisionedConcurrentExecutions": 0,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "Status": "IN_PROGRESS",
        "LastModified": lambda_svc._now_iso(),
    }
    func[_STORE][qualifier] = record
    end = context.activity.begin("provisioning")

    def run() -> None:
        try:
            _provision(func, qualifier, record)
        finally:
            end()

    threading.Thread(target=contextvars.copy_context().run, args=(run,), name="kata-provision", daemon=True).start()
    return dict(record)


def _version(func: dict, qualifier: str) -> str:
    alias = func["aliases"].get(qualifier)
    return alias["FunctionVersion"] if alias else qualifier


def _total(held: dict) -> int:
    return sum(record["RequestedProvisionedConcurrentExecutions"] for record in held.values())


# One at a time: what is counted, started and ended must agree.
_provisioning = threading.Lock()


def _provision(func: dict, qualifier: str, record: dict) -> None:
    """Bring the environments of a version to the number that `record` asks for, and tell how it went."""
    wanted = record["RequestedProvisionedConcurrentExecutions"]
    with _provisioning:
        version = func["versions"].get(_version(func, qualifier))
        if version is None or func[_STORE].get(qualifier) is not record:
            return  # deleted or asked for again meanwhile
        config, code = version["config"], version["code_zip"]
        # CloudFormation deletes functions without ending their environments.
        _end([entry for entry in _ready() if _record(entry.config) is None])
        before = _ready(config)
        held, fresh, fault = [], [], ""
        if len(_ready()) - len(before) + wanted > MOST:
            fault = f"The embedded engine keeps at most {MOST} environments ready."
        while not fault and len(before) + len(fresh) < wanted:
            environment = lease(config, code, provisioned=True)
            held.append(environment)
            if any(environment is ready for ready in before):
                continue
            fresh.append(environment)
            try:
                environment.kill()  # one that has served on demand begins anew
                environment._spawn()
            except (RuntimeError, SandboxError, TimeoutError, OSError):
                fault = _INIT_FAILED
        for environment in held:
            release(environment)
        if fault or _record(func["config"]) is not func:
            _end(fresh)
            record.update(Status="FAILED", StatusReason=fault)
            return
        _end(_ready(config)[wanted:])
        _prefer_ready()
        record.update(AllocatedProvisionedConcurrentExecutions=wanted, AvailableProvisionedConcurrentExecutions=wanted)
        record["Status"] = "READY"
    _end_unwanted(func)


def _record(config: dict) -> dict | None:
    """The function that a configuration belongs to, while it exists."""
    from ministack.services import lambda_svc

    account, region = lambda_svc._account_region_from_function_config(config)
    return lambda_svc._functions.get_scoped(account, region, config["FunctionName"])


def _pool() -> list:
    from ministack.core import lambda_runtime

    with lambda_runtime._lock:
        return [environment for entries in lambda_runtime._workers.values() for environment in entries]


def _ready(config: dict | None = None) -> list:
    """The environments that are kept initialised, of one version or of all."""
    found = [environment for environment in _pool() if environment.provisioned]
    if config is None:
        return found
    return [entry for entry in found if _same(entry.config, config) and revision(entry.config) == revision(config)]


def _same(one: dict, two: dict) -> bool:
    return one["FunctionArn"].split(":")[:7] == two["FunctionArn"].split(":")[:7]


def _prefer_ready() -> None:
    """MiniStack leases the first free environment of a version: those that are kept ready come first."""
    from ministack.core import lambda_runtime

    with lambda_runtime._lock:
        for entries in lambda_runtime._workers.values():
            entries.sort(key=lambda environment: not environment.provisioned)


def _end(environments: list) -> None:
    from ministack.core import lambda_runtime

    for environment in environments:
        environment.provisioned = False
        _remove(lambda_runtime, environment)
        with suppress(OSError):
            environment.kill()  # after the invocation it may be serving


def _end_unwanted(func: dict) -> None:
    """End what is kept ready for versions that nothing asks for any more."""
    wanted = {_version(func, qualifier) for qualifier in func[_STORE]}
    ours = [entry for entry in _ready() if _same(entry.config, func["config"])]
    _end([entry for entry in ours if entry.config.get("Version") not in wanted])
