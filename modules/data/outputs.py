"""Outputs of the data tier: databases, and volumes of systems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from modules.systems.volume_spec import volumes
from tierra.terraform.outputs import LEFT_OUT, Outputs, has, has_volumes, keyed_by

if TYPE_CHECKING:
    from modules.spec import Environment


def replicas(environment: Environment) -> Iterable[str]:
    """The names of the read replicas of PostgreSQL."""
    return environment.data.postgres.replica_names if environment.data.postgres else ()


def redis_nodes(environment: Environment) -> Iterable[str]:
    """The names of the nodes of the Redis replication group."""
    return environment.data.redis.node_names if environment.data.redis else ()


def broker_nodes(environment: Environment) -> Iterable[str]:
    """The names of the nodes of the broker's replication group, if it is separate."""
    redis = environment.data.redis
    return redis.node_names if redis and redis.separate_broker else ()


def documentdb_instances(environment: Environment) -> Iterable[str]:
    """The names of the instances of DocumentDB."""
    return environment.data.documentdb.instance_names if environment.data.documentdb else ()


def volume_names(environment: Environment) -> Iterable[str]:
    """`<system>_<volume>` of every volume."""
    return volumes(environment.systems)


POSTGRES, REDIS, DOCUMENTDB = has("postgres"), has("redis"), has("documentdb")

# TCP ports of the databases, by need: the only place that states them.
PORTS = {"postgres": 5432, "redis": 6379, "documentdb": 27017}


@dataclass(frozen=True, kw_only=True)
class DataOutputs(Outputs, tier="data"):
    """Endpoints, and ARNs of secrets; never a secret value. A database that is off has no outputs."""

    postgres_endpoint: Annotated[
        str, "Host name of the PostgreSQL primary, for reads and writes", POSTGRES
    ] = LEFT_OUT
    postgres_port: Annotated[str, "Port of PostgreSQL, of the primary and its replicas", POSTGRES] = LEFT_OUT
    postgres_reader_endpoints: Annotated[
        dict[str, str],
        "Host names of the PostgreSQL read replicas, by replica name",
        keyed_by(replicas),
        POSTGRES,
    ] = field(default_factory=dict)
    postgres_reader_hosts: Annotated[
        str, "Host names of the PostgreSQL read replicas, separated by commas", POSTGRES
    ] = LEFT_OUT
    postgres_database: Annotated[str, "Name of the initial PostgreSQL database", POSTGRES] = LEFT_OUT
    postgres_username: Annotated[str, "Name of the PostgreSQL master user", POSTGRES] = LEFT_OUT
    postgres_secret_arn: Annotated[
        str, "ARN of the secret that contains only the password of the PostgreSQL master user", POSTGRES
    ] = LEFT_OUT
    postgres_identifier: Annotated[
        str, "Identifier of the PostgreSQL primary, the DBInstanceIdentifier of its metrics", POSTGRES
    ] = LEFT_OUT
    postgres_replica_identifiers: Annotated[
        dict[str, str],
        "Identifiers of the PostgreSQL read replicas, by replica name",
        keyed_by(replicas),
        POSTGRES,
    ] = field(default_factory=dict)
    postgres_resource_id: Annotated[
        str, "Resource ID of the PostgreSQL primary, for IAM database authentication", POSTGRES
    ] = LEFT_OUT
    postgres_storage_gb: Annotated[
        str,
        "Allocated storage in GiB according to the spec; storage autoscaling may have increased it",
        POSTGRES,
    ] = LEFT_OUT
    asked: Annotated[str, "JSON of the settings at the last apply that AWS may apply in a maintenance window"]
    postgres_arn: Annotated[str, "ARN of the PostgreSQL primary", POSTGRES] = LEFT_OUT
    postgres_key_arn: Annotated[str, "ARN of the KMS key that encrypts PostgreSQL", POSTGRES] = LEFT_OUT

    redis_primary_endpoint: Annotated[str, "Primary endpoint of Redis, for reads and writes", REDIS] = (
        LEFT_OUT
    )
    redis_reader_endpoint: Annotated[str, "Reader endpoint of Redis", REDIS] = LEFT_OUT
    redis_port: Annotated[str, "Port of Redis", REDIS] = LEFT_OUT
    redis_replication_group_id: Annotated[str, "ID of the Redis replication group", REDIS] = LEFT_OUT
    redis_replication_group_arn: Annotated[
        str, "ARN of the Redis replication group, for elasticache:Connect", REDIS
    ] = LEFT_OUT
    redis_node_ids: Annotated[
        dict[str, str],
        "IDs of the Redis nodes, the CacheClusterId of their metrics, by node name",
        keyed_by(redis_nodes),
        REDIS,
    ] = field(default_factory=dict)
    redis_broker_node_ids: Annotated[
        dict[str, str], "IDs of the nodes of the separate broker, by node name", keyed_by(broker_nodes), REDIS
    ] = field(default_factory=dict)
    redis_user_name: Annotated[
        str, "Name of the Redis user of the systems, which authenticates with IAM", REDIS
    ] = LEFT_OUT
    redis_user_arn: Annotated[str, "ARN of the Redis user of the systems, for elasticache:Connect", REDIS] = (
        LEFT_OUT
    )
    redis_broker_primary_endpoint: Annotated[
        str, "Primary endpoint of the broker; that of Redis if the broker is not separate", REDIS
    ] = LEFT_OUT
    redis_broker_replication_group_id: Annotated[
        str, "ID of the broker's replication group; that of Redis if the broker is not separate", REDIS
    ] = LEFT_OUT
    redis_broker_replication_group_arn: Annotated[
        str, "ARN of the broker's replication group; that of Redis if the broker is not separate", REDIS
    ] = LEFT_OUT

    documentdb_endpoint: Annotated[
        str, "Cluster endpoint of DocumentDB, for reads and writes", DOCUMENTDB
    ] = LEFT_OUT
    documentdb_reader_endpoint: Annotated[str, "Reader endpoint of DocumentDB", DOCUMENTDB] = LEFT_OUT
    documentdb_port: Annotated[str, "Port of DocumentDB", DOCUMENTDB] = LEFT_OUT
    documentdb_username: Annotated[str, "Name of the DocumentDB master user", DOCUMENTDB] = LEFT_OUT
    documentdb_secret_arn: Annotated[
        str, "ARN of the secret that contains only the password of the DocumentDB master user", DOCUMENTDB
    ] = LEFT_OUT
    documentdb_cluster_identifier: Annotated[str, "Identifier of the DocumentDB cluster", DOCUMENTDB] = (
        LEFT_OUT
    )
    documentdb_instance_identifiers: Annotated[
        dict[str, str],
        "Identifiers of the DocumentDB instances, by instance name",
        keyed_by(documentdb_instances),
        DOCUMENTDB,
    ] = field(default_factory=dict)
    documentdb_arn: Annotated[str, "ARN of the DocumentDB cluster", DOCUMENTDB] = LEFT_OUT

    volume_ids: Annotated[
        dict[str, str],
        "IDs of the EFS file systems of volumes, by system and volume",
        keyed_by(volume_names),
        has_volumes,
    ] = field(default_factory=dict)
    volume_handles: Annotated[
        dict[str, str],
        "EFS CSI volume handles of volumes, by system and volume; known once every zone has a mount target",
        keyed_by(volume_names),
        has_volumes,
    ] = field(default_factory=dict)

    secrets_key_arn: Annotated[str, "ARN of the KMS key that encrypts secrets in Secrets Manager"]
