"""A service calls a function: whether the function's policy lets it, and what came of the call.

AWS documents that a service needs a permission in the function's resource-based policy, which may name the calling
resource as `aws:SourceArn`: https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html. MiniStack
keeps the policy and does not look at it when one of its services calls a function.
"""

from __future__ import annotations

from dataclasses import dataclass


class NotCalled(Exception):
    """The function was not called; `code` is Lambda's error code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Called:
    """The JSON `value` that the function returned, or the `error` that it failed with."""

    value: object
    error: dict | None = None

    @property
    def message(self) -> str:
        """What the function's exception says."""
        return str((self.error or {}).get("errorMessage", ""))


def call(function_arn: str, event: dict, *, service: str, source_arn: str) -> Called:
    """Call a function of the request's account for `service`, and wait. Raises NotCalled."""
    from ministack.services import lambda_svc

    function, config, name = lambda_svc._get_func_record_for_ref(function_arn)
    if function is None or config is None:
        raise NotCalled("ResourceNotFoundException")
    if not allowed(lambda_svc._functions[name].get("policy"), function_arn, service, source_arn):
        raise NotCalled("AccessDeniedException")
    record = lambda_svc._execution_record_for_config(function, config)
    result = lambda_svc._execute_function_with_config_scope(record, event)
    if result.get("error"):
        body = result.get("body")
        return Called(None, body if isinstance(body, dict) else {"errorMessage": str(body)})
    return Called(result.get("body"))


def allowed(policy: dict | None, function_arn: str, service: str, source_arn: str) -> bool:
    """Whether a function's policy lets `service` call it on behalf of the resource `source_arn`."""
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
    from ministack.core.responses import get_account_id, get_region

    context = EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=get_account_id(),
        action="lambda:InvokeFunction",
        resource_arn=function_arn,
        region=get_region(),
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": get_account_id()},
    )
    return evaluate_resource_policy(policy, context, service=service).decision == "Allow"
