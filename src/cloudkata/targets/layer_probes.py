"""What a target does for layers of Lambda functions."""

from __future__ import annotations

import io
import zipfile

from cloudkata.targets.probes import Bench, archive, probe


def _layers(bench: Bench, count: int) -> list[str]:
    """New layers of one file each; the ARNs of their versions."""
    bench._made += 1
    publish = bench.client("lambda").publish_layer_version
    names = [f"{bench.session.prefix}-layer{bench._made}-{number}" for number in range(count)]
    return [publish(LayerName=name, Content={"ZipFile": archive("")})["LayerVersionArn"] for name in names]


@probe("lambda.layers", "a function imports what its layer brings")
def _imported(bench: Bench):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("python/brought.py", "VALUE = 7\n")
    name = f"{bench.session.prefix}-brings"
    made = bench.client("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": buffer.getvalue()})
    source = "def handler(event, context):\n    import brought\n    return brought.VALUE\n"
    value, _ = bench.call(bench.function(source, Layers=[made["LayerVersionArn"]]))
    return value == 7, f"answered {str(value)[:120]}"


@probe("lambda.five-layers", "a sixth layer is refused")
def _five_layers(bench: Bench):
    layers = _layers(bench, 6)
    source = "def handler(event, context):\n    return 1\n"
    fewer, more = [bench.refusal(lambda n=n: bench.function(source, Layers=layers[:n])) for n in (5, 6)]
    return fewer == "accepted" != more, f"five {fewer}, six {more}"


@probe("lambda.layer-permissions", "a layer of another account needs its permission")
def _layer_permissions(bench: Bench):
    if bench.session.elsewhere is None:
        return False, "there is no second account to ask from"
    (layer,) = _layers(bench, 1)
    other = bench.session.elsewhere()
    ask = other.client("lambda", other.learner).get_layer_version_by_arn
    before = bench.refusal(lambda: ask(Arn=layer))
    bench.client("lambda").add_layer_version_permission(
        LayerName=layer.split(":")[6],
        VersionNumber=1,
        StatementId="probe",
        Action="lambda:GetLayerVersion",
        Principal=other.account,
    )
    after = bench.refusal(lambda: ask(Arn=layer))
    return before != "accepted" == after, f"{before} before, {after} after"


@probe("lambda.image-without-layers", "a function from an image can be made, and takes no layers")
def _image(bench: Bench):
    image = {"PackageType": "Image", "Code": {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/probe:1"}}
    create = bench.client("lambda").create_function
    name, role, layers = f"{bench.session.prefix}-image", bench.role(), _layers(bench, 1)
    layered = bench.refusal(lambda: create(FunctionName=f"{name}-l", Role=role, Layers=layers, **image))
    plain = bench.refusal(lambda: create(FunctionName=name, Role=role, **image))
    return layered != "accepted" == plain, f"with a layer {layered}, without {plain}"
