"""What AWS documents and MiniStack does not do: one module each, switched on by name."""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from cloudkata.engine.context import Context

# In the order in which they register; each says in its docstring what it needs of the others.
ALL = (
    "aws_clock",
    "function_environments",
    "function_states",
    "asynchronous_invocations",
    "alias_routing",
    "version_code",
    "provisioned_concurrency",
    "argument_limits",
    "layers",
    "custom_resources",
    "stack_resources",
    "rest_deployments",
    "http_api_deployments",
    "http_api_payloads",
    "authorizer_caches",
    "token_authorizers",
    "api_permissions",
    "mapping_templates",
    "edge_origins",
    "edge_cache",
    "edge_stores",
    "edge_functions",
    "edge_lambdas",
    "edge_associations",
    "state_machine_definitions",
    "state_machine_executions",
    "pending_work",
    "mapping_states",
    "stream_arguments",
    "stream_mappings",
    "kinesis_resharding",
    "kinesis_limits",
    "client_flows",
    "queue_mappings",
    "message_moves",
    "cognito_triggers",
    "cognito_tokens",
    "cognito_messages",
    "refresh_rotation",
    "identity_pools",
    "policy_variables",
    "role_passing",
    "call_permissions",
)


def install(context: Context, wanted: Iterable[str] | None) -> list[str]:
    """Register the behaviours named, or all. Returns their names. Raises ValueError for an unknown one."""
    names = list(ALL if wanted is None else wanted)
    for name in names:
        if name not in ALL:
            raise ValueError(f"there is no behaviour {name}; known are {', '.join(ALL)}")
        importlib.import_module(f"{__name__}.{name}").register(context)
    return names
