"""GetFunction links to the code of the version that was asked for, and GetLayerVersion to the layer's.

AWS documents (https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html): "a link to download the deployment
package that's valid for 10 minutes"; with a qualifier, details of that version. The same holds for a layer version's
Content.Location (https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html).

MiniStack always links to $LATEST's code, below /_ministack/, which the front door refuses; its links need no secret
and never end. They are replaced in the answers by tokens of the front door. Times out on the engine's clock.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import OrderedDict

from cloudkata.engine.context import Context

LINK_SECONDS = 600.0
_LINKS = 512  # kept at once; the oldest goes first
_LAMBDA = "ministack.services.lambda_svc:"


class _Links:
    """Download tokens, each with an end. Thread-safe."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._ends: OrderedDict[str, float] = OrderedDict()

    def make(self, content: bytes) -> str:
        """A URL that gives `content` for ten minutes of AWS time."""
        door, clock = self._context.door, self._context.clock
        assert door is not None
        token, end = secrets.token_urlsafe(32), clock.now() + LINK_SECONDS
        with self._lock:
            self._ends[token] = end
            door.downloads[token] = lambda: content if clock.now() < end else None
            while self._ends and (len(self._ends) > _LINKS or next(iter(self._ends.values())) < clock.now()):
                door.downloads.pop(self._ends.popitem(last=False)[0], None)
        return f"{self._context.endpoint}/_download/{token}"


def register(context: Context) -> None:
    from ministack.services import lambda_svc

    links = _Links(context)

    def get_function(original, name, qualifier=None):
        status, headers, body = original(name, qualifier)
        answer = json.loads(body)
        if status != 200 or answer["Code"].get("RepositoryType") != "S3":
            return status, headers, body
        func = lambda_svc._functions[name]
        record = func["versions"].get(answer["Configuration"]["Version"], func)
        answer["Code"]["Location"] = links.make(record.get("code_zip") or b"")
        return lambda_svc.json_response(answer)

    def layer(original, *args):
        status, headers, body = original(*args)
        answer = json.loads(body)
        if status not in (200, 201) or "/_ministack/" not in (answer.get("Content") or {}).get("Location", ""):
            return status, headers, body
        spec = lambda_svc.parse_arn(answer["LayerVersionArn"])
        name, number = lambda_svc._lambda_layer_version_name_and_number_from_arn_spec(spec)
        found, _ = lambda_svc._find_layer_version(name, number, spec.account_id, spec.region)
        answer["Content"]["Location"] = links.make((found or {}).get("_zip_data") or b"")
        return lambda_svc.json_response(answer, status)

    context.seams.hook(_LAMBDA + "_get_function", get_function)
    for operation in ("_publish_layer_version", "_get_layer_version", "_get_layer_version_by_arn"):
        context.seams.hook(_LAMBDA + operation, layer)
