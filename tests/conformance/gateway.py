"""What the tests of API Gateway share: APIs with their resources and routes, and calls without a key."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from support import Account

ECHO = "def handle(event, context):\n    import json\n    return {'statusCode': 200, 'body': json.dumps(event)}\n"


@dataclass(frozen=True)
class Reply:
    """One answer; header names are lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self):
        return json.loads(self.text)


def call(aws: Account, api_id: str, path: str, method: str = "GET", headers=None, body: str = "") -> Reply:
    """Call an API as anybody may, by the emulators' path; `path` begins with the stage."""
    place = urlsplit(aws.endpoint)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    try:
        connection.request(method, f"/_aws/execute-api/{api_id}/{path}", body or None, headers or {})
        reply = connection.getresponse()
        found = {name.lower(): value for name, value in reply.getheaders()}
        return Reply(reply.status, found, reply.read().decode("utf-8", "replace"))
    finally:
        connection.close()


def permit(aws: Account, function: str) -> None:
    aws.lambda_.add_permission(
        FunctionName=function,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )


def function(aws: Account, source: str = ECHO, name: str = "f", *, permitted: bool = True) -> str:
    """A function that API Gateway may call; its ARN."""
    aws.function(source, name)
    if permitted:
        permit(aws, name)
    return aws.lambda_.get_function_configuration(FunctionName=name)["FunctionArn"]


def uri(function_arn: str) -> str:
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations"


@dataclass
class Rest:
    """A REST API; nothing is served before `deploy`."""

    aws: Account
    id: str = ""
    _resources: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        made = self.client.create_rest_api(name="shop")
        self.id = made["id"]
        self._resources["/"] = self.client.get_resources(restApiId=self.id)["items"][0]["id"]

    @property
    def client(self):
        return self.aws.client("apigateway")

    def resource(self, path: str) -> str:
        if path not in self._resources:
            self._resources[path] = self.client.create_resource(
                restApiId=self.id, parentId=self._resources["/"], pathPart=path.strip("/")
            )["id"]
        return self._resources[path]

    def method(self, path: str, target: str, method: str = "GET", integration=None, **settings) -> dict:
        """A method with a proxy integration for the function `target`, or with `integration`; its place."""
        place = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": method}
        self.client.put_method(**place, **({"authorizationType": "NONE"} | settings))
        proxy = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri(target)}
        self.client.put_integration(**place, **(integration or proxy))
        return place

    def integrate(self, place: dict, target: str) -> None:
        self.client.put_integration(**place, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri(target))

    def authorizer(self, kind: str = "TOKEN", target: str = "", **settings) -> str:
        """The id of an authorizer that caches nothing unless told to."""
        given = {"identitySource": "method.request.header.Authorization", "authorizerResultTtlInSeconds": 0}
        if target:
            given["authorizerUri"] = uri(target)
        return self.client.create_authorizer(restApiId=self.id, name=kind.lower(), type=kind, **(given | settings))[
            "id"
        ]

    def deploy(self, stage: str = "v1", **settings) -> str:
        return self.client.create_deployment(restApiId=self.id, stageName=stage, **settings)["id"]

    def call(self, path: str, method: str = "GET", headers=None, body: str = "", stage: str = "v1") -> Reply:
        return call(self.aws, self.id, f"{stage}{path}", method, headers, body)


@dataclass
class Http:
    """An HTTP API; with `stage` it has that one, deployed automatically."""

    aws: Account
    stage: str = "v1"
    id: str = ""

    def __post_init__(self) -> None:
        self.id = self.client.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
        if self.stage:
            self.client.create_stage(ApiId=self.id, StageName=self.stage, AutoDeploy=True)

    @property
    def client(self):
        return self.aws.client("apigatewayv2")

    def integration(self, target: str, **settings) -> str:
        given = {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0"} | settings
        return self.client.create_integration(ApiId=self.id, IntegrationUri=target, **given)["IntegrationId"]

    def route(self, key: str, integration: str, **settings) -> str:
        made = self.client.create_route(ApiId=self.id, RouteKey=key, Target=f"integrations/{integration}", **settings)
        return made["RouteId"]

    def authorizer(self, kind: str = "REQUEST", target: str = "", **settings) -> str:
        given: dict = {"IdentitySource": ["$request.header.Authorization"]}
        if target:
            given |= {"AuthorizerUri": uri(target), "AuthorizerResultTtlInSeconds": 0}
        made = self.client.create_authorizer(ApiId=self.id, Name="guard", AuthorizerType=kind, **(given | settings))
        return made["AuthorizerId"]

    def call(self, path: str, method: str = "GET", headers=None, body: str = "", stage: str | None = None) -> Reply:
        return call(self.aws, self.id, f"{self.stage if stage is None else stage}{path}", method, headers, body)
