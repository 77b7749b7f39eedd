"""What is in a network, a subnet or a subnet group: databases, the cluster, the load balancer, by name.

They are in other tiers than the network, so the plan of one tier does not show them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tierra.aws.types import known
from tierra.plans.changes import PLAN, read_plan

DATABASES = ("aws_db_instance", "aws_docdb_cluster", "aws_elasticache_replication_group")
SUBNET = "aws_subnet"
# Types with one resource per zone, by the tag of the subnet.
SUBNETS: Mapping[str, tuple[str, ...]] = {
    "database": DATABASES,
    "private": ("aws_eks_cluster",),
}


class Tenant(NamedTuple):
    """A resource in the network: its Terraform type, its name in AWS, and the noun for it in a report."""

    type: str
    name: str
    noun: str


def tenants(folder: Path) -> list[Tenant]:
    """The resources in the network of the environment with this output folder. Those of a tier are read from
    the state in its plan, or without a plan from its configuration."""
    result: list[Tenant] = []
    for generated in sorted(folder.glob("stacks/*/cdk.tf.json")):
        plan = _plan(generated.parent)
        for kind, values in _planned(plan) if plan else _configured(read_plan(generated)):
            tenant = known(kind).tenant
            name = values.get(tenant[1]) if tenant else None
            if tenant and isinstance(name, str) and not values.get("replicate_source_db"):
                result.append(Tenant(kind, name, tenant[0]))
    return result


def inside(terraform_type: str, values: Mapping[str, Any], all_tenants: Iterable[Tenant]) -> str:
    """What is in a VPC, a subnet or a subnet group that is destroyed; empty for other types, and for a subnet
    without data. Which of several subnets a database uses is not known."""
    contents = known(terraform_type).contents
    if contents is None:
        return ""
    zonal = terraform_type == SUBNET
    kind = str((values.get("tags") or {}).get("Subnet"))
    kinds = SUBNETS.get(kind, ()) if zonal else contents
    names = sorted(f"{each.noun} {each.name}" for each in all_tenants if each.type in kinds)
    if not names:
        return "AWS deletes it only when it is empty" if kinds else ""
    *others, last = names
    named = f"{', '.join(others)} and {last}" if others else last
    if zonal:
        return f"parts of {named} may be in it; AWS deletes it only when it is empty"
    return f"{named} {'are' if others else 'is'} in it; AWS deletes it only when it is empty"


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
