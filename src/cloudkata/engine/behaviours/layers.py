"""A layer is named by name or ARN, and used by those it was granted to, once in a function, in .zip functions only.

AWS documents: a layer is private until AddLayerVersionPermission grants one version of it to an account, to all, or to
an organization (https://docs.aws.amazon.com/lambda/latest/dg/permissions-layer-cross-account.html); whoever adds it to
a function needs that permission then, and what was added goes on working after the permission or the version has gone
(https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html). Layers are for functions deployed as a .zip archive
(https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html); a function from an image has them built in.
LayerName is "the name or Amazon Resource Name (ARN) of the layer"
(https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html). That a function cannot name two versions
of one layer is not in these pages, but is what the service answers.

MiniStack enforces the grants of layers that it holds. A layer of another account that it does not hold it takes for an
empty one; it accepts two versions of a layer, and layers for an image; an ARN it takes for a name. Its
`_resolve_cross_account_layer` is not reached for a layer that is not there, its `_create_function` and `_update_config`
not for an image's layers.

Needs function_environments.
"""

from __future__ import annotations

from cloudkata.engine.context import Context

_LAMBDA = "ministack.services.lambda_svc:"
_NOT_FOR_IMAGES = ("Handler", "Runtime", "Layers")


def register(context: Context) -> None:
    from ministack.services import lambda_svc

    def invalid(message: str):
        return lambda_svc.error_response_json("InvalidParameterValueException", message, 400)

    def resolve(original, arn, spec, name_and_version):
        if lambda_svc._layers.get_scoped(spec.account_id, spec.region, name_and_version[0]) is None:
            return lambda_svc._layer_access_denied(arn)
        return original(arn, spec, name_and_version)

    def attach(original, wanted):
        attached, refusal = original(wanted)
        if refusal is None and (twice := _same_layer([layer["Arn"] for layer in attached])):
            first, second = twice
            rule = "Two different versions of the same layer are not allowed to be referenced in the same function."
            return None, invalid(f"{rule} {first} and {second} are versions of the same layer.")
        return attached, refusal

    def refused_for_image(data: dict) -> bool:
        return any(data.get(name) for name in _NOT_FOR_IMAGES)

    of_images = "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."

    def create(original, data):
        if (data.get("PackageType") == "Image" or "ImageUri" in (data.get("Code") or {})) and refused_for_image(data):
            return invalid(of_images)
        return original(data)

    def update(original, name, data):
        config = (lambda_svc._functions.get(name) or {}).get("config") or {}
        if config.get("PackageType") == "Image" and refused_for_image(data):
            return invalid(of_images)
        return original(name, data)

    def by_name(original, name, *args, **kwargs):
        return original(_name(name, lambda_svc.get_region(), lambda_svc.get_account_id()), *args, **kwargs)

    for operation in ("_publish_layer_version", "_find_layer_version", "_list_layer_versions", "_delete_layer_version"):
        context.seams.hook(_LAMBDA + operation, by_name, order=30)
    context.seams.hook(_LAMBDA + "_resolve_cross_account_layer", resolve)
    context.seams.hook(_LAMBDA + "_normalize_layer_attachments", attach, order=45)
    context.seams.hook(_LAMBDA + "_create_function", create, order=42)
    context.seams.hook(_LAMBDA + "_update_config", update, order=42)


def _name(name_or_arn: str, region: str, account: str) -> str:
    """The name of an own layer that was named by its ARN; anything else stays as it is."""
    own = f"arn:aws:lambda:{region}:{account}:layer:"
    return name_or_arn.removeprefix(own)


def _same_layer(arns: list[str]) -> tuple[str, str] | None:
    """The first two layer version ARNs that are of one layer."""
    seen: dict[str, str] = {}
    for arn in arns:
        layer = arn.rpartition(":")[0]
        if layer in seen:
            return seen[layer], arn
        seen[layer] = arn
    return None
