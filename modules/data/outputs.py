"""What other tiers may use of the databases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from modules.outputs import Outputs, keyed_by
from modules.spec import Environment


def replicas(environment: Environment) -> Iterable[str]:
    """The names of the read replicas of PostgreSQL."""
    return environment.data.postgres.replica_names


def redis_nodes(environment: Environment) -> Iterable[str]:
    """The names of the nodes of a group of Redis."""
    return environment.data.redis.node_names


def broker_nodes(environment: Environment) -> Iterable[str]:
    """The names of the nodes of the broker's own group, if it has one."""
    return environment.data.redis.node_names if environment.data.redis.separate_broker else ()


def documentdb_instances(environment: Environment) -> Iterable[str]:
    """The names of the instances of DocumentDB."""
    return environment.data.documentdb.instance_names


@dataclass(frozen=True)
class DataOutputs(Outputs, tier="data"):
    """Addresses, and where the secrets are; never a secret."""

    postgres_endpoint: Annotated[str, "Host name of PostgreSQL, for reading and writing"]
    postgres_port: Annotated[str, "Port of PostgreSQL and its replicas"]
    postgres_reader_endpoints: Annotated[
        dict[str, str], "Host names of the read replicas of PostgreSQL, by name", keyed_by(replicas)
    ]
    postgres_reader_hosts: Annotated[str, "The same host names, with commas between them"]
    postgres_database: Annotated[str, "Name of the first database of PostgreSQL"]
    postgres_username: Annotated[str, "Master user of PostgreSQL"]
    postgres_secret_arn: Annotated[str, "Secret that holds the password of the master user, and nothing else"]
    postgres_identifier: Annotated[str, "Identifier of the primary, as metrics name it"]
    postgres_replica_identifiers: Annotated[
        dict[str, str], "Identifiers of the replicas, as metrics name them, by name", keyed_by(replicas)
    ]
    postgres_resource_id: Annotated[str, "Resource ID of the primary, for authentication by IAM"]
    postgres_storage_gb: Annotated[str, "Storage that the spec asks for, in GiB; AWS may have let it grow"]
    asked: Annotated[str, "JSON: what the spec asked for at the last apply and AWS may do in a window"]
    postgres_arn: Annotated[str, "ARN of the primary"]
    postgres_key_arn: Annotated[str, "Key that encrypts PostgreSQL"]

    redis_primary_endpoint: Annotated[str, "Host name of Redis, for reading and writing"]
    redis_reader_endpoint: Annotated[str, "Host name of the replicas of Redis"]
    redis_port: Annotated[str, "Port of Redis"]
    redis_replication_group_id: Annotated[str, "ID of the group of Redis, as metrics name it"]
    redis_replication_group_arn: Annotated[str, "ARN of the group of Redis, for elasticache:Connect"]
    redis_node_ids: Annotated[
        dict[str, str], "IDs of the nodes of Redis, as metrics name them, by name", keyed_by(redis_nodes)
    ]
    redis_broker_node_ids: Annotated[
        dict[str, str], "IDs of the nodes of the broker's own group, by name", keyed_by(broker_nodes)
    ]
    redis_user_name: Annotated[str, "User of Redis for the systems, whom IAM authenticates"]
    redis_user_arn: Annotated[str, "ARN of that user, for elasticache:Connect"]
    redis_broker_primary_endpoint: Annotated[str, "Host name of the broker; of Redis unless it is separate"]
    redis_broker_replication_group_id: Annotated[str, "ID of the broker's group; of Redis's unless separate"]
    redis_broker_replication_group_arn: Annotated[
        str, "ARN of the broker's group; of Redis's unless separate"
    ]

    documentdb_endpoint: Annotated[str, "Host name of DocumentDB, for reading and writing"]
    documentdb_reader_endpoint: Annotated[str, "Host name of the readers of DocumentDB"]
    documentdb_port: Annotated[str, "Port of DocumentDB"]
    documentdb_username: Annotated[str, "Master user of DocumentDB"]
    documentdb_secret_arn: Annotated[
        str, "Secret that holds the password of the master user of DocumentDB, and nothing else"
    ]
    documentdb_cluster_identifier: Annotated[str, "Identifier of DocumentDB, as metrics name it"]
    documentdb_instance_identifiers: Annotated[
        dict[str, str],
        "Identifiers of the instances of DocumentDB, as metrics name them, by name",
        keyed_by(documentdb_instances),
    ]
    documentdb_arn: Annotated[str, "ARN of the cluster of DocumentDB"]

    secrets_key_arn: Annotated[str, "Key that encrypts the secrets of this environment"]
