"""The VPC and what is in it."""

from __future__ import annotations

from collections.abc import Mapping

from tierra.aws.types.entry import Type

TYPES: Mapping[str, Type] = {
    "aws_vpc": Type(
        kept_while_used=True,
        contents=(
            "aws_db_instance",
            "aws_docdb_cluster",
            "aws_eks_cluster",
            "aws_elasticache_replication_group",
            "aws_lb",
        ),
        free=True,
    ),
    "aws_vpc_endpoint": Type(usage="bytes through endpoints"),
    "aws_vpc_endpoint_route_table_association": Type(import_ids=("{vpc_endpoint_id}/{route_table_id}",)),
    "aws_vpc_endpoint_subnet_association": Type(import_ids=("{vpc_endpoint_id}/{subnet_id}",)),
    "aws_vpc_ipv4_cidr_block_association": Type(free=True),
    "aws_vpc_security_group_egress_rule": Type(free=True),
    "aws_vpc_security_group_ingress_rule": Type(free=True),
    "aws_subnet": Type(
        kept_while_used=True,
        contents=(),
        public={"map_public_ip_on_launch": True},
        free=True,
    ),
    "aws_route_table": Type(shows_each={"route": "aws_route"}, free=True),
    "aws_route_table_association": Type(
        import_ids=("{subnet_id}/{route_table_id}", "{gateway_id}/{route_table_id}"),
        free=True,
    ),
    "aws_route": Type(
        import_ids=(
            "{route_table_id}_{destination_cidr_block}",
            "{route_table_id}_{destination_ipv6_cidr_block}",
            "{route_table_id}_{destination_prefix_list_id}",
        ),
        outage="its targets cannot be reached",
        free=True,
    ),
    "aws_internet_gateway": Type(outage="the platform and the internet cannot reach each other", free=True),
    "aws_nat_gateway": Type(
        outage="private subnets of its zone cannot reach the internet",
        partial_outage="connections through it break; another NAT gateway takes over",
        usage="bytes through NAT, and traffic to the internet",
    ),
    "aws_eip": Type(
        shows={
            "association_id": "aws_nat_gateway",
            "network_interface": "aws_nat_gateway",
            "private_dns": "aws_nat_gateway",
            "private_ip": "aws_nat_gateway",
        },
        outage=("its address is permanently released, and partners that allow only it refuse the platform"),
    ),
    "aws_network_acl": Type(
        shows_each={"egress": "aws_network_acl_rule", "ingress": "aws_network_acl_rule"},
        free=True,
    ),
    "aws_network_acl_rule": Type(
        import_ids=("{network_acl_id}:{rule_number}:{protocol}:{egress}",),
        free=True,
    ),
    "aws_security_group": Type(
        shows_each={
            "egress": "aws_vpc_security_group_egress_rule",
            "ingress": "aws_vpc_security_group_ingress_rule",
        },
        kept_while_used=True,
        free=True,
    ),
    "aws_default_network_acl": Type(free=True),
    "aws_default_route_table": Type(free=True),
    "aws_default_security_group": Type(free=True),
    "aws_flow_log": Type(usage="flow logs, by the bytes written"),
    "aws_ec2_transit_gateway_vpc_attachment": Type(
        outage="networks behind the transit gateway cannot be reached",
        usage="transit gateways, by the hour attached and the bytes sent",
    ),
    "aws_vpn_gateway_attachment": Type(
        outage="networks behind the virtual private gateway cannot be reached",
        free=True,
    ),
}
