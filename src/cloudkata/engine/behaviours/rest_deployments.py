"""A stage of a REST API serves the deployment that it points to, with its own stage variables.

AWS documents: "a deployment is a point-in-time snapshot of your API"; a stage is "a named reference to a deployment";
after a change the API must be redeployed, and a stage can be pointed at another deployment
(https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-stages.html). `${stageVariables.x}` stands in
integration URIs, credentials and authorizer URIs
(https://docs.aws.amazon.com/apigateway/latest/developerguide/aws-api-gateway-stage-variables-reference.html).

MiniStack serves what the API is now, on every stage, and takes the variable's expression for a name. Its data plane
reads stores that answer with the deployment's parts. A deployment that a stage points to cannot be deleted: the
service says so, the pages do not.
"""

from __future__ import annotations

import copy
import json

from cloudkata.engine.apis.snapshots import Snapshots, filled, serving
from cloudkata.engine.context import Context

_MODULE = "ministack.services.apigateway_v1"
_PARTS = ("_resources", "_authorizers_v1", "_models", "_request_validators")


def register(context: Context) -> None:
    from ministack.services import apigateway_v1 as rest

    snapshots = Snapshots(context, _MODULE, _PARTS)

    def scope():
        return rest.get_account_id(), rest.get_region()

    def parts(scope, api_id: str, stage: dict):
        variables = stage.get("variables") or {}
        found = snapshots.deployed(scope, api_id, stage.get("deploymentId") or "", variables)
        return filled(snapshots.now(scope, api_id), variables) if found is None else found

    async def execute(original, request, api_id, stage_name, *args):
        stage = rest._stages_v1.get(api_id, {}).get(stage_name)
        with serving(api_id, parts(scope(), api_id, stage) if stage else None):
            return await original(request, api_id, stage_name, *args)

    def authorization_type(original, api_id, stage_name, method, path):
        owner = rest.find_api_scope(api_id)
        stage = rest.stages_for_api(api_id).get(stage_name)
        with serving(api_id, parts(owner, api_id, stage) if owner and stage else None):
            return original(api_id, stage_name, method, path)

    def create(original, api_id, data):
        taken = copy.deepcopy(snapshots.now(scope(), api_id))
        answer = original(api_id, data)
        if answer[0] == 201:
            snapshots.keep(scope(), api_id, json.loads(answer[2])["id"], taken)
        return answer

    def delete(original, api_id, deployment):
        if any(stage.get("deploymentId") == deployment for stage in rest._stages_v1.get(api_id, {}).values()):
            message = "Active stages pointing to this deployment must be moved or deleted"
            return rest._v1_error("BadRequestException", message, 400)
        answer = original(api_id, deployment)
        snapshots.forget(scope(), api_id, deployment)
        return answer

    context.seams.hook(f"{_MODULE}:_execute_in_scope", execute)
    context.seams.hook(f"{_MODULE}:method_authorization_type", authorization_type)
    context.seams.hook(f"{_MODULE}:_create_deployment", create)
    context.seams.hook(f"{_MODULE}:_delete_deployment", delete)
