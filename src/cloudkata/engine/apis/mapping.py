"""Requests and responses of integrations that are not proxies: which template, which response, which headers.

https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from cloudkata.engine.apis.renderer import Renderer

Answer = tuple[int, dict, bytes]
_JSON = "application/json"
FAILED: Answer = (500, {"Content-Type": _JSON}, b'{"message": "Internal server error"}')


@dataclass(frozen=True)
class Call:
    """What a template can see of a request. Header names are as they were sent."""

    body: str
    params: dict[str, dict[str, str]]  # path, querystring and header, in this order
    context: dict
    variables: dict

    def header(self, name: str) -> str:
        return next((value for key, value in self.params["header"].items() if key.lower() == name), "")


def template_for(templates: dict | None, content_type: str) -> str | None:
    """The template for a content type; application/json stands in where the request names none."""
    wanted = content_type.partition(";")[0].strip().lower() or _JSON
    return next((text for name, text in (templates or {}).items() if name.partition(";")[0].lower() == wanted), None)


def select(responses: dict | None, text: str | None) -> dict | None:
    """The integration response whose pattern matches `text` as a whole, or the one without a pattern."""
    found = [response or {} for response in (responses or {}).values()]
    for response in found:
        pattern = response.get("selectionPattern")
        if pattern and text is not None and _matches(pattern, text):
            return response
    return next((response for response in found if not response.get("selectionPattern")), None)


def respond(renderer: Renderer, response: dict, body: str, call: Call) -> Answer:
    """A back end's answer as an integration response maps it. Raises TemplateError."""
    templates = response.get("responseTemplates") or {}
    template = template_for(templates, call.header("accept")) or template_for(templates, _JSON)
    status = int(response.get("statusCode") or 200)
    headers = {"Content-Type": _JSON}
    for name, source in (response.get("responseParameters") or {}).items():
        value = _mapped(str(source), body, call)
        if name.startswith("method.response.header.") and value is not None:
            headers[name.removeprefix("method.response.header.")] = value
    if template is None:
        return status, headers, body.encode()
    made = renderer.render(template, body, call.params, call.context, call.variables)
    headers |= {name: str(value) for name, value in made.headers.items()}
    return int(made.status or status), headers, made.text.encode()


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text, re.DOTALL) is not None
    except re.error:
        return False


def _mapped(source: str, body: str, call: Call) -> str | None:
    """The value of a parameter mapping's right side."""
    if len(source) > 1 and source[0] == source[-1] == "'":
        return source[1:-1]
    if source.startswith("stageVariables."):
        return call.variables.get(source.removeprefix("stageVariables."))
    if source.startswith("context."):
        return _visit(call.context, source.removeprefix("context."))
    if source.startswith("integration.response.body"):
        try:
            return _visit(json.loads(body), source.removeprefix("integration.response.body").removeprefix("."))
        except ValueError:
            return None
    return None


def _visit(value, path: str) -> str | None:
    for name in filter(None, path.split(".")):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None if value is None else json.dumps(value)
