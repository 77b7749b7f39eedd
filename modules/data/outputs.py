"""Outputs of the databases, and of the volumes of systems, for other tiers."""

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
    """The names of the nodes of a group of Redis."""
    return environment.data.redis.node_names if environment.data.redis else ()


def broker_nodes(environment: Environment) -> Iterable[str]:
    """The names of the nodes of the broker's own group, if it has one."""
    redis = environment.data.redis
    return redis.node_names if redis and redis.separate_broker else ()


def documentdb_instances(environment: Environment) -> Iterable[str]:
    """The names of the instances of DocumentDB."""
    return environment.data.documentdb.instance_names if environment.data.documentdb else ()


def volume_names(environment: Environment) -> Iterable[str]:
    """`<system>_<volume>` of every volume."""
    return volumes(environment.systems)


POSTGRES, REDIS, DOCUMENTDB = has("postgres"), has("redis"), has("documentdb")

# TCP ports of the databases, by need. What opens, uses or blocks one takes it from here.
PORTS = {"postgres": 5432, "redis": 6379, "documentdb": 27017}


@dataclass(frozen=True, kw_only=True)
class DataOutputs(Outputs, tier="data"):
    """Addresses, and where the secrets are; never a secret. Those of a database that is off are left out."""

    postgres_endpoint: Annotated[str, "Host name of PostgreSQL, for reading and writing", POSTGRES] = LEFT_OUT
    postgres_port: Annotated[str, "Port of PostgreSQL and its replicas", POSTGRES] = LEFT_OUT
    postgres_reader_endpoints: Annotated[
        dict[str, str], "Host names of the read replicas of PostgreSQL, by name", keyed_by(replicas), POSTGRES
    ] = field(default_factory=dict)
    postgres_reader_hosts: Annotated[str, "The same host names, with commas between them", POSTGRES] = (
        LEFT_OUT
    )
    postgres_database: Annotated[str, "Name of the first database of PostgreSQL", POSTGRES] = LEFT_OUT
    postgres_username: Annotated[str, "Master user of PostgreSQL", POSTGRES] = LEFT_OUT
    postgres_secret_arn: Annotated[
        str, "Secret that holds the password of the master user, and nothing else", POSTGRES
    ] = LEFT_OUT
    postgres_identifier: Annotated[str, "Identifier of the primary, as metrics name it", POSTGRES] = LEFT_OUT
    postgres_replica_identifiers: Annotated[
        dict[str, str],
        "Identifiers of the replicas, as metrics name them, by name",
        keyed_by(replicas),
        POSTGRES,
    ] = field(default_factory=dict)
    postgres_resource_id: Annotated[
        str, "Resource ID of the primary, for authentication by IAM", POSTGRES
    ] = LEFT_OUT
    postgres_storage_gb: Annotated[
        str, "Storage that the spec asks for, in GiB; AWS may have let it grow", POSTGRES
    ] = LEFT_OUT
    asked: Annotated[str, "JSON: what the spec asked for at the last apply and AWS may do in a window"]
    postgres_arn: Annotated[str, "ARN of the primary", POSTGRES] = LEFT_OUT
    postgres_key_arn: Annotated[str, "Key that encrypts PostgreSQL", POSTGRES] = LEFT_OUT

    redis_primary_endpoint: Annotated[str, "Host name of Redis, for reading and writing", REDIS] = LEFT_OUT
    redis_reader_endpoint: Annotated[str, "Host name of the replicas of Redis", REDIS] = LEFT_OUT
    redis_port: Annotated[str, "Port of Redis", REDIS] = LEFT_OUT
    redis_replication_group_id: Annotated[str, "ID of the group of Redis, as metrics name it", REDIS] = (
        LEFT_OUT
    )
    redis_replication_group_arn: Annotated[
        str, "ARN of the group of Redis, for elasticache:Connect", REDIS
    ] = LEFT_OUT
    redis_node_ids: Annotated[
        dict[str, str],
        "IDs of the nodes of Redis, as metrics name them, by name",
        keyed_by(redis_nodes),
        REDIS,
    ] = field(default_factory=dict)
    redis_broker_node_ids: Annotated[
        dict[str, str], "IDs of the nodes of the broker's own group, by name", keyed_by(broker_nodes), REDIS
    ] = field(default_factory=dict)
    redis_user_name: Annotated[str, "User of Redis for the systems, whom IAM authenticates", REDIS] = LEFT_OUT
    redis_user_arn: Annotated[str, "ARN of that user, for elasticache:Connect", REDIS] = LEFT_OUT
    redis_broker_primary_endpoint: Annotated[
        str, "Host name of the broker; of Redis unless it is separate", REDIS
    ] = LEFT_OUT
    redis_broker_replication_group_id: Annotated[
        str, "ID of the broker's group; of Redis's unless separate", REDIS
    ] = LEFT_OUT
    redis_broker_replication_group_arn: Annotated[
        str, "ARN of the broker's group; of Redis's unless separate", REDIS
    ] = LEFT_OUT

    documentdb_endpoint: Annotated[str, "Host name of DocumentDB, for reading and writing", DOCUMENTDB] = (
        LEFT_OUT
    )
    documentdb_reader_endpoint: Annotated[str, "Host name of the readers of DocumentDB", DOCUMENTDB] = (
        LEFT_OUT
    )
    documentdb_port: Annotated[str, "Port of DocumentDB", DOCUMENTDB] = LEFT_OUT
    documentdb_username: Annotated[str, "Master user of DocumentDB", DOCUMENTDB] = LEFT_OUT
    documentdb_secret_arn: Annotated[
        str, "Secret that holds the password of the master user of DocumentDB, and nothing else", DOCUMENTDB
    ] = LEFT_OUT
    documentdb_cluster_identifier: Annotated[
        str, "Identifier of DocumentDB, as metrics name it", DOCUMENTDB
    ] = LEFT_OUT
    documentdb_instance_identifiers: Annotated[
        dict[str, str],
        "Identifiers of the instances of DocumentDB, as metrics name them, by name",
        keyed_by(documentdb_instances),
        DOCUMENTDB,
    ] = field(default_factory=dict)
    documentdb_arn: Annotated[str, "ARN of the cluster of DocumentDB", DOCUMENTDB] = LEFT_OUT

    volume_ids: Annotated[
        dict[str, str],
        "File systems of the volumes of systems, as metrics name them, by system and volume",
        keyed_by(volume_names),
        has_volumes,
    ] = field(default_factory=dict)
    volume_handles: Annotated[
        dict[str, str],
        "What the CSI driver mounts them by, once they can be mounted in every zone",
        keyed_by(volume_names),
        has_volumes,
    ] = field(default_factory=dict)

    secrets_key_arn: Annotated[str, "Key that encrypts the secrets of this environment"]
