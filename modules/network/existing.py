"""An existing network of the company: looked up by its IDs, and neither changed nor destroyed.

The data sources state more than the ID, so that AWS finds nothing if the network differs from the spec.
"""

from __future__ import annotations

from cdktf import Postcondition, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.data_aws_subnet import DataAwsSubnet
from cdktf_cdktf_provider_aws.data_aws_vpc import DataAwsVpc, DataAwsVpcFilter

from modules.network.existing_spec import Existing
from modules.network.subnets import Subnets
from modules.network.subnets_spec import Kind
from tierra.terraform.stack import Stack


def existing_vpc(stack: Stack, existing: Existing) -> DataAwsVpc:
    """`data.aws_vpc.main`, which must have the range of the spec and DNS resolution, which EKS requires."""
    requirement = "DNS support and DNS hostnames of the VPC must be on, for the private endpoint of EKS"
    return stack.add(
        DataAwsVpc,
        "main",
        id=existing.vpc,
        filter=[
            DataAwsVpcFilter(
                name="cidr-block-association.cidr-block", values=[str(stack.environment.network.cidr)]
            )
        ],
        lifecycle=TerraformResourceLifecycle(
            postcondition=[
                Postcondition(
                    condition="${self.enable_dns_support && self.enable_dns_hostnames}",
                    error_message=f"{existing.vpc}: {requirement}."
                    " Turn them on: aws ec2 modify-vpc-attribute.",
                )
            ]
        ),
    )


def existing_subnets(stack: Stack, existing: Existing) -> Subnets:
    """`data.aws_subnet.private_a` and so on, which must have the VPC, the zone and the range of the spec."""
    return Subnets(
        public=_kind(stack, existing, "public"),
        private=_kind(stack, existing, "private"),
        database=_kind(stack, existing, "database"),
        pods={},
    )


def _kind(stack: Stack, existing: Existing, kind: Kind) -> dict[str, DataAwsSubnet]:
    ranges, environment = getattr(stack.environment.network.layout, kind), stack.environment
    return {
        zone: stack.add(
            DataAwsSubnet,
            f"{kind}_{zone}",
            id=getattr(existing, kind)[zone],
            vpc_id=existing.vpc,
            availability_zone=f"{environment.region}{zone}",
            cidr_block=str(cidr),
        )
        for zone, cidr in ranges.items()
    }
