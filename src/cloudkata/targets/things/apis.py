"""API Gateway: REST APIs, HTTP APIs, and what REST APIs are sold with."""

from __future__ import annotations

from collections.abc import Iterator

from cloudkata.targets.things.thing import Listing, Thing, items


def _rest_apis(client) -> Iterator[Thing]:
    for one in items(client, "get_rest_apis", "items"):
        key = one["id"]
        yield Thing(one["name"], lambda key=key: client.delete_rest_api(restApiId=key), (key,))


def _http_apis(client) -> Iterator[Thing]:
    for one in items(client, "get_apis", "Items"):
        key = one["ApiId"]
        yield Thing(one["Name"], lambda key=key: client.delete_api(ApiId=key), (key,))


def _plans(client) -> Iterator[Thing]:
    def delete(key: str, stages: list[dict]) -> None:
        gone = [{"op": "remove", "path": "/apiStages", "value": f"{one['apiId']}:{one['stage']}"} for one in stages]
        if gone:
            client.update_usage_plan(usagePlanId=key, patchOperations=gone)
        client.delete_usage_plan(usagePlanId=key)

    for one in items(client, "get_usage_plans", "items"):
        key, stages = one["id"], one.get("apiStages") or []
        yield Thing(one["name"], lambda key=key, stages=stages: delete(key, stages), (key,))


def _api_keys(client) -> Iterator[Thing]:
    for one in items(client, "get_api_keys", "items"):
        key = one["id"]
        yield Thing(one.get("name", ""), lambda key=key: client.delete_api_key(apiKey=key), (key,))


_PLACE = "/apigateway/main/apis?region={region}"
PLANS = Listing(
    "usage plan", "apigateway", _plans, "/apigateway/main/usage-plans?region={region}", ("CreateUsagePlan",)
)
REST_APIS = Listing("REST API", "apigateway", _rest_apis, _PLACE, ("CreateRestApi", "ImportRestApi"))
API_KEYS = Listing("API key", "apigateway", _api_keys, "/apigateway/main/api-keys?region={region}", ("CreateApiKey",))
HTTP_APIS = Listing("HTTP API", "apigatewayv2", _http_apis, _PLACE, ("CreateApi", "ImportApi"))
