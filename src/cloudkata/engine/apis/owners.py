"""The URL of an API or of a function leads to the account that owns it: its callers have no key.

Always on, since without it no API can be called from outside an account of one's own.
https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
"""

from __future__ import annotations

from cloudkata.engine.owners import Owners, Unsigned


def register(owners: Owners) -> None:
    owners.register(_of_api)
    owners.register(_of_function_url)


def _of_api(request: Unsigned) -> str | None:
    from ministack.app import _parse_execute_api_url
    from ministack.services import apigateway, apigateway_v1

    found = _parse_execute_api_url(request.headers.get("host", "").lower(), request.path)
    if not found:
        return None
    for store in (apigateway_v1._rest_apis, apigateway._apis):
        for (account, _, api_id), _api in store.all_items():
            if api_id == found[0]:
                return account
    return None


def _of_function_url(request: Unsigned) -> str | None:
    from ministack.app import _parse_lambda_url
    from ministack.services import lambda_svc

    named = _parse_lambda_url(request.headers.get("host", "").lower(), request.path)
    found = lambda_svc.resolve_function_url(named[0]) if named else None
    return found[0] if found else None
