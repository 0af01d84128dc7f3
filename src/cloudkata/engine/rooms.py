"""What the execution environment of a function gets: its files, its variables and its keys.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html names the variables.
"""

from __future__ import annotations

import functools
import os
import shutil
import socket
import tempfile
import time
import uuid

from cloudkata.engine.context import Context
from cloudkata.engine.environments import FunctionEnvironment, Room
from cloudkata.engine.packages import runtime_packages
from cloudkata.sandbox.launch import Program


def prepare(context: Context, environment: FunctionEnvironment) -> Room:
    """Everything a new environment of a function needs to start. Raises zipfile.BadZipFile, ImportError."""
    from ministack.services import lambda_svc

    config = environment.config
    account, region = lambda_svc._account_region_from_function_config(config)
    readonly = {"/var/task": context.code.folder([environment.code_zip])}
    layers = [lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers") or ()]
    if layers:
        readonly["/opt"] = context.code.folder([layer for layer in layers if layer])
    readonly |= {f"/var/runtime/{name}": path for name, path in runtime_packages().items()}
    role = config.get("Role", "").rsplit("/", 1)[-1]
    key = context.keys.issue("functions", account, role=role, session_name=config["FunctionName"])
    environment.log_stream = (
        f"{time.strftime('%Y/%m/%d', time.gmtime(context.clock.now()))}/[{config.get('Version')}]{uuid.uuid4().hex}"
    )
    scratch = "" if context.isolated else tempfile.mkdtemp(dir=context.state / "tmp")
    program = Program(
        module="function",
        readonly=readonly,
        env=_variables(config, region)
        | key.environment()
        | {"AWS_ENDPOINT_URL": context.endpoint}
        | {"AWS_LAMBDA_LOG_STREAM_NAME": environment.log_stream}
        | {"AWS_LAMBDA_INITIALIZATION_TYPE": _initialization(environment)},
        cwd="/var/task",
        port=context.port,
        path_first=["/var/task", f"/opt/python/lib/{config.get('Runtime')}/site-packages", "/opt/python"],
        path_last=["/var/runtime"] if context.isolated else _package_parents(readonly),
        tmp_bytes=int((config.get("EphemeralStorage") or {}).get("Size", 512)) << 20,
        outside_tmp=scratch,
    )
    name = f"function:{config['FunctionName']}:{config.get('Version')}"
    at_end = [functools.partial(context.keys.revoke, key.access_key_id)]
    if scratch:
        at_end.append(functools.partial(shutil.rmtree, scratch, ignore_errors=True))

    def open_way(listener: socket.socket) -> None:
        at_end.append(context.open_way(listener, name))

    def close() -> None:
        for end in at_end:
            end()

    return Room(program, open_way if context.isolated else None, close)


def _package_parents(readonly: dict[str, str]) -> list[str]:
    """Without mounts the runtime's packages are found where they are installed, with what else lies there."""
    return sorted({os.path.dirname(path) for inside, path in readonly.items() if inside.startswith("/var/runtime/")})


def _initialization(environment: FunctionEnvironment) -> str:
    if environment.provisioned:
        return "provisioned-concurrency"
    snap = (environment.config.get("SnapStart") or {}).get("OptimizationStatus") == "On"
    return "snap-start" if snap else "on-demand"


def _variables(config: dict, region: str) -> dict[str, str]:
    """The variables the managed runtimes set, under and over the function's own."""
    name = config["FunctionName"]
    logging = config.get("LoggingConfig") or {}
    own = (config.get("Environment") or {}).get("Variables") or {}
    preset = {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "HOME": "/tmp",  # noqa: S108 (inside)
        "TMPDIR": "/tmp",  # noqa: S108 (inside)
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }
    reserved = {
        "_HANDLER": config.get("Handler", ""),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime')}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
        "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
        "AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup") or f"/aws/lambda/{name}",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
    }
    if logging.get("LogFormat") == "JSON":
        reserved |= {"AWS_LAMBDA_LOG_FORMAT": "JSON"}
        reserved["AWS_LAMBDA_LOG_LEVEL"] = logging.get("ApplicationLogLevel", "INFO")
    return preset | {str(key): str(value) for key, value in own.items()} | reserved
