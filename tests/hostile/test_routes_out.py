"""No route out: neither from inside, nor with the engine's help."""

from __future__ import annotations

import json
import socket
import uuid

import pytest

from .conftest import client, fetch, invoke, make_function, until

# Documentation addresses (RFC 5737, RFC 3849), link-local and private ones: none of them is on the loopback.
OUTSIDE = [
    ["192.0.2.1", 80],
    ["198.51.100.1", 443],
    ["203.0.113.1", 53],
    ["169.254.169.254", 80],
    ["10.0.0.1", 22],
    ["2001:db8::1", 80],
]


def test_no_address_outside_answers(inside):
    answer = inside("connect", targets=OUTSIDE)
    assert answer["reached"] == []
    assert all("timed out" not in why for why in answer["refused"].values()), "a packet left: there is a route"


def test_the_only_interface_is_a_loopback(inside):
    assert inside("interfaces")["names"] == ["lo"]


def test_another_service_on_the_hosts_loopback_is_out_of_reach(inside, listener):
    targets = [
        ["127.0.0.1", listener.port],
        ["127.0.0.2", listener.port],
        ["0.0.0.0", listener.port],
        ["::1", listener.port],
    ]
    assert inside("connect", targets=targets)["reached"] == []
    assert listener.heard == []


def test_the_hosts_own_address_is_out_of_reach(inside, listener):
    addresses = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    assert inside("connect", targets=[[address, listener.port] for address in sorted(addresses)])["reached"] == []
    assert listener.heard == []


def test_an_abstract_socket_of_the_host_is_out_of_reach(inside):
    name = f"kata-hostile-{uuid.uuid4().hex}"
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"\0{name}")
        made.listen(1)
        assert "refused" in inside("connect_unix", path=f"@{name}")


def test_raw_sockets_are_refused(inside):
    assert inside("listen_raw")["opened"] == []


# --- with the engine's help ---


def test_sns_delivers_nothing_to_the_hosts_loopback(engine, learner, listener):
    sns = client(engine, learner, "sns")
    topic = sns.create_topic(Name="out")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{listener.url}/sns", ReturnSubscriptionArn=True)
    sns.publish(TopicArn=topic, Message="out")
    engine.settle(5)
    assert not until(lambda: listener.heard, 0.5)


def _http_api(engine, learner, uri: str) -> str:
    """The URL path of an HTTP API whose $default route is a proxy to `uri`."""
    api = client(engine, learner, "apigatewayv2")
    made = api.create_api(Name="out", ProtocolType="HTTP")["ApiId"]
    integration = api.create_integration(
        ApiId=made,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="GET",
        IntegrationUri=uri,
        PayloadFormatVersion="1.0",
    )["IntegrationId"]
    api.create_route(ApiId=made, RouteKey="$default", Target=f"integrations/{integration}")
    api.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)
    return f"/_aws/execute-api/{made}/$default"


def _rest_api(engine, learner, uri: str) -> str:
    api = client(engine, learner, "apigateway")
    made = api.create_rest_api(name="out")["id"]
    root = api.get_resources(restApiId=made)["items"][0]["id"]
    api.put_method(restApiId=made, resourceId=root, httpMethod="GET", authorizationType="NONE")
    api.put_integration(
        restApiId=made, resourceId=root, httpMethod="GET", type="HTTP_PROXY", integrationHttpMethod="GET", uri=uri
    )
    api.create_deployment(restApiId=made, stageName="s")
    return f"/_aws/execute-api/{made}/s/"


@pytest.mark.parametrize("make", [_http_api, _rest_api], ids=["http-api", "rest-api"])
def test_an_api_is_no_proxy_to_the_hosts_loopback(engine, learner, listener, make):
    status, body = fetch(engine, learner, make(engine, learner, f"{listener.url}/"), "execute-api")
    assert status >= 500 and "reached" not in body
    assert listener.heard == []


@pytest.mark.parametrize("make", [_http_api, _rest_api], ids=["http-api", "rest-api"])
@pytest.mark.parametrize("scheme", ["file", "FILE", " file", "local_file", "ftp", "data"])
def test_an_api_is_no_proxy_to_the_hosts_files(engine, learner, tmp_path, make, scheme):
    (tmp_path / "secret").write_text("host-secret")
    uri = "data:text/plain,host-" if scheme == "data" else f"{scheme}://{tmp_path}"
    if make is _rest_api:
        uri += "/secret"  # an HTTP API adds the path itself
    _, body = fetch(
        engine, learner, make(engine, learner, uri) + ("" if make is _rest_api else "/secret"), "execute-api"
    )
    assert "host-" not in body


@pytest.mark.parametrize("make", [_http_api, _rest_api], ids=["http-api", "rest-api"])
def test_an_api_is_no_way_around_the_front_door(engine, learner, victim, make):
    fetch(engine, learner, make(engine, learner, f"{engine.endpoint}/_ministack/reset"), "execute-api")
    status, _ = fetch(engine, learner, make(engine, learner, f"{engine.endpoint}/_ministack/config"), "execute-api")
    assert status >= 400
    assert victim.untouched(engine)


def test_an_api_destination_is_no_proxy_to_the_hosts_loopback(engine, learner, listener):
    events = client(engine, learner, "events")
    connection = events.create_connection(
        Name="out",
        AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "a", "ApiKeyValue": "b"}},
    )["ConnectionArn"]
    destination = events.create_api_destination(
        Name="out", ConnectionArn=connection, InvocationEndpoint=f"{listener.url}/e", HttpMethod="POST"
    )["ApiDestinationArn"]
    events.put_rule(Name="out", EventPattern=json.dumps({"source": ["out"]}))
    events.put_targets(
        Rule="out",
        Targets=[{"Id": "1", "Arn": destination, "RoleArn": f"arn:aws:iam::{learner.account}:role/attacker"}],
    )
    events.put_events(Entries=[{"Source": "out", "DetailType": "x", "Detail": "{}"}])
    engine.settle(5)
    assert not until(lambda: listener.heard, 0.5)


def test_a_distribution_is_no_proxy_to_the_hosts_loopback(engine, learner, listener):
    cloudfront = client(engine, learner, "cloudfront")
    made = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": "out",
            "Comment": "",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "o",
                        "DomainName": "localhost",
                        "CustomOriginConfig": {
                            "HTTPPort": listener.port,
                            "HTTPSPort": 443,
                            "OriginProtocolPolicy": "http-only",
                        },
                    }
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "o",
                "ViewerProtocolPolicy": "allow-all",
                "MinTTL": 0,
                "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
            },
        }
    )["Distribution"]
    status, body = fetch(engine, learner, "/", "cloudfront", {"Host": f"{made['DomainName']}:{engine.port}"})
    assert status == 502
    assert "reached" not in body
    assert listener.heard == []


@pytest.mark.parametrize(
    "variable",
    [
        "MINISTACK_LAMBDA_PROXY_URL",
        "HTTP_PROXY",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_ENDPOINT_URL",
        "LAMBDA_REMOTE_DOCKER",
        "LOCALSTACK_HOSTNAME",
    ],
)
def test_a_variable_of_a_function_leads_nowhere(engine, learner, listener, variable):
    name = "variable-" + variable.lower().replace("_", "-")
    source = """
import urllib.request
def handler(event, context):
    try:
        return urllib.request.urlopen("http://192.0.2.1/", timeout=1).read().decode()
    except OSError as error:
        return "nothing"
"""
    value = listener.url if "URL" in variable or "PROXY" in variable else f"127.0.0.1:{listener.port}"
    try:
        make_function(engine, learner, name, {"app.py": source}, Environment={"Variables": {variable: value}})
    except client(engine, learner, "lambda").exceptions.InvalidParameterValueException:
        return  # a reserved name
    _, answer = invoke(engine, learner, name, {})
    assert answer == "nothing"
    assert listener.heard == []


def test_a_jwt_authorizer_asks_nobody_on_the_hosts_loopback(engine, learner, listener):
    api = client(engine, learner, "apigatewayv2")
    made = api.create_api(Name="jwt", ProtocolType="HTTP")["ApiId"]
    authorizer = api.create_authorizer(
        ApiId=made,
        AuthorizerType="JWT",
        Name="a",
        IdentitySource=["$request.header.X-Token"],
        JwtConfiguration={"Audience": ["x"], "Issuer": listener.url},
    )["AuthorizerId"]
    integration = api.create_integration(
        ApiId=made,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="GET",
        IntegrationUri=engine.endpoint,
        PayloadFormatVersion="1.0",
    )["IntegrationId"]
    api.create_route(
        ApiId=made,
        RouteKey="$default",
        Target=f"integrations/{integration}",
        AuthorizationType="JWT",
        AuthorizerId=authorizer,
    )
    api.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)
    status, _ = fetch(
        engine,
        learner,
        f"/_aws/execute-api/{made}/$default/",
        "execute-api",
        {"X-Token": "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJ4In0.c2ln"},
    )
    assert status in (401, 403, 500)
    assert listener.heard == []
