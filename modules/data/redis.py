"""Redis or Valkey: one replication group for cache and broker, or one for each.

maxmemory-policy applies to a whole group. Queues have no expiry, cached values do, so a shared group only
evicts keys with an expiry (volatile-lru): it never drops a queued task, but when queues alone fill it, it
refuses writes. With separate_broker the broker evicts nothing, and the cache may evict any key.
"""

from __future__ import annotations

from dataclasses import dataclass

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.elasticache_parameter_group import (
    ElasticacheParameterGroup,
    ElasticacheParameterGroupParameter,
)
from cdktf_cdktf_provider_aws.elasticache_replication_group import (
    ElasticacheReplicationGroup,
    ElasticacheReplicationGroupLogDeliveryConfiguration,
)

from modules.data.keys import Keys
from modules.data.logs import log_groups
from modules.data.outputs import PORTS
from modules.data.placement import final_snapshot, in_turn
from modules.data.redis_spec import Redis as Settings
from modules.data.redis_users import Users, users
from modules.network.outputs import NetworkOutputs
from tierra.terraform.stack import Stack

LOGS = ["slow-log", "engine-log"]
SHARED_POLICY = "volatile-lru"
CACHE_POLICY = "allkeys-lru"
BROKER_POLICY = "noeviction"
# The same with and without a separate broker: the description of a parameter group cannot be changed, and its
# name is in use until the old group is deleted.
DESCRIPTIONS = {"redis": "Cache, and broker unless that is separate", "broker": "Broker"}
RESERVED_PERCENT = "25"  # percent of the memory, for snapshots and failover


@dataclass(frozen=True)
class Redis:
    """`broker` is the same group as `cache` unless the spec separates them."""

    cache: ElasticacheReplicationGroup
    broker: ElasticacheReplicationGroup
    users: Users


def redis(stack: Stack, network: NetworkOutputs, keys: Keys, settings: Settings) -> Redis:
    """`aws_elasticache_replication_group.redis`, and `.broker` if it is separate."""
    who = users(stack)
    if not settings.separate_broker:
        both = _group(stack, network, keys, settings, who, "redis", SHARED_POLICY)
        return Redis(both, both, who)
    cache = _group(stack, network, keys, settings, who, "redis", CACHE_POLICY)
    return Redis(cache, _group(stack, network, keys, settings, who, "broker", BROKER_POLICY), who)


def node_ids(settings: Settings, group: ElasticacheReplicationGroup) -> dict[str, str]:
    """The IDs of the nodes of a group, by name: ElastiCache appends numbers from 001 to the ID of the
    group."""
    names = enumerate(settings.node_names, 1)
    return {name: f"{group.replication_group_id}-{number:03}" for number, name in names}


def _group(
    stack: Stack,
    network: NetworkOutputs,
    keys: Keys,
    settings: Settings,
    who: Users,
    role: str,
    policy: str,
) -> ElasticacheReplicationGroup:
    groups = log_groups(stack, network, role, stack.names.log_group("elasticache", role), LOGS)
    return stack.add(
        ElasticacheReplicationGroup,
        role,
        replication_group_id=stack.names.of("redis_group", role),
        description=DESCRIPTIONS[role],
        engine=settings.engine,
        engine_version=settings.version,
        node_type=settings.node_type,
        num_cache_clusters=settings.nodes,
        preferred_cache_cluster_azs=in_turn(network, settings.nodes),
        automatic_failover_enabled=settings.nodes > 1,
        multi_az_enabled=settings.nodes > 1,
        parameter_group_name=_parameters(stack, settings, role, policy).name,
        port=PORTS["redis"],
        subnet_group_name=network.elasticache_subnet_group_name,
        security_group_ids=[network.redis_security_group_id],
        at_rest_encryption_enabled="true",
        kms_key_id=keys.databases["redis"].arn,
        transit_encryption_enabled=True,
        transit_encryption_mode="required",
        user_group_ids=[who.group.id],
        snapshot_retention_limit=settings.backup_days,
        snapshot_window=settings.backup_window if settings.backup_days else None,
        final_snapshot_identifier=final_snapshot(stack, role),
        maintenance_window=settings.maintenance_window,
        auto_minor_version_upgrade="true",
        apply_immediately=settings.at_once,
        log_delivery_configuration=[_delivery(log, group) for log, group in groups.items()],
        lifecycle=stack.prevent_destroy,
        tags=stack.tags(role),
    )


def _parameters(stack: Stack, settings: Settings, role: str, policy: str) -> ElasticacheParameterGroup:
    """In the family of the major version, so that an upgrade creates a new group before the old one is
    deleted."""
    family = settings.family
    values = {"maxmemory-policy": policy, "reserved-memory-percent": RESERVED_PERCENT}
    return stack.add(
        ElasticacheParameterGroup,
        role,
        name=stack.names.of("cache_parameter_group", f"{role}-{family}"),
        family=family,
        description=DESCRIPTIONS[role],
        parameter=[
            ElasticacheParameterGroupParameter(name=name, value=value) for name, value in values.items()
        ],
        lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        tags=stack.tags(role),
    )


def _delivery(log: str, group: CloudwatchLogGroup) -> ElasticacheReplicationGroupLogDeliveryConfiguration:
    return ElasticacheReplicationGroupLogDeliveryConfiguration(
        destination=group.name,
        destination_type="cloudwatch-logs",
        log_format="json",
        log_type=log,
    )
