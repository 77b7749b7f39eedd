"""The databases: PostgreSQL, Redis and DocumentDB, each with its key, its logs and its backups."""

from __future__ import annotations

from cdktf import TerraformResource

from modules.data.asked import asked
from modules.data.documentdb import PORT as DOCUMENTDB_PORT
from modules.data.documentdb import USER as DOCUMENTDB_USER
from modules.data.documentdb import documentdb
from modules.data.keys import keys
from modules.data.outputs import DataOutputs
from modules.data.postgres import PORT as POSTGRES_PORT
from modules.data.postgres import USER, postgres
from modules.data.redis import PORT as REDIS_PORT
from modules.data.redis import node_ids, redis
from modules.network.outputs import NetworkOutputs
from modules.stack import Stack


class Data:
    """Fills the stack. Each noun is a file of its own, named as it is here."""

    def __init__(self, stack: Stack) -> None:
        network = NetworkOutputs.read(stack)
        self.keys = keys(stack)
        self.postgres = postgres(stack, network, self.keys)
        self.redis = redis(stack, network, self.keys)
        self.documentdb = documentdb(stack, network, self.keys)
        self._outputs(stack).declare(stack)

    @property
    def _waiting(self) -> list[TerraformResource]:
        """What AWS changes in a maintenance window; a broker that is the cache is one group."""
        groups = {id(each): each for each in (self.redis.cache, self.redis.broker)}
        databases = [self.postgres.primary, *self.postgres.replicas.values()]
        return [*databases, *groups.values(), *self.documentdb.instances.values()]

    def _outputs(self, stack: Stack) -> DataOutputs:
        postgres, redis, cluster = self.postgres, self.redis, self.documentdb.cluster
        return DataOutputs(
            postgres_endpoint=postgres.primary.address,
            postgres_port=str(POSTGRES_PORT),
            postgres_reader_endpoints={name: each.address for name, each in postgres.replicas.items()},
            postgres_reader_hosts=",".join(each.address for each in postgres.replicas.values()),
            postgres_database=postgres.primary.db_name,
            postgres_username=USER,
            postgres_secret_arn=postgres.secret.arn,
            postgres_identifier=postgres.primary.identifier,
            postgres_replica_identifiers={name: each.identifier for name, each in postgres.replicas.items()},
            postgres_resource_id=postgres.primary.resource_id,
            postgres_storage_gb=str(stack.environment.data.postgres.storage_gb),
            asked=asked(self._waiting),
            postgres_arn=postgres.primary.arn,
            postgres_key_arn=self.keys.postgres.arn,
            redis_primary_endpoint=redis.cache.primary_endpoint_address,
            redis_reader_endpoint=redis.cache.reader_endpoint_address,
            redis_port=str(REDIS_PORT),
            redis_replication_group_id=redis.cache.replication_group_id,
            redis_replication_group_arn=redis.cache.arn,
            redis_node_ids=node_ids(stack, redis.cache),
            redis_broker_node_ids=node_ids(stack, redis.broker) if redis.broker is not redis.cache else {},
            redis_user_name=redis.users.systems.user_name,
            redis_user_arn=redis.users.systems.arn,
            redis_broker_primary_endpoint=redis.broker.primary_endpoint_address,
            redis_broker_replication_group_id=redis.broker.replication_group_id,
            redis_broker_replication_group_arn=redis.broker.arn,
            documentdb_endpoint=cluster.endpoint,
            documentdb_reader_endpoint=cluster.reader_endpoint,
            documentdb_port=str(DOCUMENTDB_PORT),
            documentdb_username=DOCUMENTDB_USER,
            documentdb_secret_arn=self.documentdb.secret.arn,
            documentdb_cluster_identifier=cluster.cluster_identifier,
            documentdb_instance_identifiers={
                name: each.identifier for name, each in self.documentdb.instances.items()
            },
            documentdb_arn=cluster.arn,
            secrets_key_arn=self.keys.secrets.arn,
        )
