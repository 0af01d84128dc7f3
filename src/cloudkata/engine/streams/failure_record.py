"""What an on-failure destination is told of a batch that was discarded.

AWS documents (https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html): queues and topics get where the records
are, not what they hold; a bucket gets the whole event as well, under
aws/lambda/<UUID>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<random UUID>. The mapping sends with the execution role's
permissions. Kinesis shows its times with milliseconds, DynamoDB without.

Our choice, where the pages are silent: records that were never in an invocation have no responseContext.
"""

from __future__ import annotations

import datetime
import json
import uuid
from urllib.parse import urlencode

from cloudkata.engine.mappings.calls import CallError, Calls
from cloudkata.engine.mappings.permissions import missing
from cloudkata.engine.streams.policy import TOO_OLD
from cloudkata.engine.streams.records import Work

_ACTIONS = {"sqs": ("sqs:SendMessage",), "sns": ("sns:Publish",), "s3": ("s3:PutObject", "s3:ListBucket")}


def failure_record(work: Work, condition: str, function_arn: str, stream_arn: str, shard: str, now: float) -> dict:
    """The invocation record of a discarded batch, as SQS and SNS get it."""
    kinesis = stream_arn.split(":")[2] == "kinesis"
    first, last = work.records[0], work.records[-1]
    found = {
        "requestContext": {
            "requestId": work.last.request_id or str(uuid.uuid4()),
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": work.attempts,
        },
        "version": "1.0",
        "timestamp": _time(now, True),
        "KinesisBatchInfo" if kinesis else "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": first.sequence,
            "endSequenceNumber": last.sequence,
            "approximateArrivalOfFirstRecord": _time(first.arrived, kinesis),
            "approximateArrivalOfLastRecord": _time(last.arrived, kinesis),
            "batchSize": len(work),
            "streamArn": stream_arn,
        },
    }
    if work.attempts or condition != TOO_OLD:
        found["responseContext"] = {"statusCode": work.last.status, "executedVersion": work.last.version}
        if work.last.error:
            found["responseContext"]["functionError"] = work.last.error
    return found


def _time(seconds: float, milliseconds: bool) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{moment.microsecond // 1000:03d}Z" if milliseconds else "Z")


def object_key(mapping_id: str, shard: str, now: float) -> str:
    """Where in a bucket a failure record is put."""
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    return f"aws/lambda/{mapping_id}/{shard}/{moment:%Y/%m/%d}/{moment:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"


def resource_actions(destination: str) -> tuple[str, ...]:
    """What the execution role has to be allowed to do with a destination; nothing for one of an unknown kind."""
    return _ACTIONS.get(destination.split(":")[2] if destination.count(":") >= 5 else "", ())


def send(calls: Calls, role_arn: str, destination: str, record: dict, payload: str, mapping_id: str, now: float) -> str:
    """Send a failure record as the role may; "" when it arrived, otherwise why not."""
    service = destination.split(":")[2]
    needed = _ACTIONS[service]
    objects = destination + "/*"
    refused = [action for action in needed if missing(role_arn, (action,), _resource(action, destination, objects))]
    if refused:
        return f"the execution role may not {refused[0]}"
    try:
        if service == "sqs":
            fields = destination.split(":")
            url = f"http://127.0.0.1/{fields[4]}/{fields[5]}"
            calls.json("sqs", "AmazonSQS.SendMessage", {"QueueUrl": url, "MessageBody": json.dumps(record)})
        elif service == "sns":
            form = {
                "Action": "Publish",
                "TopicArn": destination,
                "Message": json.dumps(record),
                "Version": "2010-03-31",
            }
            headers = {"content-type": "application/x-www-form-urlencoded"}
            calls.other("sns", "POST", "/", headers, urlencode(form).encode())
        else:
            info = record.get("KinesisBatchInfo") or record["DDBStreamBatchInfo"]
            key = object_key(mapping_id, info["shardId"], now)
            body = json.dumps({**record, "payload": payload}).encode()
            headers = {"content-type": "application/json", "content-length": str(len(body))}
            # S3's handler judges the signature itself: what the role may do has been judged above.
            calls.other("s3", "PUT", f"/{destination.split(':')[5]}/{key}", headers, body, internal=True)
    except CallError as error:
        return str(error)
    return ""


def _resource(action: str, destination: str, objects: str) -> str:
    return objects if action == "s3:PutObject" else destination
