"""The URL of an API or of a function leads to its owner's account, and to no other."""

import io
import json
import urllib.error
import urllib.request
import zipfile

import boto3
import pytest
from botocore.config import Config

from cloudkata.engine.process import Engine

SOURCE = "def handler(event, context):\n    return {'statusCode': 200, 'body': context.invoked_function_arn}\n"


@pytest.fixture(scope="module")
def engine():
    with Engine.start() as engine:
        yield engine


def client(engine, key, service):
    return boto3.client(
        service,
        endpoint_url=engine.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        config=Config(retries={"max_attempts": 0}),
    )


def get(url: str, host: str = "") -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def function(engine, key) -> str:
    """The ARN of a function that everybody may call through a URL or an API."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", SOURCE)
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = client(engine, key, "iam").create_role(RoleName="runs", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    lambda_ = client(engine, key, "lambda")
    lambda_.create_function(
        FunctionName="f", Runtime="python3.13", Handler="app.handler", Role=role, Code={"ZipFile": buffer.getvalue()}
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig={"Delay": 0.05})
    allow = {"FunctionName": "f", "Principal": "*"}
    lambda_.add_permission(StatementId="url", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE", **allow)
    lambda_.add_permission(StatementId="any", Action="lambda:InvokeFunction", **allow)
    return lambda_.get_function_configuration(FunctionName="f")["FunctionArn"]


@pytest.fixture(scope="module")
def owners(engine):
    """Two accounts with a function of the same name: (key, ARN) of each."""
    keys = [engine.issue("learner") for _ in range(2)]
    return [(key, function(engine, key)) for key in keys]


def test_an_http_apis_url_leads_to_its_owner(engine, owners):
    for key, arn in owners:
        apis = client(engine, key, "apigatewayv2")
        api = apis.create_api(Name="shop", ProtocolType="HTTP", Target=arn)["ApiId"]
        if not apis.get_routes(ApiId=api)["Items"]:  # MiniStack does not make them from the target
            made = apis.create_integration(
                ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
            )
            apis.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{made['IntegrationId']}")
            apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        client(engine, key, "lambda").add_permission(
            FunctionName="f", StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
        )
        assert get(f"{engine.endpoint}/_aws/execute-api/{api}/") == (200, arn)
        assert get(f"{engine.endpoint}/", f"{api}.execute-api.127.0.0.1:{engine.port}") == (200, arn)


def test_a_functions_url_leads_to_its_owner(engine, owners):
    for key, arn in owners:
        made = client(engine, key, "lambda").create_function_url_config(FunctionName="f", AuthType="NONE")
        host = made["FunctionUrl"].partition("://")[2].strip("/")
        assert get(f"{engine.endpoint}/_aws/lambda-url/{host.partition('.')[0]}/") == (200, arn)


def test_an_id_that_nobody_has_is_not_found(engine, owners):
    assert get(f"{engine.endpoint}/_aws/execute-api/00000000/v1/word")[0] == 404
    assert get(f"{engine.endpoint}/_aws/lambda-url/{'0' * 32}/")[0] in (403, 404)


def test_the_log_names_the_owner(engine, owners):
    key, _ = owners[0]
    api = client(engine, key, "apigatewayv2").create_api(Name="log", ProtocolType="HTTP")["ApiId"]
    last = engine.requests()["last"]
    get(f"{engine.endpoint}/_aws/execute-api/{api}/v1/logged")
    assert [entry["path"] for entry in engine.requests(last, key.account)["entries"]] == [
        f"/_aws/execute-api/{api}/v1/logged"
    ]
    assert engine.requests(last, owners[1][0].account)["entries"] == []
