"""What is in a network, a subnet or a subnet group: databases, the cluster, the load balancer, by name.

They are in other tiers than the network, so the plan of one tier does not show them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tierra.plans.changes import PLAN, read_plan

DATABASES = ("aws_db_instance", "aws_docdb_cluster", "aws_elasticache_replication_group")
# The noun of each type, and the argument with its name.
NAMES: Mapping[str, tuple[str, str]] = {
    "aws_db_instance": ("PostgreSQL", "identifier"),
    "aws_docdb_cluster": ("DocumentDB", "cluster_identifier"),
    "aws_eks_cluster": ("the cluster", "name"),
    "aws_elasticache_replication_group": ("Redis", "replication_group_id"),
    "aws_lb": ("the load balancer", "name"),
}
SUBNET = "aws_subnet"
# Types with one resource per zone, by the tag of the subnet.
SUBNETS: Mapping[str, tuple[str, ...]] = {
    "database": DATABASES,
    "private": ("aws_eks_cluster",),
}
# Types that contain others. Source: botocore, ec2 DeleteVpc and DeleteSubnet, rds and docdb
# DeleteDBSubnetGroup, elasticache DeleteCacheSubnetGroup: AWS deletes none of them before its contents.
CONTENTS: Mapping[str, tuple[str, ...]] = {
    "aws_db_subnet_group": ("aws_db_instance",),
    "aws_docdb_subnet_group": ("aws_docdb_cluster",),
    "aws_elasticache_subnet_group": ("aws_elasticache_replication_group",),
    SUBNET: (),  # by its tag
    "aws_vpc": tuple(NAMES),
}


class Tenant(NamedTuple):
    """A resource in a network: its Terraform type and its name in AWS."""

    type: str
    name: str


def tenants(folder: Path) -> list[Tenant]:
    """The resources in the network of an environment, by its output folder: the existing ones in the plan of
    their tier; without a plan, the configured ones."""
    result = []
    for generated in sorted(folder.glob("stacks/*/cdk.tf.json")):
        plan = _plan(generated.parent)
        for kind, values in _planned(plan) if plan else _configured(read_plan(generated)):
            name = values.get(NAMES[kind][1]) if kind in NAMES else None
            if isinstance(name, str) and not values.get("replicate_source_db"):
                result.append(Tenant(kind, name))
    return result


def inside(terraform_type: str, values: Mapping[str, Any], known: Iterable[Tenant]) -> str:
    """What is lost with a VPC, a subnet or a subnet group; empty for other types, and for a subnet without
    data. It is unknown which of several subnets a database uses."""
    if terraform_type not in CONTENTS:
        return ""
    zonal = terraform_type == SUBNET
    kind = str((values.get("tags") or {}).get("Subnet"))
    kinds = SUBNETS.get(kind, ()) if zonal else CONTENTS[terraform_type]
    names = sorted(f"{NAMES[tenant.type][0]} {tenant.name}" for tenant in known if tenant.type in kinds)
    if not names:
        return "AWS deletes it only when it is empty" if kinds else ""
    *others, last = names
    named = f"{', '.join(others)} and {last}" if others else last
    if zonal:
        return f"parts of {named} may be in it; AWS deletes it only after they are deleted"
    return f"{named} {'are' if others else 'is'} in it; AWS deletes it only after they are deleted"


def _plan(stack: Path) -> dict[str, Any]:
    """The plan of a tier; empty while it is being written."""
    try:
        return read_plan(stack / PLAN)
    except ValueError:
        return {}


def _planned(plan: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    state = plan.get("prior_state", {}).get("values", {}).get("root_module", {})
    for resource in state.get("resources", []):
        yield resource["type"], resource["values"]


def _configured(configuration: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for kind, resources in configuration.get("resource", {}).items():
        for values in resources.values():
            yield kind, values
