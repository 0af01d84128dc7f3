"""What a function's execution role may do, for what Lambda does on the function's behalf.

AWS documents that a mapping reads its source and writes to its destination with the permissions of the function's
execution role (https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html).
"""

from __future__ import annotations


def missing(role_arn: str, actions: tuple[str, ...], resource_arn: str) -> list[str]:
    """Those of `actions` on a resource that the role's policies do not allow, the resource's own policy included."""
    return [action for action in actions if not _allowed(role_arn, action, resource_arn)]


def _allowed(role_arn: str, action: str, resource_arn: str) -> bool:
    from ministack.core import iam_evaluator

    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/mapping",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource_arn,
        region=resource_arn.split(":")[3],
    )
    found = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(name, account))
    policy = iam_evaluator._resource_policy(action.partition(":")[0], resource_arn)
    if policy is not None:
        found = iam_evaluator.combine_resource_policy(found, context, *policy)
    return found.decision == "Allow"
