"""Routes to other networks: the values of `network.routes`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from modules.network.ranges import Range
from tierra.validation.model import Model, Violation, repeated, rule_error

_TARGET = r"(tgw|pcx|vgw)-[0-9a-f]{8}([0-9a-f]{9})?"
EVERYWHERE = IPv4Network("0.0.0.0/0")
# AWS uses parts of it for its own services in each VPC (Amazon VPC User Guide, "Subnet route tables").
LINK_LOCAL = IPv4Network("169.254.0.0/16")
# A route table has 50 static routes by default (Amazon VPC quotas, "Routes per route table"). Private tables
# have one to NAT and one to S3; the rest is left for routes that others create.
MOST_ROUTES = 40
# Amazon VPC Transit Gateways quotas, "Unique transit gateway attachments per VPC".
MOST_TRANSIT = 5


def _target(value: str) -> str:
    if re.fullmatch(_TARGET, value):
        return value
    plain = value.strip().lower()
    raise rule_error(
        "a route must lead to a transit gateway, a peering connection or a virtual private gateway",
        f"write {plain}"
        if re.fullmatch(_TARGET, plain)
        else "write its ID, which is tgw-, pcx- or vgw- and 8 or 17 digits from 0 to f",
    )


Target = Annotated[
    str,
    AfterValidator(_target),
    WithJsonSchema({"type": "string", "pattern": f"^{_TARGET}$", "examples": ["tgw-0123456789abcdef0"]}),
]


class Route(Model):
    """A route from the private subnets to another network."""

    to: Range = Field(
        description="Range of the other network. It counts as reserved.", examples=["10.8.0.0/14"]
    )
    via: Target = Field(
        description="ID of a transit gateway (tgw-) or a virtual private gateway (vgw-), which Tierra"
        " attaches to the VPC, or of an active peering connection (pcx-)."
    )

    @property
    def kind(self) -> str:
        """tgw, pcx or vgw."""
        return self.via[:3]

    @property
    def suffix(self) -> str:
        """Suffix of the Terraform names of its routes."""
        return re.sub("[./]", "_", str(self.to))


def route_violations(routes: tuple[Route, ...], blocks: tuple[IPv4Network, ...]) -> Iterator[Violation]:
    """Violations for routes that a route table of the VPC cannot have. Paths start at the section of the
    network."""
    for index, route in enumerate(routes):
        path = ("routes", index, "to")
        if route.to == EVERYWHERE:
            rule = "a route must not be 0.0.0.0/0: the default route belongs to network.nat"
            yield Violation(path, rule, "write the range of the other network")
        elif route.to.overlaps(LINK_LOCAL):
            rule = f"a route must not overlap {LINK_LOCAL}, which AWS reserves"
            yield Violation(path, rule, "write the range of another network")
        for block, key in zip(blocks, ("cidr", "pods"), strict=False):
            if route.to.subnet_of(block):
                rule = f"a route must not overlap the VPC range {block}, which the local route covers"
                yield Violation(path, rule, f"remove it, or choose another range as network.{key}")
                break
    for index in repeated(str(route.to) for route in routes):
        rule = "a range must have only one route"
        yield Violation(("routes", index, "to"), rule, "remove one of the two")
    gateways = list(dict.fromkeys(route.via for route in routes if route.kind == "vgw"))
    if len(gateways) > 1:
        rule = f"a VPC must have at most one virtual private gateway, but routes name {', '.join(gateways)}"
        yield Violation(("routes",), rule, "choose one of them", f"{len(gateways)} gateways")
    transit = {route.via for route in routes if route.kind == "tgw"}
    if len(transit) > MOST_TRANSIT:
        rule = f"a VPC must have at most {MOST_TRANSIT} transit gateways"
        yield Violation(("routes",), rule, "use fewer gateways", f"{len(transit)} transit gateways")
    if len(routes) > MOST_ROUTES:
        rule = f"there must be at most {MOST_ROUTES} routes"
        yield Violation(("routes",), rule, "join neighbouring ranges", f"{len(routes)} routes")
