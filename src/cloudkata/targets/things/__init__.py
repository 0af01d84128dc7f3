"""All that an attempt may leave in an account: the one table that every sweep reads."""

from __future__ import annotations

from cloudkata.targets.things import apis, data, edge, functions, logs, messages, people, secrets, workflows
from cloudkata.targets.things.thing import Listing, Pending, Thing, gone, items

__all__ = ["TABLE", "Listing", "Pending", "Thing", "gone", "items"]

# What calls others goes before what is called; then roles, and last the logs that all of them write.
TABLE: tuple[Listing, ...] = (
    workflows.STACKS,
    functions.MAPPINGS,
    workflows.RULES,
    workflows.BUSES,
    workflows.SCHEDULES,
    edge.DISTRIBUTIONS,
    edge.EDGE_FUNCTIONS,
    edge.STORES,
    edge.ACCESS_CONTROLS,
    edge.CACHE_POLICIES,
    edge.REQUEST_POLICIES,
    edge.HEADERS_POLICIES,
    workflows.MACHINES,
    workflows.ACTIVITIES,
    apis.PLANS,
    apis.REST_APIS,
    apis.API_KEYS,
    apis.HTTP_APIS,
    functions.FUNCTIONS,
    functions.LAYERS,
    functions.INTERFACES,
    messages.QUEUES,
    messages.TOPICS,
    messages.STREAMS,
    data.TABLES,
    data.BACKUPS,
    data.BUCKETS,
    people.USER_POOLS,
    people.IDENTITY_POOLS,
    secrets.KEYS,
    secrets.ALIASES,
    secrets.SECRETS,
    secrets.PARAMETERS,
    logs.ALARMS,
    people.USERS,
    people.ROLES,
    people.POLICIES,
    logs.LOG_GROUPS,
)
