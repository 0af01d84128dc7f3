"""A stage of an HTTP API serves its deployment; with automatic deployment it serves the API as it is.

AWS documents: a stage is "a named reference to a deployment"; with automatic deployments "API Gateway automatically
deploys the API whenever you change it", which AutoDeploy switches on and which is off by default
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html,
https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages.html). An integration's URI may hold
`${stageVariables.x}` (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.stage-variables.html).

MiniStack serves what the API is now, also on a stage without any deployment and on a `$default` that is not there; it
drops the StageName of CreateDeployment.
"""

from __future__ import annotations

import copy
import json

from cloudkata.engine.apis.snapshots import Snapshots, filled, serving
from cloudkata.engine.context import Context

_MODULE = "ministack.services.apigateway"
_PARTS = ("_routes", "_integrations", "_authorizers")


def register(context: Context) -> None:
    from ministack.services import apigateway as http

    snapshots = Snapshots(context, _MODULE, _PARTS)

    def scope():
        return http.get_account_id(), http.get_region()

    def parts(scope, api_id: str, stage: dict):
        """What a stage serves, or None where nothing was deployed to it."""
        variables = stage.get("stageVariables") or {}
        if stage.get("autoDeploy"):
            return filled(snapshots.now(scope, api_id), variables)
        return snapshots.deployed(scope, api_id, stage.get("deploymentId") or "", variables)

    async def execute(original, api_id, stage_name, path, method, *args):
        stage = http._stages.get(api_id, {}).get(stage_name)
        served = parts(scope(), api_id, stage) if stage else None
        if served is None and api_id in http._apis:
            return http._http_api_not_found()
        with serving(api_id, served):
            return await original(api_id, stage_name, path, method, *args)

    def authorization_type(original, api_id, stage_name, method, path):
        owner = http.find_api_scope(api_id)
        stage = http.stages_for_api(api_id).get(stage_name)
        with serving(api_id, parts(owner, api_id, stage) if owner and stage else None):
            return original(api_id, stage_name, method, path)

    def create(original, api_id, data):
        stages = http._stages.get(api_id, {})
        name = data.get("stageName")
        if name and name not in stages:
            return http._apigw_error("NotFoundException", f"Unable to find Stage with name {name}", 404)
        taken = copy.deepcopy(snapshots.now(scope(), api_id))
        answer = original(api_id, data)
        if answer[0] == 201:
            deployment = json.loads(answer[2])["deploymentId"]
            snapshots.keep(scope(), api_id, deployment, taken)
            if name:
                stages[name]["deploymentId"] = deployment
        return answer

    def delete(original, api_id, deployment):
        answer = original(api_id, deployment)
        snapshots.forget(scope(), api_id, deployment)
        return answer

    context.seams.hook(f"{_MODULE}:_handle_execute_in_scope", execute)
    context.seams.hook(f"{_MODULE}:route_authorization_type", authorization_type)
    context.seams.hook(f"{_MODULE}:_create_deployment", create)
    context.seams.hook(f"{_MODULE}:_delete_deployment", delete)
