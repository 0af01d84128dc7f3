"""What a stack makes obeys the same rules as what is made by the services' own operations.

AWS documents that CloudFormation makes the calls of the services on one's behalf
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-overview.html) and, at
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/ , the properties of the types below: among them
aws-properties-stepfunctions-statemachine-loggingconfiguration.html, aws-resource-cloudfront-keyvaluestore.html (the
ImportSource that a new store is filled from) and aws-resource-lambda-alias.html.

MiniStack writes many resources into its stores itself, past the operations and so past every rule about them: it takes
an alias of $LATEST with weights, an invalid definition and six layers, keeps a state machine's logging under names
that its own service does not read, and leaves a key-value store empty. The creators of the types below are replaced by
ones that call the operation. A refusal is the reason of the resource's CREATE_FAILED, with the service's own message.

The rules are those of the other behaviours, so its tests need some of them.
Needs argument_limits, alias_routing, layers, queue_mappings, state_machine_definitions.
Needs edge_stores and edge_associations.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement, tostring

from cloudkata.engine.context import Context

_HANDLERS = "ministack.services.cloudformation.provisioners:_RESOURCE_HANDLERS"
Created = tuple[str, dict]  # the physical id, the attributes for Fn::GetAtt


def register(context: Context) -> None:
    from ministack.services.cloudformation import provisioners

    handlers = {kind: dict(entry) for kind, entry in provisioners._RESOURCE_HANDLERS.items()}
    for kind, create in _CREATORS.items():
        handlers[kind]["create"] = create
    machine = handlers["AWS::StepFunctions::StateMachine"]
    machine["update"] = _with_logging(machine["update"])
    context.seams.replace(_HANDLERS, handlers)


def _asked(kind: str, answer: tuple) -> str:
    """The body of a service's answer. Raises ValueError with what the service says when it refuses."""
    status, _, body = answer
    text = body.decode() if isinstance(body, bytes) else body or ""
    if status < 400:
        return text
    try:
        found = json.loads(text)
        text = f"{found.get('__type', '')}: {found.get('message') or found.get('Message') or ''}"
    except ValueError:
        pass
    raise ValueError(f"{kind}: {text}")


def _physical(props: dict, key: str, stack: str, logical_id: str, longest: int) -> str:
    from ministack.services.cloudformation import provisioners

    return props.get(key) or provisioners._physical_name(stack, logical_id, max_len=longest)


def _whole(props: dict, *names: str) -> dict:
    """`props`, with the numbers that a template may have as text."""
    return {name: int(value) if name in names and str(value).isdigit() else value for name, value in props.items()}


# --- Lambda ---


def _function(logical_id: str, props: dict, stack: str) -> Created:
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import provisioners

    data = _whole(props, "Timeout", "MemorySize")
    data["FunctionName"] = _physical(props, "FunctionName", stack, logical_id, 64)
    data["Tags"] = provisioners._tag_map(props.get("Tags"))
    code = props.get("Code") or {}
    if "ZipFile" in code:  # the source itself, of one file
        archive = provisioners._zip_inline(code["ZipFile"], props.get("Handler", ""), props.get("Runtime", ""))
        data["Code"] = {"ZipFile": base64.b64encode(archive or b"").decode()}
    made = json.loads(_asked("AWS::Lambda::Function", lambda_svc._create_function(data)))
    return data["FunctionName"], {"Arn": made["FunctionArn"]}


def _alias(logical_id: str, props: dict, stack: str) -> Created:
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import provisioners

    name = provisioners._lambda_function_for_cfn_ref(props.get("FunctionName", ""))[1]
    data = {**props, "RoutingConfig": provisioners._lambda_alias_routing_config(props)}
    made = json.loads(_asked("AWS::Lambda::Alias", lambda_svc._create_alias(name, data)))
    provisioners._lambda_alias_provisioned_concurrency(name, props.get("Name", ""), {}, props)
    return made["AliasArn"], {"AliasArn": made["AliasArn"]}


def _mapping(logical_id: str, props: dict, stack: str) -> Created:
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import provisioners

    numbers = ("BatchSize", "MaximumBatchingWindowInSeconds", "ParallelizationFactor", "MaximumRetryAttempts")
    data = _whole(props, *numbers, "MaximumRecordAgeInSeconds", "TumblingWindowInSeconds")
    made = json.loads(_asked("AWS::Lambda::EventSourceMapping", lambda_svc._create_esm(data)))
    return made["UUID"], provisioners._lambda_esm_attrs(made["UUID"])


def _layer(logical_id: str, props: dict, stack: str) -> Created:
    from ministack.services import lambda_svc

    name = _physical(props, "LayerName", stack, logical_id, 64)
    made = json.loads(_asked("AWS::Lambda::LayerVersion", lambda_svc._publish_layer_version(name, dict(props))))
    arn = made["LayerVersionArn"]
    return arn, {"LayerVersionArn": arn, "Arn": arn}


# --- Step Functions ---


def _machine(logical_id: str, props: dict, stack: str) -> Created:
    from ministack.services import stepfunctions
    from ministack.services.cloudformation import provisioners

    name = _physical(props, "StateMachineName", stack, logical_id, 80)
    data = {
        "name": name,
        "definition": provisioners._sfn_definition(props),
        "roleArn": props.get("RoleArn", ""),
        "type": props.get("StateMachineType", "STANDARD"),
        "tags": provisioners._sfn_tags(props),
    }
    if "LoggingConfiguration" in props:
        data["loggingConfiguration"] = _lower(props["LoggingConfiguration"])
    if "EncryptionConfiguration" in props:
        data["encryptionConfiguration"] = provisioners._sfn_encryption(props["EncryptionConfiguration"])
    answer = stepfunctions._create_state_machine(data)
    arn = json.loads(_asked("AWS::StepFunctions::StateMachine", answer))["stateMachineArn"]
    return arn, provisioners._sfn_attrs(arn, name)


def _with_logging(original: Callable) -> Callable:
    """An update to which the logging configuration comes as the service's own operation takes it."""

    def update(physical_id, old, new, *rest):
        if "LoggingConfiguration" in new:
            new = {**new, "LoggingConfiguration": _lower(new["LoggingConfiguration"])}
        return original(physical_id, old, new, *rest)

    return update


def _lower(value):
    """Names of a template as the JSON protocols have them: Level is level."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _lower(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_lower(part) for part in value]
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


# --- CloudFront ---


def _store(logical_id: str, props: dict, stack: str) -> Created:
    from ministack.services import cloudfront

    name = _physical(props, "Name", stack, logical_id, 64)
    root = Element("CreateKeyValueStoreRequest")
    SubElement(root, "Name").text = name
    SubElement(root, "Comment").text = props.get("Comment", "")
    if source := props.get("ImportSource"):
        place = SubElement(root, "ImportSource")
        SubElement(place, "SourceType").text = source.get("SourceType", "")
        SubElement(place, "SourceARN").text = source.get("SourceArn", "")
    _asked("AWS::CloudFront::KeyValueStore", cloudfront._create_kvs({}, tostring(root)))
    made = cloudfront._kvstores[name]
    return name, {"Arn": made["ARN"], "Id": made["Id"], "Status": made["Status"]}


def _distribution(logical_id: str, props: dict, stack: str) -> Created:
    from ministack.core.responses import new_uuid
    from ministack.services import cloudfront
    from ministack.services.cloudformation import provisioners

    reference = new_uuid()
    config = provisioners._cf_distribution_config(props, reference)
    _asked("AWS::CloudFront::Distribution", cloudfront._create_distribution({}, tostring(config)))
    made = next(one for one in cloudfront._distributions.values() if one.get("CallerReference") == reference)
    tags = provisioners._tag_map(props.get("Tags"))
    cloudfront._tags[made["ARN"]] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return made["Id"], {"Arn": made["ARN"], "DomainName": made["DomainName"], "Id": made["Id"]}


_CREATORS: dict[str, Callable[[str, dict, str], Created]] = {
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Alias": _alias,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::Lambda::LayerVersion": _layer,
    "AWS::StepFunctions::StateMachine": _machine,
    "AWS::CloudFront::KeyValueStore": _store,
    "AWS::CloudFront::Distribution": _distribution,
}
