"""The VPC, and the three default objects of every VPC, which are adopted and emptied so that nothing can
depend on them."""

from __future__ import annotations

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.data_aws_vpc import DataAwsVpc
from cdktf_cdktf_provider_aws.default_network_acl import DefaultNetworkAcl
from cdktf_cdktf_provider_aws.default_route_table import DefaultRouteTable
from cdktf_cdktf_provider_aws.default_security_group import DefaultSecurityGroup
from cdktf_cdktf_provider_aws.vpc import Vpc
from cdktf_cdktf_provider_aws.vpc_ipv4_cidr_block_association import VpcIpv4CidrBlockAssociation

from tierra.terraform.stack import Stack

ANYWHERE = "0.0.0.0/0"
# An existing VPC is looked up, not created.
AnyVpc = Vpc | DataAwsVpc


def vpc(stack: Stack) -> Vpc:
    """`aws_vpc.main`, with an empty default route table, network ACL and security group."""
    main = stack.add(
        Vpc,
        "main",
        cidr_block=str(stack.environment.network.cidr),
        enable_dns_hostnames=True,
        enable_dns_support=True,
        enable_network_address_usage_metrics=True,
        lifecycle=stack.prevent_destroy,
        tags=stack.tags("main"),
    )
    _empty_defaults(stack, main)
    return main


def pods_block(stack: Stack, main: Vpc) -> VpcIpv4CidrBlockAssociation | None:
    """`aws_vpc_ipv4_cidr_block_association.pods`, if pods have their own range."""
    pods = stack.environment.network.pods
    if pods is None:
        return None
    return stack.add(
        VpcIpv4CidrBlockAssociation,
        "pods",
        vpc_id=main.id,
        cidr_block=str(pods),
        lifecycle=stack.prevent_destroy,
    )


def _empty_defaults(stack: Stack, main: Vpc) -> None:
    stack.add(
        DefaultSecurityGroup,
        "main",
        vpc_id=main.id,
        tags=stack.tags("default-unused"),
    )
    stack.add(
        DefaultRouteTable,
        "main",
        default_route_table_id=main.default_route_table_id,
        route=[],
        tags=stack.tags("default-unused"),
    )
    stack.add(
        DefaultNetworkAcl,
        "main",
        default_network_acl_id=main.default_network_acl_id,
        # Subnets of others fall back to this ACL, and leave it only by joining another one.
        lifecycle=TerraformResourceLifecycle(ignore_changes=["subnet_ids"]),
        tags=stack.tags("default-unused"),
    )
