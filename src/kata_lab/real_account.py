"""What a client does on a real account, so that code is the same there as on an emulator.

- Roles are made with the permissions boundary that the account asks for; without it IAM refuses to make them.
- "It can take several seconds until a new role can be assumed everywhere"
  (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency):
  an operation that is refused for a role that was just made is tried again.
"""

import re
import time

# What services say of a role that they do not know yet, or not with all its policies.
_NOT_YET = re.compile(
    r"cannot be assumed|must be assumable|role.{0,200}does not have (sufficient )?permissions?"
    r"|is (not )?authorized to assume|not authorized to access the Log Destination|trust relationship",
    re.IGNORECASE | re.DOTALL,
)
_CODES = re.compile(r"InvalidParameter|ValidationE|AccessDeniedException|InvalidLambdaFunctionAssociation")
_PAUSE_SECONDS = 1.0


def adapt(client, boundary: str, roles_within: float) -> None:
    """`boundary`: an ARN, or ""; `roles_within`: how many seconds a new role may take to be known, 0 for none."""
    service = client.meta.service_model.service_name
    if boundary and service == "iam":
        client.meta.events.register("provide-client-params.iam.CreateRole", _with(boundary))
    if roles_within and service != "iam":
        client.meta.events.register(
            f"needs-retry.{client.meta.service_model.service_id.hyphenize()}", _patient(roles_within)
        )


def _with(boundary: str):
    def bound(params, **_):
        return {"PermissionsBoundary": boundary, **params}

    return bound


def _patient(seconds: float):
    def wait(response, request_dict, **_):
        if response is None:
            return None
        error = response[1].get("Error", {})
        if not (_CODES.search(error.get("Code", "")) and _NOT_YET.search(error.get("Message", ""))):
            return None
        began = request_dict["context"].setdefault("kata_began", time.monotonic())
        return _PAUSE_SECONDS if time.monotonic() - began < seconds else None

    return wait
