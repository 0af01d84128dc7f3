"""Whether a target has a service at all: what a lab's deploy.py stands on."""

from __future__ import annotations

from cloudkata.targets.probes import Bench, probe


@probe("cognito.user-pools", "user pools can be made, with app clients and users")
def _user_pools(bench: Bench):
    idp = bench.client("cognito-idp")
    pool = idp.create_user_pool(PoolName=f"{bench.session.prefix}-users")["UserPool"]["Id"]
    idp.create_user_pool_client(UserPoolId=pool, ClientName="probe")
    idp.admin_create_user(UserPoolId=pool, Username="ada", MessageAction="SUPPRESS")
    status = idp.admin_get_user(UserPoolId=pool, Username="ada")["UserStatus"]
    return status == "FORCE_CHANGE_PASSWORD", f"a new user is {status}"


@probe("apigateway.http-apis", "HTTP APIs can be made, with routes")
def _http_apis(bench: Bench):
    apis = bench.client("apigatewayv2")
    api = apis.create_api(Name=f"{bench.session.prefix}-http", ProtocolType="HTTP")["ApiId"]
    apis.create_route(ApiId=api, RouteKey="GET /probe")
    routes = [route["RouteKey"] for route in apis.get_routes(ApiId=api)["Items"]]
    return routes == ["GET /probe"], f"routes {routes}"


@probe("cloudfront.distributions", "CloudFront is there, and distributions can be listed and given an access control")
def _distributions(bench: Bench):
    cloudfront = bench.client("cloudfront")
    name = f"{bench.session.prefix}-probe"
    control = {"SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3"}
    made = cloudfront.create_origin_access_control(OriginAccessControlConfig={"Name": name, **control})
    cloudfront.delete_origin_access_control(Id=made["OriginAccessControl"]["Id"], IfMatch=made["ETag"])
    cloudfront.list_distributions()
    return True, "an access control was made"
