"""What a Map Run's results become: the state's output, or objects in S3 with a manifest.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from __future__ import annotations

import json
from urllib.parse import quote

from cloudkata.engine.workflows.control import Line
from cloudkata.engine.workflows.data import jsonata, query
from cloudkata.engine.workflows.errors import StateError
from cloudkata.engine.workflows.history import text
from cloudkata.engine.workflows.paths import fill

# MiniStack takes what has no such header for a stranger's request; in the engine nobody verifies it.
_AS_A_SERVICE = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"
_SHOWN = ("executionArn", "input", "name", "output", "startDate", "stateMachineArn", "status", "stopDate")
_SHOWN += ("error", "cause")
_STATUSES = {"SUCCEEDED": "SUCCEEDED", "FAILED": "FAILED", "TIMED_OUT": "FAILED", "ABORTED": "FAILED"}


def write_results(line: Line, state: dict, raw: object, seen: object, run: dict, children: list[dict]) -> object:
    """The output of a distributed Map; its results are written to S3 where it says so. Raises StateError."""
    writer = state.get("ResultWriter") or {}
    config = writer.get("WriterConfig") or {}
    to_s3 = "Resource" in writer
    kind = config.get("Transformation", "NONE" if to_s3 else "COMPACT")
    if not to_s3:
        return _transformed(children, kind)
    template = writer.get("Arguments", writer.get("Parameters", {}))
    place = query(line, template, raw) if jsonata(line, state) else fill(template, line.scope(seen))
    assert isinstance(place, dict)
    prefix, number = str(place.get("Prefix", "")).strip("/"), run["mapRunArn"].rsplit(":", 1)[-1]
    folder = f"{prefix}/{number}" if prefix else number
    files: dict[str, list] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for status in ("SUCCEEDED", "FAILED"):
        chosen = [child for child in children if _STATUSES.get(child["status"]) == status]
        if chosen:
            as_lines = config.get("OutputType", "JSON") == "JSONL"
            key = f"{folder}/{status}_0.{'jsonl' if as_lines else 'json'}"
            results = _transformed(chosen, kind)
            body = "\n".join(text(result) for result in results) if as_lines else text(results)
            _put(place.get("Bucket"), key, body)
            files[status].append({"Key": key, "Size": len(body.encode())})
    manifest = {"DestinationBucket": place.get("Bucket"), "MapRunArn": run["mapRunArn"], "ResultFiles": files}
    _put(place.get("Bucket"), f"{folder}/manifest.json", text(manifest))
    written = len(children)
    run["itemCounts"]["resultsWritten"] = run["executionCounts"]["resultsWritten"] = written
    details = {"Bucket": place.get("Bucket"), "Key": f"{folder}/manifest.json"}
    return {"MapRunArn": run["mapRunArn"], "ResultWriterDetails": details}


def _transformed(children: list[dict], kind: str) -> list:
    found: list = []
    for child in children:
        if kind == "NONE" or child["status"] != "SUCCEEDED":
            found.append(_whole(child))
            continue
        output = json.loads(child["output"])
        if kind == "FLATTEN" and isinstance(output, list):
            found += output
        else:
            found.append(output)
    return found


def _whole(child: dict) -> dict:
    """A child with what is known of its execution."""
    made = {name[0].upper() + name[1:]: child[name] for name in _SHOWN if child.get(name) is not None}
    made |= {"InputDetails": {"Included": True}, "RedriveCount": 0, "RedriveStatus": "NOT_REDRIVABLE"}
    if child.get("output") is not None:
        made["OutputDetails"] = {"Included": True}
    return made


def _put(bucket: object, key: str, body: str) -> None:
    from ministack import app

    headers = {"host": "s3.amazonaws.com", "content-type": "application/json", "authorization": _AS_A_SERVICE}
    status, _, answer = app.call_service_handler_sync(
        app.SERVICE_HANDLERS["s3"], "PUT", f"/{bucket}/{quote(key)}", headers, body.encode(), {}
    )
    if status >= 400:
        shown = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
        raise StateError("States.ResultWriterFailed", f"s3://{bucket}/{key} could not be written: {shown}")
