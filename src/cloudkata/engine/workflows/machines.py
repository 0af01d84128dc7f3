"""State machines with their versions and aliases, as an execution finds them.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-cd-aliasing-versioning.html: a version is the definition
and role as they were when it was published; an alias chooses between one or two versions of a machine by weight.
"""

from __future__ import annotations

import json
import random

from cloudkata.engine.workflows.callbacks import Refused
from cloudkata.engine.workflows.control import Machine


def find(arn: str) -> Machine:
    """The machine, the version, or the version that the alias chooses this time. Raises Refused."""
    from ministack.services import stepfunctions

    alias = ""
    if (aliased := stepfunctions._state_machine_aliases.get(arn)) is not None:
        routes = aliased["routingConfiguration"]
        alias = arn
        arn = random.choices(routes, [route["weight"] for route in routes])[0]["stateMachineVersionArn"]
    version = stepfunctions._state_machine_versions.get(arn)
    base = stepfunctions._state_machines.get(version["stateMachineArn"] if version else arn)
    if base is None:
        raise Refused("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    found = version or base
    return Machine(
        arn=base["stateMachineArn"],
        name=base["name"],
        source=found["definition"],
        definition=json.loads(found["definition"]),
        express=base["type"] == "EXPRESS",
        role=found["roleArn"],
        version=arn if version else "",
        alias=alias,
        logging=found.get("loggingConfiguration") or {},
    )
