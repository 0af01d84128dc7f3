"""No way past the front door: admin paths, keys, hosts and other accounts, asked for from inside."""

from __future__ import annotations

import base64
import json

import pytest

from cloudkata.engine.settings import SERVICES

from .conftest import client

END = "Connection: close\r\n\r\n"
HOST = "Host: 127.0.0.1:{port}\r\n"

# Each reaches /_ministack/reset, or tries to, by another spelling.
RESET_PATHS = {
    "plain": "/_ministack/reset",
    "query": "/_ministack/reset?init=1",
    "trailing-slash": "/_ministack/reset/",
    "upper-case": "/_MINISTACK/RESET",
    "mixed-case": "/_MiniStack/reset",
    "escaped-letter": "/_%6dinistack/reset",
    "escaped-underscore": "/%5fministack/reset",
    "escaped-slash": "/_ministack%2freset",
    "escaped-twice": "/%255f%256dinistack%252freset",
    "escaped-three-times": "/%25255fministack/reset",
    "escaped-throughout": "/%5f%6d%69%6e%69%73%74%61%63%6b/%72%65%73%65%74",
    "double-slash": "//_ministack/reset",
    "double-slash-within": "/_ministack//reset",
    "many-slashes": "/////_ministack/////reset",
    "dot": "/./_ministack/./reset",
    "dot-dot": "/bucket/../_ministack/reset",
    "dot-dot-back": "/_ministack/x/../reset",
    "escaped-dot-dot": "/bucket/%2e%2e/_ministack/reset",
    "escaped-slash-dot-dot": "/bucket%2f..%2f_ministack/reset",
    "backslash": "/\\_ministack\\reset",
    "escaped-backslash": "/%5c_ministack%5creset",
    "absolute-form": "http://127.0.0.1:{port}/_ministack/reset",
    "absolute-form-other-host": "http://localhost/_ministack/reset",
    "absolute-form-upper-case": "HTTP://127.0.0.1/_MINISTACK/reset",
    "no-slash": "_ministack/reset",
    "fragment": "/#/_ministack/reset",
    "path-parameter": "/;x/_ministack/reset",
    "escaped-nul": "/%00_ministack/reset",
    "escaped-nul-within": "/_ministack%00/reset",
    "escaped-tab": "/%09_ministack/reset",
    "escaped-newline": "/%0a_ministack%0a/reset",
    "escaped-space": "/%20_ministack%20/reset",
    "raw-tab": "/\t_ministack/reset",
    "raw-nul": "/\0_ministack/reset",
    "overlong": "/%c0%af_ministack/reset",
    "full-width": "/%ef%bc%bfministack/reset",
    "stage-path": "/_aws/execute-api/x/prod/../../../_ministack/reset",
    "path-style-bucket": "/_ministack/../_ministack/reset",
}
ADMIN_PATHS = (
    "/_ministack/health",
    "/_ministack/ready",
    "/_ministack/config",
    "/_ministack/lambda-code/attacker",
    "/_ministack/lambda-layers/attacker",
    "/_ministack/sqs/messages",
    "/_ministack/ses/messages",
    "/_ministack/sns/sms-messages",
    "/_ministack/iot/ca.pem",
    "/_ministack/rds/iam-auth",
    "/_ministack/transfer/sftp-ports",
    "/_ministack/cfn-signal/x",
    "/_ministack/cfn-response/x",
    "/_ministack",
    "/_localstack/health",
    "/_localstack/init",
    "/_localstack/info",
    "/health",
    "/HEALTH",
    "/health/",
)
METHODS = ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW", "post")


# What the server cannot read as a request, and what names something else even when everything is decoded.
NO_REQUEST = ("raw-tab", "raw-nul", "no-slash")
ANOTHER_PATH = ("overlong", "full-width", "fragment")


@pytest.mark.parametrize("name", RESET_PATHS)
def test_reset_is_refused_in_every_spelling(inside, engine, victim, name):
    answer = inside("raw", request=f"POST {RESET_PATHS[name]} HTTP/1.1\r\n{HOST}Content-Length: 0\r\n{END}")
    if name in NO_REQUEST:
        assert answer["status"] == 400, answer
    elif name in ANOTHER_PATH:
        assert answer["status"] in (403, 404, 405), answer
    else:
        assert (answer["status"], "not served here" in answer["body"]) == (403, True), answer
    assert victim.untouched(engine)


@pytest.mark.parametrize("path", ADMIN_PATHS)
def test_admin_path_is_refused(inside, path):
    answer = inside("raw", request=f"GET {path} HTTP/1.1\r\n{HOST}{END}")
    assert (answer["status"], "not served here" in answer["body"]) == (403, True), answer


@pytest.mark.parametrize("method", METHODS)
def test_reset_is_refused_with_another_method(inside, engine, victim, method):
    answer = inside("raw", request=f"{method} /_ministack/reset HTTP/1.1\r\n{HOST}Content-Length: 0\r\n{END}")
    assert answer["status"] not in range(200, 400), answer
    assert victim.untouched(engine)


RAW = {
    "two-hosts": "POST /_ministack/reset HTTP/1.1\r\n" + HOST + "Host: example.com\r\nContent-Length: 0\r\n",
    "folded-header": "POST /_ministack/reset HTTP/1.1\r\n" + HOST + "X-A: b\r\n c\r\nContent-Length: 0\r\n",
    "http-1.0": "POST /_ministack/reset HTTP/1.0\r\nContent-Length: 0\r\n",
    "http-0.9": "POST /_ministack/reset\r\n",
    "bare-newlines": "POST /_ministack/reset HTTP/1.1\nHost: 127.0.0.1:{port}\nContent-Length: 0\n",
    "two-lengths": "POST /_ministack/reset HTTP/1.1\r\n" + HOST + "Content-Length: 0\r\nContent-Length: 5\r\n",
    "chunked-and-length": "POST / HTTP/1.1\r\n" + HOST + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    "0\r\n\r\nPOST /_ministack/reset HTTP/1.1\r\n" + HOST + "Content-Length: 0\r\n",
    "obscured-chunked": "POST / HTTP/1.1\r\n" + HOST + "Transfer-Encoding: x, chunked\r\n\r\n"
    "0\r\n\r\nPOST /_ministack/reset HTTP/1.1\r\n" + HOST + "Content-Length: 0\r\n",
    "pipelined": "GET /health HTTP/1.1\r\n"
    + HOST
    + "\r\nPOST /_ministack/reset HTTP/1.1\r\n"
    + HOST
    + "Content-Length: 0\r\n",
    "original-url": "POST / HTTP/1.1\r\n" + HOST + "X-Original-URL: /_ministack/reset\r\n"
    "X-Rewrite-URL: /_ministack/reset\r\nX-HTTP-Method-Override: POST\r\nContent-Length: 0\r\n",
    "websocket": "GET /_ministack/reset HTTP/1.1\r\n" + HOST + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: Upgrade\r\n",
    "h2c": "GET /_ministack/config HTTP/1.1\r\n" + HOST + "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    "Connection: Upgrade, HTTP2-Settings\r\n",
}


@pytest.mark.parametrize("request_", RAW.values(), ids=RAW)
def test_reset_is_refused_in_odd_requests(inside, engine, victim, request_):
    answer = inside("raw", request=request_ + ("" if "Connection" in request_ else "Connection: close\r\n") + "\r\n")
    assert '"reset"' not in answer["body"]
    assert victim.untouched(engine)


def test_reset_is_refused_over_http_2(inside, engine, victim):
    from h2.connection import H2Connection

    link = H2Connection()
    link.initiate_connection()
    link.send_headers(
        1,
        [
            (":method", "POST"),
            (":path", "/_ministack/reset"),
            (":scheme", "http"),
            (":authority", f"127.0.0.1:{engine.port}"),
        ],
        end_stream=True,
    )
    request = link.data_to_send().decode("latin-1") + "\0\0\x08\x06\0\0\0\0\0pingping"
    inside("raw", request=request.replace("{", "{"))
    assert victim.untouched(engine)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "example.com",
        "127.0.0.1.example.com",
        "localhost.example.com",
        "127.0.0.1@example.com",
        "0.0.0.0",
        "[::]",
        "2130706433",
        "127.1",
        "",
        "sqs.us-east-1.amazonaws.com",
        "localhost:80\t.example.com",
    ],
)
def test_another_host_is_refused(inside, host):
    answer = inside("raw", request=f"GET / HTTP/1.1\r\nHost: {host}\r\n{END}")
    assert answer["status"] in (400, 403), answer
    assert answer["status"] == 400 or "not served here" in answer["body"]


@pytest.mark.parametrize(
    "path", ["/latest/meta-data/iam/security-credentials/", "/latest/api/token", "/v2/credentials/x"]
)
def test_there_is_no_metadata_service(inside, path):
    answer = inside("raw", request=f"GET {path} HTTP/1.1\r\nHost: 169.254.169.254\r\n{END}")
    assert answer["status"] == 403 and "AccessKey" not in answer["body"]


# --- keys -----------------------------------------------------------------------------------------------------------

# One call of each service, which AWS serves to signed requests alone.
CALLS = {
    "acm": ("acm", "list_certificates", {}),
    "apigateway": ("apigateway", "get_rest_apis", {}),
    "apigatewayv2": ("apigatewayv2", "get_apis", {}),
    "appconfig": ("appconfig", "list_applications", {}),
    "appconfigdata": (
        "appconfigdata",
        "start_configuration_session",
        {"ApplicationIdentifier": "a", "EnvironmentIdentifier": "b", "ConfigurationProfileIdentifier": "c"},
    ),
    "cloudformation": ("cloudformation", "list_stacks", {}),
    "cloudfront": ("cloudfront", "list_distributions", {}),
    "cloudfront-keyvaluestore": ("cloudfront", "list_key_value_stores", {}),
    "cloudtrail": ("cloudtrail", "lookup_events", {}),
    "cognito-identity": ("cognito-identity", "list_identity_pools", {"MaxResults": 1}),
    "cognito-idp": ("cognito-idp", "list_user_pools", {"MaxResults": 1}),
    "dynamodb": ("dynamodb", "list_tables", {}),
    "dynamodbstreams": ("dynamodbstreams", "list_streams", {}),
    "events": ("events", "list_event_buses", {}),
    "iam": ("iam", "list_users", {}),
    "kinesis": ("kinesis", "list_streams", {}),
    "kms": ("kms", "list_keys", {}),
    "lambda": ("lambda", "list_functions", {}),
    "logs": ("logs", "describe_log_groups", {}),
    "monitoring": ("cloudwatch", "list_metrics", {}),
    "pipes": ("pipes", "list_pipes", {}),
    "s3": ("s3", "list_buckets", {}),
    "scheduler": ("scheduler", "list_schedules", {}),
    "secretsmanager": ("secretsmanager", "list_secrets", {}),
    "sns": ("sns", "list_topics", {}),
    "sqs": ("sqs", "list_queues", {}),
    "ssm": ("ssm", "describe_parameters", {}),
    "states": ("stepfunctions", "list_state_machines", {}),
    "sts": ("sts", "get_caller_identity", {}),
    "tagging": ("resourcegroupstaggingapi", "get_resources", {}),
    "wafv2": ("wafv2", "list_web_acls", {"Scope": "REGIONAL"}),
}
WRITES = {
    "dynamodb": (
        "dynamodb",
        "create_table",
        {
            "TableName": "mine",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        },
    ),
    "s3": ("s3", "create_bucket", {"Bucket": "made-without-a-key"}),
    "sqs": ("sqs", "create_queue", {"QueueName": "mine"}),
    "sns": ("sns", "create_topic", {"Name": "mine"}),
    "iam": ("iam", "create_user", {"UserName": "mine"}),
    "lambda": (
        "lambda",
        "create_function",
        {
            "FunctionName": "mine",
            "Runtime": "python3.12",
            "Role": "arn:aws:iam::000000000000:role/x",
            "Handler": "a.b",
            "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
        },
    ),
    "kms": ("kms", "create_key", {}),
    "ssm": ("ssm", "put_parameter", {"Name": "mine", "Value": "x", "Type": "String"}),
    "events": ("events", "put_events", {"Entries": [{"Source": "a", "DetailType": "b", "Detail": "{}"}]}),
    "cloudformation": ("cloudformation", "create_stack", {"StackName": "mine", "TemplateBody": '{"Resources":{}}'}),
    "cognito-idp": ("cognito-idp", "create_user_pool", {"PoolName": "mine"}),
    "apigateway": ("apigateway", "create_rest_api", {"name": "mine"}),
    "apigatewayv2": ("apigatewayv2", "create_api", {"Name": "mine", "ProtocolType": "HTTP"}),
    "states": (
        "stepfunctions",
        "create_state_machine",
        {"name": "mine", "roleArn": "arn:aws:iam::000000000000:role/x", "definition": "{}"},
    ),
}


def test_every_service_is_in_the_list_of_calls():
    assert set(CALLS) - {"apigatewayv2"} == set(SERVICES)


def refused(answer: dict) -> bool:
    """Unsigned REST calls name no service: MiniStack takes them for an S3 object that is not there (404, 405)."""
    return "ok" not in answer and answer["status"] in (400, 401, 403, 404, 405)


@pytest.mark.parametrize("service", CALLS)
def test_an_unsigned_call_is_refused(inside, service):
    name, operation, arguments = CALLS[service]
    answer = inside("call", service=name, operation=operation, arguments=arguments, signed=False)
    assert refused(answer), answer


@pytest.mark.parametrize("service", WRITES)
def test_an_unsigned_write_is_refused(inside, service):
    name, operation, arguments = WRITES[service]
    answer = inside("call", service=name, operation=operation, arguments=arguments, signed=False)
    assert refused(answer), answer


@pytest.mark.parametrize("service", CALLS)
def test_an_issued_key_with_a_wrong_signature_is_refused(inside, learner, service):
    name, operation, arguments = CALLS[service]
    answer = inside(
        "call", service=name, operation=operation, arguments=arguments, key=learner.access_key_id, secret="x" * 40
    )
    assert refused(answer), answer


@pytest.mark.parametrize("service", CALLS)
def test_the_victims_key_id_with_a_wrong_signature_is_refused(inside, victim, service):
    name, operation, arguments = CALLS[service]
    answer = inside(
        "call",
        service=name,
        operation=operation,
        arguments=arguments,
        key=victim.key.access_key_id,
        secret=victim.key.access_key_id,
    )
    assert refused(answer), answer


KEYS = {
    "account-id": lambda victim: victim.key.account,
    "zeros": lambda victim: "0" * 12,
    "other-account-id": lambda victim: "123456789012",
    "test": lambda victim: "test",
    "TEST": lambda victim: "TEST",
    "unknown": lambda victim: "AKIAABCDEFGHIJKLMNOP",
    "unknown-session": lambda victim: "ASIAABCDEFGHIJKLMNOP",
    "padded": lambda victim: f"{victim.key.account}%20",
    "lower-case": lambda victim: victim.key.access_key_id.lower(),
}


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("service", ["dynamodb", "s3", "sqs", "iam", "sts", "lambda"])
def test_a_key_that_was_not_issued_is_refused(inside, victim, name, service):
    client_name, operation, arguments = CALLS[service]
    answer = inside(
        "call", service=client_name, operation=operation, arguments=arguments, key=KEYS[name](victim), secret="test"
    )
    assert refused(answer), answer


@pytest.mark.parametrize("signature", ["s3", "s3-query", "s3v4-query"])
@pytest.mark.parametrize("name", KEYS)
def test_a_presigned_url_with_a_key_that_was_not_issued_is_refused(inside, victim, name, signature):
    version = {"s3": "s3", "s3-query": "s3-query", "s3v4-query": "s3v4"}[signature]
    bucket = {"Bucket": f"kept-{victim.key.account}", "Key": "marker"}
    answer = inside(
        "presigned",
        service="s3",
        operation="get_object",
        arguments=bucket,
        key=KEYS[name](victim),
        secret="test",
        signature=version,
    )
    assert answer["status"] in (400, 403) and victim.marker not in answer["body"], answer


HEADERS = {
    "sigv2-header": "Authorization: AWS {key}:c2ln\r\n",
    "sigv2-lower-case": "authorization: aws {key}:c2ln\r\n",
    "sigv4-unsigned": "Authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0\r\n",
    "two-authorizations": "Authorization: AWS4-HMAC-SHA256 Credential={issued}/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0\r\nAuthorization: AWS {key}:c2ln\r\n",
    "two-authorizations-other-order": "Authorization: AWS {key}:c2ln\r\nAuthorization: AWS4-HMAC-SHA256 "
    "Credential={issued}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n",
    "bearer": "Authorization: Bearer {key}\r\n",
    "basic": "Authorization: Basic {basic}\r\n",
    "sigv4a": "Authorization: AWS4-ECDSA-P256-SHA256 Credential={key}/20260101/s3/aws4_request, SignedHeaders=host, "
    "Signature=0\r\n",
    "internal-account": "X-MiniStack-Account-Id: {key}\r\nX-Ministack-Invoke-Depth: 0\r\nX-Kata-Request-Id: x\r\n",
    "security-token-only": "X-Amz-Security-Token: {key}\r\n",
    "amz-credential-header": "X-Amz-Credential: {key}/20260101/us-east-1/s3/aws4_request\r\n",
}
QUERIES = {
    "AWSAccessKeyId": "AWSAccessKeyId={key}&Signature=c2ln&Expires=4000000000",
    "escaped-name": "AWSAccess%4beyId={key}&Signature=c2ln&Expires=4000000000",
    "lower-case-name": "awsaccesskeyid={key}&signature=c2ln&expires=4000000000",
    "credential": "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20260101T000000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature=0",
    "two-credentials": "X-Amz-Credential={issued}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&"
    "X-Amz-Credential={key}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0&X-Amz-SignedHeaders=host",
    "semicolon": "x=1;AWSAccessKeyId={key}&Signature=c2ln&Expires=4000000000",
}


@pytest.mark.parametrize("name", HEADERS)
def test_an_account_id_as_key_in_a_header_opens_nothing(inside, engine, learner, victim, name):
    basic = base64.b64encode(f"{victim.key.account}:test".encode()).decode()
    header = HEADERS[name].format(key=victim.key.account, issued=learner.access_key_id, basic=basic)
    path = f"/kept-{victim.key.account}/marker"
    answer = inside("raw", request=f"GET {path} HTTP/1.1\r\n{HOST}{header}{END}")
    assert answer["status"] in (400, 401, 403) and victim.marker not in answer["body"], answer


@pytest.mark.parametrize("name", QUERIES)
def test_an_account_id_as_key_in_the_query_opens_nothing(inside, learner, victim, name):
    query = QUERIES[name].format(key=victim.key.account, issued=learner.access_key_id)
    path = f"/kept-{victim.key.account}/marker?{query}"
    answer = inside("raw", request=f"GET {path} HTTP/1.1\r\n{HOST}{END}")
    assert answer["status"] in (400, 401, 403) and victim.marker not in answer["body"], answer


@pytest.mark.parametrize("target", ["DynamoDB_20120810.GetItem", "DynamoDB_20120810.ListTables"])
@pytest.mark.parametrize("key", ["", "test", "000000000000", "account"])
def test_a_json_call_without_a_valid_key_is_refused(inside, victim, target, key):
    body = json.dumps({"TableName": "kept", "Key": {"id": {"S": "1"}}})
    key = victim.key.account if key == "account" else key
    credential = f"{key}/20260101/us-east-1/dynamodb/aws4_request"
    header = (
        f"Authorization: AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0\r\n" if key else ""
    )
    request = (
        f"POST / HTTP/1.1\r\n{HOST}{header}X-Amz-Target: {target}\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"Content-Length: {len(body)}\r\n{END}"
    )
    answer = inside("raw", request=request.replace("{port}", "\0").replace("\0", "{port}") + body.replace("{port}", ""))
    assert answer["status"] in (400, 403) and "kept" not in answer["body"] and victim.marker not in answer["body"], (
        answer
    )


# --- another account, with a key of one's own -------------------------------------------------------------------------


def _reads(victim) -> dict:
    account = victim.key.account
    return {
        "dynamodb-name": ("dynamodb", "get_item", {"TableName": "kept", "Key": {"id": {"S": "1"}}}),
        "dynamodb-arn": (
            "dynamodb",
            "get_item",
            {"TableName": f"arn:aws:dynamodb:us-east-1:{account}:table/kept", "Key": {"id": {"S": "1"}}},
        ),
        "dynamodb-write": (
            "dynamodb",
            "put_item",
            {"TableName": f"arn:aws:dynamodb:us-east-1:{account}:table/kept", "Item": {"id": {"S": "1"}}},
        ),
        "dynamodb-partiql": (
            "dynamodb",
            "execute_statement",
            {"Statement": f'SELECT * FROM "arn:aws:dynamodb:us-east-1:{account}:table/kept"'},
        ),
        "s3-get": ("s3", "get_object", {"Bucket": f"kept-{account}", "Key": "marker"}),
        "s3-list": ("s3", "list_objects_v2", {"Bucket": f"kept-{account}"}),
        "s3-copy": (
            "s3",
            "copy_object",
            {"Bucket": f"kept-{account}", "Key": "x", "CopySource": f"kept-{account}/marker"},
        ),
        "s3-policy": (
            "s3",
            "put_bucket_policy",
            {
                "Bucket": f"kept-{account}",
                "Policy": json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": "*",
                                "Action": "s3:*",
                                "Resource": f"arn:aws:s3:::kept-{account}/*",
                            }
                        ],
                    }
                ),
            },
        ),
        "sqs": ("sqs", "receive_message", {"QueueUrl": victim.queue}),
        "sqs-purge": ("sqs", "purge_queue", {"QueueUrl": victim.queue}),
        "secret": ("secretsmanager", "get_secret_value", {"SecretId": victim.secret}),
        "parameter": ("ssm", "get_parameter", {"Name": f"arn:aws:ssm:us-east-1:{account}:parameter/kept"}),
        "topic": ("sns", "publish", {"TopicArn": victim.topic, "Message": "x"}),
        "subscribe": (
            "sns",
            "subscribe",
            {"TopicArn": victim.topic, "Protocol": "sqs", "Endpoint": f"arn:aws:sqs:us-east-1:{account}:kept"},
        ),
        "function": ("lambda", "invoke", {"FunctionName": victim.function}),
        "function-code": ("lambda", "get_function", {"FunctionName": victim.function}),
        "function-update": ("lambda", "update_function_configuration", {"FunctionName": victim.function, "Timeout": 9}),
        "machine": ("stepfunctions", "describe_state_machine", {"stateMachineArn": victim.machine}),
        "machine-start": ("stepfunctions", "start_execution", {"stateMachineArn": victim.machine}),
        "role": ("sts", "assume_role", {"RoleArn": victim.role, "RoleSessionName": "attack"}),
        "role-web-identity": (
            "sts",
            "assume_role_with_web_identity",
            {"RoleArn": victim.role, "RoleSessionName": "attack", "WebIdentityToken": _token(account)},
        ),
        "role-saml": (
            "sts",
            "assume_role_with_saml",
            {
                "RoleArn": victim.role,
                "PrincipalArn": f"arn:aws:iam::{account}:saml-provider/x",
                "SAMLAssertion": "PHg+PC94Pg==",
            },
        ),
        "bus": (
            "events",
            "put_rule",
            {
                "Name": "x",
                "EventBusName": f"arn:aws:events:us-east-1:{account}:event-bus/default",
                "EventPattern": '{"source":["x"]}',
            },
        ),
        "logs": (
            "logs",
            "get_log_events",
            {
                "logGroupIdentifier": f"arn:aws:logs:us-east-1:{account}:log-group:/aws/lambda/kept",
                "logStreamName": "x",
            },
        ),
    }


def _token(account: str) -> str:
    def part(value: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"sub": account, "iss": "https://example.com", "aud": "x", "exp": 4000000000}
    return f"{part({'alg': 'none'})}.{part(claims)}."


class _Names:
    def __getattr__(self, name):
        return self if name == "key" else name


@pytest.mark.parametrize("name", _reads(_Names()))
def test_another_account_is_out_of_reach(inside, engine, victim, name):
    service, operation, arguments = _reads(victim)[name]
    signed = operation not in ("assume_role_with_web_identity", "assume_role_with_saml")
    answer = inside("call", service=service, operation=operation, arguments=arguments, signed=signed)
    assert "ok" not in answer, answer
    assert answer["status"] in (400, 403, 404), answer
    assert victim.untouched(engine)


def test_another_account_is_empty_for_a_key_of_ones_own(inside, victim):
    answer = inside("call", service="dynamodb", operation="list_tables", arguments={})
    assert "kept" not in answer["ok"]["TableNames"]


def test_own_key_is_in_order(inside, learner):
    answer = inside("call", service="sts", operation="get_caller_identity", arguments={})
    assert answer["ok"]["Account"] == learner.account


def test_the_victim_can_use_what_it_owns(engine, victim):
    body = client(engine, victim.key, "s3").get_object(Bucket=f"kept-{victim.key.account}", Key="marker")["Body"].read()
    assert body.decode() == victim.marker
