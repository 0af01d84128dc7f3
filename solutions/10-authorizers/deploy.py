"""Deploys a REST API and an HTTP API, and what guards their routes."""

import json
import os
import urllib.request

RUNTIME = "python3.13"
VERBS = ("GET", "POST")
OPEN = {"authorizationType": "NONE"}
DEFAULT = "$default"  # the stage of an HTTP API that is not in its URL
# The scope that access tokens have when their user has signed in with a password.
SCOPE = "aws.cognito.signin.user.admin"


def deploy(lab):
    pool = People(lab)
    functions = make_functions(lab, pool)
    deploy_rest(lab, pool, functions)
    deploy_http(lab, pool, functions)
    lab.outputs["UserPoolId"] = pool.id
    lab.outputs["UserPoolClientId"] = pool.client_id


# --- who guards what: your part -----------------------------------------------------------------------------------


def guard_token(lab, rest_id, authorizer_uri):
    """How the REST API's methods of /token are guarded: arguments of put_method, by verb."""
    # kata: task token
    guard = lab.client("apigateway").create_authorizer(
        restApiId=rest_id,
        name=lab.name("token"),
        type="TOKEN",
        authorizerUri=authorizer_uri,
        identitySource="method.request.header.Authorization",
        authorizerResultTtlInSeconds=300,
    )
    return {verb: {"authorizationType": "CUSTOM", "authorizerId": guard["id"]} for verb in VERBS}
    # kata: starter
    # return dict.fromkeys(VERBS, OPEN)
    # kata: end


def guard_request(lab, http_id, authorizer_uri):
    """How the HTTP API's routes of /request are guarded: arguments of create_route, by verb."""
    # kata: task request
    guard = lab.client("apigatewayv2").create_authorizer(
        ApiId=http_id,
        Name=lab.name("request"),
        AuthorizerType="REQUEST",
        AuthorizerUri=authorizer_uri,
        AuthorizerPayloadFormatVersion="2.0",
        EnableSimpleResponses=True,
        IdentitySource=["$request.header.Authorization", "$request.header.X-Shop"],
        AuthorizerResultTtlInSeconds=300,
    )
    return {verb: {"AuthorizationType": "CUSTOM", "AuthorizerId": guard["AuthorizerId"]} for verb in VERBS}
    # kata: starter
    # return {verb: {} for verb in VERBS}
    # kata: end


def guard_cognito(lab, rest_id, pool_arn):
    """How the REST API's methods of /cognito are guarded: arguments of put_method, by verb."""
    # kata: task cognito
    guard = lab.client("apigateway").create_authorizer(
        restApiId=rest_id,
        name=lab.name("cognito"),
        type="COGNITO_USER_POOLS",
        providerARNs=[pool_arn],
        identitySource="method.request.header.Authorization",
    )
    guarded = {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": guard["id"]}
    return {"GET": guarded, "POST": {**guarded, "authorizationScopes": [SCOPE]}}
    # kata: starter
    # return dict.fromkeys(VERBS, OPEN)
    # kata: end


def guard_jwt(lab, http_id, issuer, client_id):
    """How the HTTP API's routes of /jwt are guarded: arguments of create_route, by verb."""
    # kata: task jwt
    guard = lab.client("apigatewayv2").create_authorizer(
        ApiId=http_id,
        Name=lab.name("jwt"),
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer, "Audience": [client_id]},
    )
    guarded = {"AuthorizationType": "JWT", "AuthorizerId": guard["AuthorizerId"]}
    return {"GET": guarded, "POST": {**guarded, "AuthorizationScopes": [SCOPE]}}
    # kata: starter
    # return {verb: {} for verb in VERBS}
    # kata: end


# --- what is guarded: finished --------------------------------------------------------------------------------------


class People:
    """The user pool, and the app client that its users sign in with."""

    def __init__(self, lab):
        idp = lab.client("cognito-idp")
        pool = idp.create_user_pool(PoolName=lab.name("people"))["UserPool"]
        client = idp.create_user_pool_client(
            UserPoolId=pool["Id"],
            ClientName=lab.name("shop"),
            ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        )
        self.id, self.arn, self.client_id = pool["Id"], pool["Arn"], client["UserPoolClient"]["ClientId"]
        self.issuer = f"https://cognito-idp.{lab.region}.amazonaws.com/{self.id}"


def public_keys(lab, pool_id):
    """The public keys that a pool's tokens are signed with, as JSON."""
    place = os.environ.get("AWS_ENDPOINT_URL") or f"https://cognito-idp.{lab.region}.amazonaws.com"
    with urllib.request.urlopen(f"{place}/{pool_id}/.well-known/jwks.json") as reply:
        return json.dumps(json.load(reply))


def make_functions(lab, pool):
    """The ARNs of the functions in app/, by the name of their file."""
    functions, role, code = lab.client("lambda"), lab.role("api"), lab.package("app")
    settings = {"KEYS": public_keys(lab, pool.id), "ISSUER": pool.issuer, "CLIENT_ID": pool.client_id}
    arns = {}
    for name in ("api", "token_authorizer", "request_authorizer"):
        made = functions.create_function(
            FunctionName=lab.name(name.replace("_", "-")),
            Runtime=RUNTIME,
            Handler=f"{name}.handler",
            Role=role,
            Code={"ZipFile": code},
            Environment={"Variables": settings},
        )
        arns[name] = made["FunctionArn"]
    for arn in arns.values():
        functions.get_waiter("function_active_v2").wait(FunctionName=arn)
        functions.add_permission(
            FunctionName=arn,
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{lab.region}:{lab.account}:*",
        )
    return arns


def uri(lab, function_arn):
    return f"arn:aws:apigateway:{lab.region}:lambda:path/2015-03-31/functions/{function_arn}/invocations"


def deploy_rest(lab, pool, functions):
    apis = lab.client("apigateway")
    rest_id = apis.create_rest_api(name=lab.name("rest"))["id"]
    root = apis.get_resources(restApiId=rest_id)["items"][0]["id"]
    guards = {
        "token": guard_token(lab, rest_id, uri(lab, functions["token_authorizer"])),
        "cognito": guard_cognito(lab, rest_id, pool.arn),
    }
    for path, by_verb in guards.items():
        resource = apis.create_resource(restApiId=rest_id, parentId=root, pathPart=path)["id"]
        for verb, guarded in by_verb.items():
            place = {"restApiId": rest_id, "resourceId": resource, "httpMethod": verb}
            apis.put_method(**place, **guarded)
            apis.put_integration(
                **place, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri(lab, functions["api"])
            )
    apis.create_deployment(restApiId=rest_id, stageName="v1")
    lab.outputs["RestUrl"] = lab.api_url(rest_id, "v1")


def deploy_http(lab, pool, functions):
    apis = lab.client("apigatewayv2")
    http_id = apis.create_api(Name=lab.name("http"), ProtocolType="HTTP")["ApiId"]
    integration = apis.create_integration(
        ApiId=http_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=functions["api"],
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    guards = {
        "request": guard_request(lab, http_id, uri(lab, functions["request_authorizer"])),
        "jwt": guard_jwt(lab, http_id, pool.issuer, pool.client_id),
    }
    for path, by_verb in guards.items():
        for verb, guarded in by_verb.items():
            apis.create_route(
                ApiId=http_id, RouteKey=f"{verb} /{path}", Target=f"integrations/{integration}", **guarded
            )
    apis.create_stage(ApiId=http_id, StageName=DEFAULT, AutoDeploy=True)
    lab.outputs["HttpUrl"] = lab.api_url(http_id)
