"""A custom resource's function answers CloudFormation at the ResponseURL of its event.

AWS documents
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html and crpg-ref-responses.html): the
ResponseURL is a presigned URL that takes the answer as a JSON body by PUT; an answer has 4096 bytes at most; with the
status FAILED the stack's operation fails, with the reason given.

MiniStack's URL lies below /_ministack/, which the front door serves to nobody, on a host and port of its own, so that
the answer never arrives and the stack waits for an hour. It is replaced by a token of the front door that can be used
once. That an answer too long fails the resource at once, rather than after its time-out, is our choice.
"""

from __future__ import annotations

import json
import secrets

from cloudkata.engine.context import Context

_ANSWER_BYTES = 4096


def register(context: Context) -> None:
    from ministack.services.cloudformation import custom_resource

    def url(original, token: str) -> str:
        door = context.door
        assert door is not None
        secret = secrets.token_urlsafe(32)
        door.uploads[secret] = lambda body: custom_resource.deliver_response(token, _answer(body))
        return f"{context.endpoint}/_upload/{secret}"

    context.seams.hook("ministack.services.cloudformation.custom_resource:_response_url", url)


def _answer(body: bytes) -> dict:
    if len(body) > _ANSWER_BYTES:
        return {"Status": "FAILED", "Reason": "Response object is too long."}
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return {"Status": "FAILED", "Reason": "Response object is not a JSON object."}
    return found
