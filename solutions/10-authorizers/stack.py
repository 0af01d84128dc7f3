"""The same as deploy.py, by CDK."""

from aws_cdk import Duration
from aws_cdk import aws_apigateway as rest
from aws_cdk import aws_apigatewayv2 as http
from aws_cdk import aws_cognito as cognito
from aws_cdk.aws_apigatewayv2_authorizers import (
    HttpJwtAuthorizer,
    HttpLambdaAuthorizer,
    HttpLambdaResponseType,
)
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration

from cloudkata.cdk.stack import LabStack

VERBS = ("GET", "POST")
# The scope that access tokens have when their user has signed in with a password.
SCOPE = "aws.cognito.signin.user.admin"
TTL = Duration.minutes(5)


class Solution(LabStack):
    def build(self):
        pool = self.user_pool("people")
        client = pool.add_client(
            "shop",
            user_pool_client_name=self.name("shop"),
            auth_flows=cognito.AuthFlow(admin_user_password=True),
            disable_o_auth=True,
        )
        issuer = f"https://cognito-idp.{self.region}.amazonaws.com/{pool.user_pool_id}"
        functions = self.functions(pool, client, issuer)
        self.rest_api(pool, functions)
        self.http_api(client, issuer, functions)
        self.output("UserPoolId", pool.user_pool_id)
        self.output("UserPoolClientId", client.user_pool_client_id)

    def functions(self, pool, client, issuer):
        """The functions in app/, by the name of their file."""
        keys = self.once("public_keys", [pool.user_pool_id], []).get_att_string("Value")
        settings = {"KEYS": keys, "ISSUER": issuer, "CLIENT_ID": client.user_pool_client_id}
        role, code = self.role("api"), self.package("app")
        return {
            name: self.function(
                name.replace("_", "-"), handler=f"{name}.handler", code=code, role=role, environment=settings
            )
            for name in ("api", "token_authorizer", "request_authorizer")
        }

    def rest_api(self, pool, functions):
        api = rest.RestApi(
            self,
            "rest",
            rest_api_name=self.name("rest"),
            deploy_options=rest.StageOptions(stage_name="v1"),
            cloud_watch_role=False,
        )
        api.node.try_remove_child("Endpoint")  # an output of CDK's own
        token = rest.TokenAuthorizer(
            self,
            "token",
            authorizer_name=self.name("token"),
            handler=functions["token_authorizer"],
            results_cache_ttl=TTL,
        )
        people = rest.CognitoUserPoolsAuthorizer(
            self, "cognito", authorizer_name=self.name("cognito"), cognito_user_pools=[pool]
        )
        guards = {
            "token": {verb: {"authorizer": token} for verb in VERBS},
            "cognito": {
                "GET": {"authorizer": people},
                "POST": {"authorizer": people, "authorization_scopes": [SCOPE]},
            },
        }
        integration = rest.LambdaIntegration(functions["api"])
        for path, by_verb in guards.items():
            resource = api.root.add_resource(path)
            for verb, guarded in by_verb.items():
                resource.add_method(verb, integration, **guarded)
        self.justify(api, "APIG2", "The function behind it takes no input.")
        self.justify(api, "APIG1", "Who asked is what the checks see for themselves.")
        self.justify(api, "APIG6", "Who asked is what the checks see for themselves.")
        self.justify(api, "APIG3", "It has a lab's traffic, and goes with the lab.")
        self.justify(api, "COG4", "Half of its methods have an authorizer of their own: that is the task.")
        self.output("RestUrl", self.api_url(api.rest_api_id, "v1"))

    def http_api(self, client, issuer, functions):
        api = http.HttpApi(self, "http", api_name=self.name("http"))
        request = HttpLambdaAuthorizer(
            "request",
            functions["request_authorizer"],
            authorizer_name=self.name("request"),
            response_types=[HttpLambdaResponseType.SIMPLE],
            identity_source=["$request.header.Authorization", "$request.header.X-Shop"],
            results_cache_ttl=TTL,
        )
        jwt = HttpJwtAuthorizer(
            "jwt", issuer, authorizer_name=self.name("jwt"), jwt_audience=[client.user_pool_client_id]
        )
        guards = {
            "request": {verb: {"authorizer": request} for verb in VERBS},
            "jwt": {"GET": {"authorizer": jwt}, "POST": {"authorizer": jwt, "authorization_scopes": [SCOPE]}},
        }
        integration = HttpLambdaIntegration("integration", functions["api"])
        for path, by_verb in guards.items():
            for verb, guarded in by_verb.items():
                api.add_routes(path=f"/{path}", methods=[http.HttpMethod(verb)], integration=integration, **guarded)
        self.justify(api, "APIG1", "Who asked is what the checks see for themselves.")
        self.output("HttpUrl", self.api_url(api.api_id))
