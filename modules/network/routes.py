"""Routes: public subnets through the internet gateway, private ones through NAT and to other networks,
database subnets have none."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.ec2_transit_gateway_vpc_attachment import Ec2TransitGatewayVpcAttachment
from cdktf_cdktf_provider_aws.eip import Eip
from cdktf_cdktf_provider_aws.internet_gateway import InternetGateway
from cdktf_cdktf_provider_aws.nat_gateway import NatGateway
from cdktf_cdktf_provider_aws.route import Route
from cdktf_cdktf_provider_aws.route_table import RouteTable
from cdktf_cdktf_provider_aws.route_table_association import RouteTableAssociation
from cdktf_cdktf_provider_aws.vpc import Vpc
from cdktf_cdktf_provider_aws.vpn_gateway_attachment import VpnGatewayAttachment

from modules.network.subnets import ByZone, Subnets
from modules.network.vpc import ANYWHERE
from tierra.terraform.stack import Stack


@dataclass(frozen=True)
class Routes:
    """Route tables, and the NAT gateways with their addresses, by zone."""

    public: RouteTable
    private: dict[str, RouteTable]
    database: RouteTable
    addresses: dict[str, Eip]
    gateways: dict[str, NatGateway]


def routes(stack: Stack, vpc: Vpc, subnets: Subnets) -> Routes:
    """Associates every subnet with a table of its kind; private and pod subnets with that of their zone."""
    internet = stack.add(InternetGateway, "main", vpc_id=vpc.id, tags=stack.tags("main"))
    addresses, gateways = _nat(stack, internet, subnets.public)
    tables = Routes(
        public=_table(stack, vpc, "public"),
        private={zone: _table(stack, vpc, f"private_{zone}") for zone in subnets.private},
        database=_table(stack, vpc, "database"),
        addresses=addresses,
        gateways=gateways,
    )
    stack.add(
        Route,
        "public_to_internet",
        route_table_id=tables.public.id,
        destination_cidr_block=ANYWHERE,
        gateway_id=internet.id,
    )
    fallback = next(iter(gateways.values()))
    for zone, table in tables.private.items():
        stack.add(
            Route,
            f"private_{zone}_to_internet",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            nat_gateway_id=gateways.get(zone, fallback).id,
        )
    _associate(stack, tables, subnets)
    _beyond(stack, vpc, tables, subnets)
    return tables


def _beyond(stack: Stack, vpc: Vpc, tables: Routes, subnets: Subnets) -> None:
    """`aws_route.private_a_to_10_8_0_0_14` and so on: network.routes, in the table of each private zone."""
    ways = _attachments(stack, vpc, subnets)
    for route in stack.environment.network.routes:
        for zone, table in tables.private.items():
            stack.add(
                Route,
                f"private_{zone}_to_{route.suffix}",
                route_table_id=table.id,
                destination_cidr_block=str(route.to),
                depends_on=[ways[route.via]] if route.via in ways else None,
                transit_gateway_id=route.via if route.kind == "tgw" else None,
                vpc_peering_connection_id=route.via if route.kind == "pcx" else None,
                gateway_id=route.via if route.kind == "vgw" else None,
            )


def _attachments(stack: Stack, vpc: Vpc, subnets: Subnets) -> dict[str, ITerraformDependable]:
    """Attaches gateways of routes to the VPC; a transit gateway gets an interface in each private subnet.
    Peering connections already belong to the VPC."""
    result: dict[str, ITerraformDependable] = {}
    for route in stack.environment.network.routes:
        name = route.via.replace("-", "_")
        if route.via in result:
            continue
        if route.kind == "tgw":
            result[route.via] = stack.add(
                Ec2TransitGatewayVpcAttachment,
                name,
                transit_gateway_id=route.via,
                vpc_id=vpc.id,
                subnet_ids=[subnet.id for subnet in subnets.private.values()],
                tags=stack.tags(name.replace("_", "-")),
            )
        elif route.kind == "vgw":
            result[route.via] = stack.add(VpnGatewayAttachment, name, vpc_id=vpc.id, vpn_gateway_id=route.via)
    return result


def _nat(
    stack: Stack, internet: InternetGateway, public: ByZone
) -> tuple[dict[str, Eip], dict[str, NatGateway]]:
    """A NAT gateway in each zone, or one in the first zone of the spec."""
    zones = stack.environment.network.nat_zones
    addresses = {
        zone: stack.add(
            Eip,
            f"nat_{zone}",
            domain="vpc",
            depends_on=[internet],
            lifecycle=stack.prevent_destroy,
            tags=stack.tags(f"nat-{zone}"),
        )
        for zone in zones
    }
    gateways = {
        zone: stack.add(
            NatGateway,
            zone,
            allocation_id=addresses[zone].allocation_id,
            subnet_id=public[zone].id,
            depends_on=[internet],
            tags=stack.tags(f"nat-{zone}"),
        )
        for zone in zones
    }
    return addresses, gateways


def _table(stack: Stack, vpc: Vpc, name: str) -> RouteTable:
    """Routes are separate resources, so that other tiers can add routes without owning the table."""
    return stack.add(RouteTable, name, vpc_id=vpc.id, tags=stack.tags(name.replace("_", "-")))


def _associate(stack: Stack, tables: Routes, subnets: Subnets) -> None:
    ties = [
        *((f"public_{zone}", subnet, tables.public) for zone, subnet in subnets.public.items()),
        *((f"private_{zone}", subnet, tables.private[zone]) for zone, subnet in subnets.private.items()),
        *((f"pods_{zone}", subnet, tables.private[zone]) for zone, subnet in subnets.pods.items()),
        *((f"database_{zone}", subnet, tables.database) for zone, subnet in subnets.database.items()),
    ]
    for name, subnet, table in ties:
        stack.add(RouteTableAssociation, name, subnet_id=subnet.id, route_table_id=table.id)
