"""The data tier: databases, each with its key, logs and backups, and the volumes of systems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cdktf import TerraformResource

from modules.data.asked import asked
from modules.data.documentdb import USER as DOCUMENTDB_USER
from modules.data.documentdb import documentdb
from modules.data.keys import keys
from modules.data.outputs import PORTS, DataOutputs
from modules.data.postgres import USER, postgres
from modules.data.redis import node_ids, redis
from modules.data.spec import Data as Settings
from modules.data.volumes import volumes
from modules.network.outputs import NetworkOutputs
from tierra.terraform.stack import Stack


class Data:
    """Fills the stack."""

    def __init__(self, stack: Stack) -> None:
        network, settings = NetworkOutputs.read(stack), stack.environment.data
        self.keys = keys(stack)
        self.postgres = postgres(stack, network, self.keys, settings.postgres) if settings.postgres else None
        self.redis = redis(stack, network, self.keys, settings.redis) if settings.redis else None
        self.documentdb = (
            documentdb(stack, network, self.keys, settings.documentdb) if settings.documentdb else None
        )
        self.volumes = volumes(stack, network)
        DataOutputs(
            **self._of_postgres(settings),
            **self._of_redis(settings),
            **self._of_documentdb(),
            volume_ids={name: volume.file_system.id for name, volume in self.volumes.items()},
            volume_handles={name: volume.handle for name, volume in self.volumes.items()},
            asked=asked(self._waiting()),
            secrets_key_arn=self.keys.secrets.arn,
        ).declare(stack)

    def _waiting(self) -> Iterator[TerraformResource]:
        """Resources that AWS changes in a maintenance window. If the broker is the cache, it is one group."""
        if self.postgres:
            yield from (self.postgres.primary, *self.postgres.replicas.values())
        if self.redis:
            yield from {id(group): group for group in (self.redis.cache, self.redis.broker)}.values()
        if self.documentdb:
            yield from self.documentdb.instances.values()

    def _of_postgres(self, settings: Settings) -> dict[str, Any]:
        if not self.postgres or not settings.postgres:
            return {}
        primary, replicas = self.postgres.primary, self.postgres.replicas
        return {
            "postgres_endpoint": primary.address,
            "postgres_port": str(PORTS["postgres"]),
            "postgres_reader_endpoints": {name: replica.address for name, replica in replicas.items()},
            "postgres_reader_hosts": ",".join(replica.address for replica in replicas.values()),
            "postgres_database": primary.db_name,
            "postgres_username": USER,
            "postgres_secret_arn": self.postgres.secret.arn,
            "postgres_identifier": primary.identifier,
            "postgres_replica_identifiers": {name: replica.identifier for name, replica in replicas.items()},
            "postgres_resource_id": primary.resource_id,
            "postgres_storage_gb": str(settings.postgres.storage_gb),
            "postgres_arn": primary.arn,
            "postgres_key_arn": self.keys.databases["postgres"].arn,
        }

    def _of_redis(self, settings: Settings) -> dict[str, Any]:
        if not self.redis or not settings.redis:
            return {}
        cache, broker, user = self.redis.cache, self.redis.broker, self.redis.users.systems
        return {
            "redis_primary_endpoint": cache.primary_endpoint_address,
            "redis_reader_endpoint": cache.reader_endpoint_address,
            "redis_port": str(PORTS["redis"]),
            "redis_replication_group_id": cache.replication_group_id,
            "redis_replication_group_arn": cache.arn,
            "redis_node_ids": node_ids(settings.redis, cache),
            "redis_broker_node_ids": node_ids(settings.redis, broker) if broker is not cache else {},
            "redis_user_name": user.user_name,
            "redis_user_arn": user.arn,
            "redis_broker_primary_endpoint": broker.primary_endpoint_address,
            "redis_broker_replication_group_id": broker.replication_group_id,
            "redis_broker_replication_group_arn": broker.arn,
        }

    def _of_documentdb(self) -> dict[str, Any]:
        if not self.documentdb:
            return {}
        cluster, instances = self.documentdb.cluster, self.documentdb.instances
        return {
            "documentdb_endpoint": cluster.endpoint,
            "documentdb_reader_endpoint": cluster.reader_endpoint,
            "documentdb_port": str(PORTS["documentdb"]),
            "documentdb_username": DOCUMENTDB_USER,
            "documentdb_secret_arn": self.documentdb.secret.arn,
            "documentdb_cluster_identifier": cluster.cluster_identifier,
            "documentdb_instance_identifiers": {
                name: instance.identifier for name, instance in instances.items()
            },
            "documentdb_arn": cluster.arn,
        }
