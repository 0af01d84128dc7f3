"""Lambda: mappings, functions, layers, and the network interfaces that it makes for functions in a VPC."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from cloudkata.targets.things.thing import Listing, Pending, Thing, items, looked_at

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-edge-delete-replicas.html says a few hours,
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html up to 20 minutes.
_REPLICAS_SECONDS = 6 * 3600.0
_INTERFACE_SECONDS = 20 * 60.0
_INTERFACE = "AWS Lambda VPC ENI-"


def _mappings(client) -> Iterator[Thing]:
    for one in items(client, "list_event_source_mappings", "EventSourceMappings"):
        uuid = one["UUID"]
        yield Thing(
            one.get("FunctionArn", "").split(":function:")[-1],
            lambda uuid=uuid: client.delete_event_source_mapping(UUID=uuid),
            (uuid,),
            going=one.get("State") == "Deleting",
        )


def _functions(client) -> Iterator[Thing]:
    def delete(name: str) -> None:
        try:
            client.delete_function(FunctionName=name)
        except ClientError as error:
            if "replicated function" not in str(error):
                raise
            raise Pending("CloudFront removes its replicas first", _REPLICAS_SECONDS, soon=False) from None

    for one in items(client, "list_functions", "Functions"):
        name = one["FunctionName"]
        yield Thing(name, lambda name=name: delete(name), arn=one.get("FunctionArn", ""))


def _layers(client) -> Iterator[Thing]:
    for one in items(client, "list_layers", "Layers"):
        name = one["LayerName"]
        numbers = [version["Version"] for version in looked_at(_versions, client=client, name=name).get("all", ())]
        for number in numbers:
            yield Thing(
                name,
                lambda name=name, number=number: client.delete_layer_version(LayerName=name, VersionNumber=number),
                (f"{name}:{number}",),
            )


def _versions(client, name: str) -> dict:
    return {"all": list(items(client, "list_layer_versions", "LayerVersions", LayerName=name))}


def _interfaces(client) -> Iterator[Thing]:
    def delete(key: str, status: str) -> None:
        if status != "available":
            raise Pending("Lambda takes it away itself", _INTERFACE_SECONDS)
        client.delete_network_interface(NetworkInterfaceId=key)

    wanted = [{"Name": "description", "Values": [f"{_INTERFACE}*"]}]
    for one in items(client, "describe_network_interfaces", "NetworkInterfaces", Filters=wanted):
        key, status = one["NetworkInterfaceId"], one.get("Status", "")
        name = one.get("Description", "").removeprefix(_INTERFACE)
        yield Thing(name, lambda key=key, status=status: delete(key, status), (key,))


MAPPINGS = Listing(
    "event source mapping",
    "lambda",
    _mappings,
    "/lambda/home?region={region}#/event-source-mappings",
    ("CreateEventSourceMapping",),
)
FUNCTIONS = Listing("function", "lambda", _functions, "/lambda/home?region={region}#/functions/{name}")
LAYERS = Listing("layer version", "lambda", _layers, "/lambda/home?region={region}#/layers")
INTERFACES = Listing("network interface", "ec2", _interfaces, "/ec2/home?region={region}#NIC:")
