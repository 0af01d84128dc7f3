"""An API calls a function, as integration or authorizer, only where the function's policy lets it.

AWS documents: API Gateway needs permission to invoke a function, which its resource-based policy gives for the ARN of
the method or of the authorizer
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html); without it a caller gets 500
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html).

MiniStack calls any function. Where the API names a role of its own for the call (`credentials`), the policy is not
asked.
"""

from __future__ import annotations

import contextvars

from cloudkata.engine.context import Context
from cloudkata.engine.service_calls import allowed

_SERVICE = "apigateway.amazonaws.com"
_REST, _HTTP = "ministack.services.apigateway_v1", "ministack.services.apigateway"

# The method of a REST API whose integration is being called, as an ARN; empty where a role is used.
_caller: contextvars.ContextVar[str] = contextvars.ContextVar("kata_api_caller", default="")


def register(context: Context) -> None:
    from ministack.services import apigateway as http
    from ministack.services import apigateway_v1 as rest
    from ministack.services import lambda_svc

    def may(reference: str, source_arn: str, account: str, region: str) -> bool:
        """Whether the function's policy lets the caller; one that is not there is left to MiniStack."""
        function, config, _ = lambda_svc._get_func_record_for_ref_in_scope(reference, account_id=account, region=region)
        if function is None or config is None:
            return True
        base = lambda_svc._functions.get_scoped(account, region, config["FunctionName"]) or {}
        return allowed(base.get("policy"), _function_arn(reference, config), _SERVICE, source_arn)

    async def integrate(original, integration, api_id, stage_name, stage, resource, path, method, *args, **kwargs):
        account, region = kwargs["owner_account_id"], kwargs["owner_region"]
        arn = f"arn:aws:execute-api:{region}:{account}:{api_id}/{stage_name}/{method}{resource['path']}"
        token = _caller.set("" if integration.get("credentials") else arn)
        try:
            return await original(integration, api_id, stage_name, stage, resource, path, method, *args, **kwargs)
        finally:
            _caller.reset(token)

    async def call(original, reference, event, *, account_id=None, region=None):
        source = _caller.get()
        if source and not may(reference, source, account_id, region):
            return None, "no permission"
        return await original(reference, event, account_id=account_id, region=region)

    async def authorize(original, authorizer, event, account_id, region):
        api_id = (event.get("methodArn") or event.get("routeArn")).split(":")[5].partition("/")[0]
        identifier = authorizer.get("id") or authorizer.get("authorizerId")
        source = f"arn:aws:execute-api:{region}:{account_id}:{api_id}/authorizers/{identifier}"
        reference = rest._extract_lambda_ref_from_integration_uri(authorizer.get("authorizerUri", ""))
        role = authorizer.get("authorizerCredentials") or authorizer.get("authorizerCredentialsArn")
        if not role and not may(reference, source, account_id, region):
            return None
        return await original(authorizer, event, account_id, region)

    async def proxy(original, integration, api_id, stage, path, method, headers, body, query, route_key, *args, **more):
        account, region = more["owner_account_id"], more["owner_region"]
        reference = http._extract_lambda_ref_from_integration_uri(integration.get("integrationUri", ""))
        route = f"{method}{route_key.partition(' ')[2]}" if " " in route_key else route_key
        arn = f"arn:aws:execute-api:{region}:{account}:{api_id}/{stage}/{route}"
        if not integration.get("credentialsArn") and not may(reference, arn, account, region):
            return 500, {"Content-Type": "application/json"}, b'{"message":"Internal Server Error"}'
        return await original(integration, api_id, stage, path, method, headers, body, query, route_key, *args, **more)

    context.seams.hook(f"{_REST}:_invoke_lambda_proxy_v1", integrate)
    context.seams.hook(f"{_REST}:_invoke_lambda_custom_v1", integrate)
    context.seams.hook(f"{_REST}:_call_lambda_raw", call)
    context.seams.hook(f"{_REST}:_invoke_authorizer_lambda", authorize)
    context.seams.hook(f"{_HTTP}:_invoke_request_authorizer_lambda", authorize)
    context.seams.hook(f"{_HTTP}:_invoke_lambda_proxy", proxy, order=40)


def _function_arn(reference: str, config: dict) -> str:
    return reference if reference.startswith("arn:") else config.get("FunctionArn", "")
