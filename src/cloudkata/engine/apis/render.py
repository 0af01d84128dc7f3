"""Renders mapping templates. Runs in a sandbox of its own, since a template reaches everything its objects can reach.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

import base64
import json
import urllib.parse

import airspeed


class _Boolean(int):
    """Prints as in JSON."""

    def __str__(self):
        return "true" if self else "false"


def _value(found):
    """A JSON value as templates print and visit it."""
    if isinstance(found, bool):
        return _Boolean(found)
    if isinstance(found, dict):
        return {name: _value(entry) for name, entry in found.items()}
    return [_value(entry) for entry in found] if isinstance(found, list) else found


class _Input:
    """$input."""

    def __init__(self, body, params):
        self.body = body
        self._params = params

    def _find(self, path):
        try:
            document = json.loads(self.body or "{}")
        except ValueError:
            document = self.body
        if path == "$":
            return [document]
        from jsonpath_ng.ext import parse

        return [match.value for match in parse(path).find(document)]

    def path(self, path):
        found = self._find(path)
        return _value(found[0]) if found else ""

    def json(self, path):
        found = self._find(path)
        return json.dumps(found[0]) if found else '""'

    def params(self, name=None):
        if name is None:
            return self._params
        return next((kind[name] for kind in self._params.values() if name in kind), "")


class _Util:
    """$util."""

    def escapeJavaScript(self, text):  # noqa: N802 (AWS's name)
        escaped = json.dumps(str(text))[1:-1]
        return escaped.replace("'", "\\'").replace("/", "\\/")

    def parseJson(self, text):  # noqa: N802
        return _value(json.loads(text))

    def urlEncode(self, text):  # noqa: N802
        return urllib.parse.quote_plus(str(text))

    def urlDecode(self, text):  # noqa: N802
        return urllib.parse.unquote_plus(str(text))

    def base64Encode(self, text):  # noqa: N802
        return base64.b64encode(str(text).encode()).decode()

    def base64Decode(self, text):  # noqa: N802
        return base64.b64decode(str(text)).decode()


def handler(event, context):
    """The text of a template and what it set in $context.responseOverride."""
    named = {
        "input": _Input(event["body"], event["params"]),
        "util": _Util(),
        "context": event["context"] | {"responseOverride": {"header": {}}},
        "stageVariables": event["stageVariables"],
    }
    text = airspeed.Template(event["template"]).merge(named)
    override = named["context"]["responseOverride"]
    return {"text": text, "status": override.get("status"), "headers": override["header"]}
