"""A REST method takes identity tokens without scopes and access tokens with them; an HTTP API says what a token lacks.

AWS documents: with a Cognito authorizer "if you don't specify scopes, the incoming token is treated as an identity
token"; with scopes as an access token, of whose scopes one must match, else 401
(https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enable-cognito-user-pool.html);
identityValidationExpression is matched against `aud`
(https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html). A JWT authorizer's 401 has a
`www-authenticate` header that begins with `Bearer`
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html).

MiniStack takes either token without scopes, does not look at the expression, sends no such header, and answers 500
for a token whose claims are no object or whose times are no numbers. Its own verification is kept; what it let
through is judged once more.
"""

from __future__ import annotations

import re

from cloudkata.engine.context import Context


def register(context: Context) -> None:
    from ministack.services import apigateway as http
    from ministack.services import apigateway_v1 as rest

    async def cognito(original, authorizer, method_obj, headers, query_params, stage):
        refused = None, rest._gw_error("UNAUTHORIZED", "Unauthorized")
        try:
            claims, error = await original(authorizer, method_obj, headers, query_params, stage)
        except (AttributeError, TypeError, ValueError):
            return refused
        if error is not None:
            return claims, error
        wanted = "access" if method_obj.get("authorizationScopes") else "id"
        if claims.get("token_use") != wanted or not _matches(authorizer, claims):
            return refused
        return claims, None

    async def jwt(original, route, authorizer, headers, query_params):
        try:
            claims, scopes, error = await original(route, authorizer, headers, query_params)
        except (AttributeError, TypeError, ValueError):
            claims, scopes, error = None, None, http._jwt_unauthorized()
        if error is not None and error[0] == 401:
            sources = authorizer.get("identitySource", [])
            token = http._extract_token_from_identity_source(sources, headers, query_params)
            says = 'Bearer scope="" error="invalid_token" error_description="the token is not valid"'
            error = (error[0], error[1] | {"www-authenticate": says if token else "Bearer"}, error[2])
        return claims, scopes, error

    context.seams.hook("ministack.services.apigateway_v1:_validate_cognito_authorizer", cognito)
    context.seams.hook("ministack.services.apigateway:_validate_jwt_authorizer", jwt)


def _matches(authorizer: dict, claims: dict) -> bool:
    """Whether `aud` fits the authorizer's expression; an access token has none, and is not asked for it."""
    expression = authorizer.get("identityValidationExpression")
    if not expression or "aud" not in claims:
        return True
    try:
        return re.fullmatch(expression, str(claims["aud"])) is not None
    except re.error:
        return False
