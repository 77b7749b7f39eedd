"""Subnets in each zone: public for load balancers and NAT, private for nodes, database, and pod subnets if
pods have their own range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from cdktf_cdktf_provider_aws.data_aws_subnet import DataAwsSubnet
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc
from cdktf_cdktf_provider_aws.vpc_ipv4_cidr_block_association import VpcIpv4CidrBlockAssociation

from tierra.terraform.stack import Stack

# Those of an existing VPC are looked up, not created.
ByZone = Mapping[str, Subnet | DataAwsSubnet]

# The AWS load-balancer controller finds subnets by these tags.
KUBERNETES_ROLE = {
    "public": {"kubernetes.io/role/elb": "1"},
    "private": {"kubernetes.io/role/internal-elb": "1"},
    "database": {},
    "pods": {},
}


@dataclass(frozen=True)
class Subnets:
    """By zone letter. No subnet assigns public addresses on launch."""

    public: ByZone
    private: ByZone
    database: ByZone
    pods: ByZone


def subnets(stack: Stack, vpc: Vpc, block: VpcIpv4CidrBlockAssociation | None) -> Subnets:
    """`aws_subnet.private_a` and so on, at the ranges of the spec's layout."""
    layout = stack.environment.network.layout
    return Subnets(
        public=_kind(stack, vpc, "public", layout.public),
        private=_kind(stack, vpc, "private", layout.private),
        database=_kind(stack, vpc, "database", layout.database),
        pods=_kind(stack, vpc, "pods", layout.pods, block),
    )


def _kind(
    stack: Stack,
    vpc: Vpc,
    kind: str,
    ranges: Mapping[str, IPv4Network],
    block: VpcIpv4CidrBlockAssociation | None = None,
) -> ByZone:
    return {
        zone: stack.add(
            Subnet,
            f"{kind}_{zone}",
            vpc_id=vpc.id,
            availability_zone=f"{stack.environment.region}{zone}",
            cidr_block=str(cidr),
            map_public_ip_on_launch=False,
            depends_on=[block] if block else None,
            lifecycle=stack.prevent_destroy,
            tags=stack.tags(f"{kind}-{zone}", Subnet=kind, **KUBERNETES_ROLE[kind]),
        )
        for zone, cidr in ranges.items()
    }
