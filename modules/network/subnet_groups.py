"""Subnet groups: where each kind of database may place its instances. All are the database subnets."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.db_subnet_group import DbSubnetGroup
from cdktf_cdktf_provider_aws.docdb_subnet_group import DocdbSubnetGroup
from cdktf_cdktf_provider_aws.elasticache_subnet_group import ElasticacheSubnetGroup

from modules.network.subnets import Subnets
from modules.stack import Stack


@dataclass(frozen=True)
class SubnetGroups:
    """Named after what they hold: RDS and DocumentDB keep theirs in one namespace."""

    postgres: DbSubnetGroup
    redis: ElasticacheSubnetGroup
    documentdb: DocdbSubnetGroup


def subnet_groups(stack: Stack, subnets: Subnets) -> SubnetGroups:
    """One for each service, in every zone of the spec."""
    database = [subnet.id for subnet in subnets.database.values()]
    return SubnetGroups(
        postgres=stack.add(
            DbSubnetGroup,
            "postgres",
            name=stack.names.of("subnet_group", "postgres"),
            description="Database subnets, for PostgreSQL",
            subnet_ids=database,
            lifecycle=stack.guarded,
            tags=stack.tags("postgres"),
        ),
        redis=stack.add(
            ElasticacheSubnetGroup,
            "redis",
            name=stack.names.of("subnet_group", "redis"),
            description="Database subnets, for Redis",
            subnet_ids=database,
            lifecycle=stack.guarded,
            tags=stack.tags("redis"),
        ),
        documentdb=stack.add(
            DocdbSubnetGroup,
            "documentdb",
            name=stack.names.of("subnet_group", "documentdb"),
            description="Database subnets, for DocumentDB",
            subnet_ids=database,
            lifecycle=stack.guarded,
            tags=stack.tags("documentdb"),
        ),
    )
