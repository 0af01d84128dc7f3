"""Releases new code for the callers of the alias `live`: for a tenth first, for all once it has proved itself."""

import json

SHARE = 0.1  # of the calls, while the candidate is on trial
ANSWERS = 20  # of the candidate, all of them without an error, before it gets all calls


def release(lab, folder, event):
    """Bring the code in `folder` live, or leave everything as it was: "promoted" or "rolled back"."""
    old = live(lab)["FunctionVersion"]
    candidate = publish(lab, folder)
    # kata: task canary
    route(lab, old, {candidate: SHARE})
    well = proves_itself(lab, candidate, event)
    # kata: starter
    # well = True  # nobody has called the candidate yet
    # kata: end
    # kata: task decide
    if well:
        route(lab, candidate, {})
        return "promoted"
    route(lab, old, {})
    return "rolled back"
    # kata: starter
    # return "not decided yet"
    # kata: end


def live(lab):
    """The alias as it is: FunctionVersion, and RoutingConfig while a second version gets a share."""
    return lab.client("lambda").get_alias(FunctionName=lab.outputs["FunctionName"], Name="live")


def route(lab, version, weights):
    """Point `live` at `version`; `weights` gives another version its share, or {} nobody."""
    lab.client("lambda").update_alias(
        FunctionName=lab.outputs["FunctionName"],
        Name="live",
        FunctionVersion=version,
        RoutingConfig={"AdditionalVersionWeights": weights},
    )


def publish(lab, folder):
    """Upload the code in `folder` and publish it together with the function's settings; the version's number."""
    functions = lab.client("lambda")
    name = lab.outputs["FunctionName"]
    functions.update_function_code(FunctionName=name, ZipFile=lab.package(folder))
    # kata: task configure
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    return functions.publish_version(FunctionName=name)["Version"]
    # kata: starter
    # return "$LATEST"  # not a version: it would change under its callers
    # kata: end


def proves_itself(lab, candidate, event):
    """Send `event` through the alias until the candidate has answered often enough, or once with an error."""
    # kata: task canary
    functions = lab.client("lambda")
    answers = 0
    while answers < ANSWERS:
        reply = functions.invoke(FunctionName=lab.outputs["AliasArn"], Payload=json.dumps(event))
        reply["Payload"].read()
        if reply["ExecutedVersion"] == candidate:
            if "FunctionError" in reply:
                return False
            answers += 1
    return True
    # kata: starter
    # return False  # nobody has asked it anything yet
    # kata: end
