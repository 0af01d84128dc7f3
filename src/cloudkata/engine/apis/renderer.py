"""Gives a mapping template to the sandbox that renders it, one at a time, and takes the text back."""

from __future__ import annotations

import functools
import importlib.util
import io
import json
import threading
import uuid
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from cloudkata.engine.context import Context
from cloudkata.engine.environments import FunctionEnvironment
from cloudkata.engine.invocation import Invocation, parse
from cloudkata.engine.rooms import prepare
from cloudkata.sandbox.launch import SandboxError

_SECONDS = 5  # for one template: it may loop
_MEMORY_MB = 256
_PACKAGES = ("airspeed", "cachetools", "jsonpath_ng")


class TemplateError(Exception):
    """A template cannot be rendered."""


@dataclass(frozen=True)
class Rendered:
    """The text, and the status and headers that the template put in the place of the response's own."""

    text: str
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Renderer:
    """One sandbox for all templates of an engine; made on first use. Thread-safe. Never call it on the event loop."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._environment: FunctionEnvironment | None = None

    def render(self, template: str, body: str, params: dict, context: dict, variables: dict) -> Rendered:
        """Raises TemplateError."""
        event = {"template": template, "body": body, "params": params, "context": context, "stageVariables": variables}
        call = Invocation(str(uuid.uuid4()), json.dumps(event).encode(), "")
        with self._lock:
            if self._environment is None:
                self._environment = self._make()
            try:
                outcome = self._environment.call(call)
            except (SandboxError, OSError) as error:
                self._environment = None
                raise TemplateError(str(error)) from error
        found = parse(outcome.payload)
        if outcome.failed or not isinstance(found, dict):
            raise TemplateError(str(found))
        return Rendered(found["text"], found["status"], found["headers"])

    def _make(self) -> FunctionEnvironment:
        config = {
            "FunctionName": "mapping-templates",
            "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:mapping-templates",
            "Role": "arn:aws:iam::000000000000:role/nobody",  # which is not there: its keys may do nothing
            "Handler": "render.handler",
            "Runtime": "python3.13",
            "Timeout": _SECONDS,
            "MemorySize": _MEMORY_MB,
            "Version": "$LATEST",
        }
        return FunctionEnvironment(
            "mapping-templates", config, _code(), prepare=functools.partial(prepare, self._context)
        )


@functools.cache
def _code() -> bytes:
    """The program with the packages it needs, as a function's archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.write(Path(__file__).with_name("render.py"), "render.py")
        for name in _PACKAGES:
            spec = importlib.util.find_spec(name)
            assert spec is not None and spec.origin is not None, f"{name} is not installed"
            root = Path(spec.origin).parent
            for path in sorted(root.rglob("*.py")):
                archive.write(path, f"{name}/{path.relative_to(root).as_posix()}")
    return buffer.getvalue()
