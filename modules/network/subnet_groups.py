"""Subnet groups of the databases; each has all database subnets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cdktf_cdktf_provider_aws.db_subnet_group import DbSubnetGroup
from cdktf_cdktf_provider_aws.docdb_subnet_group import DocdbSubnetGroup
from cdktf_cdktf_provider_aws.elasticache_subnet_group import ElasticacheSubnetGroup

from modules.network.subnets import Subnets
from tierra.terraform.stack import Stack


@dataclass(frozen=True)
class SubnetGroups:
    """Named after their engine, because RDS and DocumentDB share a namespace. None for a database that is
    off."""

    postgres: DbSubnetGroup | None
    redis: ElasticacheSubnetGroup | None
    documentdb: DocdbSubnetGroup | None


def subnet_groups(stack: Stack, subnets: Subnets) -> SubnetGroups:
    """One for each database of the spec, in all of its zones."""
    data = stack.environment.data

    def given(role: str, title: str) -> dict[str, Any]:
        return {
            "name": stack.names.of("subnet_group", role),
            "description": f"Database subnets, for {title}",
            "subnet_ids": [subnet.id for subnet in subnets.database.values()],
            "lifecycle": stack.prevent_destroy,
            "tags": stack.tags(role),
        }

    return SubnetGroups(
        postgres=stack.add(DbSubnetGroup, "postgres", **given("postgres", "PostgreSQL"))
        if data.postgres
        else None,
        redis=stack.add(ElasticacheSubnetGroup, "redis", **given("redis", "Redis")) if data.redis else None,
        documentdb=stack.add(DocdbSubnetGroup, "documentdb", **given("documentdb", "DocumentDB"))
        if data.documentdb
        else None,
    )
