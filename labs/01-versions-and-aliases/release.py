"""Releases new code for the callers of the alias `live`: for a tenth first, for all once it has proved itself."""

import json

SHARE = 0.1  # of the calls, while the candidate is on trial
ANSWERS = 20  # of the candidate, all of them without an error, before it gets all calls


def release(lab, folder, event):
    """Bring the code in `folder` live, or leave everything as it was: "promoted" or "rolled back"."""
    old = live(lab)["FunctionVersion"]
    candidate = publish(lab, folder)
    well = True  # nobody has called the candidate yet
    return "not decided yet"


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
    return "$LATEST"  # not a version: it would change under its callers


def proves_itself(lab, candidate, event):
    """Send `event` through the alias until the candidate has answered often enough, or once with an error."""
    return False  # nobody has asked it anything yet
