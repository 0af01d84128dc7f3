"""What is in an account, asked without knowing anything about any lab or any sweep: every list of every service.

An operation that lists and needs no argument is called, for whatever service; what its answer holds in lists is counted.
An account that nobody used gives the counts that AWS's own things make.
"""

from __future__ import annotations

import functools
import re

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from cloudkata.targets.session import Session, service_model

SIGNED_FOR = {"apigateway": ("apigateway", "apigatewayv2"), "states": ("stepfunctions",), "monitoring": ("cloudwatch",)}
ALWAYS = ("iam", "logs", "lambda", "s3")  # what others leave something in
_LISTS = re.compile(r"(List|Describe|Get)[A-Z]")
_GIVEN = {"MaxResults": 60, "Limit": 50, "maxResults": 60}
# what tells of the account and of what it did, and not of what is in it
_NOT_THINGS = re.compile(
    r"AccountAuthorizationDetails|AccountSettings|AccountSummary|CredentialReport|ServiceLastAccessed|Limits|Endpoints"
    r"|SdkTypes|DirectoryBuckets|ListStreams$|QueryDefinitions"
)


def services_of(session: Session) -> list[str]:
    """The services that were used in a session's account so far, by boto3's names."""
    used = [entry for entry in session.requests() if entry["key_set"] != "checks"]
    signed = {entry["service"] for entry in used} - {"", "sts"}
    return sorted({name for one in (*signed, *ALWAYS) for name in SIGNED_FOR.get(one, (one,))})


@functools.cache
def operations_of(service: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(method, arguments that must be there) of each operation that lists what a service has."""
    from botocore import xform_name

    try:
        model = service_model(service)
    except Exception:
        return ()
    found = []
    for name, operation in model["operations"].items():
        needed = model["shapes"].get(operation.get("input", {}).get("shape", ""), {}).get("required", ())
        kinesis = service == "kinesis" and name == "ListStreams"  # elsewhere: a table's stream outlives it for a day
        if _LISTS.match(name) and set(needed) <= set(_GIVEN) and (kinesis or not _NOT_THINGS.search(name)):
            found.append((xform_name(name), tuple(needed)))
    return tuple(found)


def held(session: Session, services: list[str], answering: dict[str, int] | None = None) -> dict[str, int]:
    """How many things each list of the services shows. With `answering`: only of the lists that are named there."""
    counts = {}
    for service in services:
        client = session.client(service, session.checks)
        for method, needed in operations_of(service):
            name = f"{service}.{method}"
            if answering is not None and name not in answering:
                continue
            try:
                answer = getattr(client, method)(**{one: _GIVEN[one] for one in needed})
            except (ClientError, BotoCoreError, ResponseParserError, KeyError):
                assert answering is None, f"{name} answered an account that was never used, and not this one"
                continue
            answer.pop("ResponseMetadata", None)
            counts[name] = _count(answer)
    return counts


def _count(value: object) -> int:
    if isinstance(value, list):
        return len(value)
    return sum(map(_count, value.values())) if isinstance(value, dict) else 0


def more_than(counts: dict[str, int], baseline: dict[str, int]) -> dict[str, int]:
    """What is there beyond what every account has."""
    return {name: count for name, count in counts.items() if count > baseline[name]}
