"""Keys of `network:`: the address range of the VPC, its zones, and its routes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from modules.network.beyond import MOST_ROUTES, Route, route_violations
from modules.network.existing_spec import Existing
from modules.network.pods import free_pods, pods_violations
from modules.network.ranges import CONTAINER_BRIDGE, PRIVATE, Range, free_range
from modules.network.subnets_spec import (
    KINDS,
    SMALLEST,
    SMALLEST_VPC,
    SMALLEST_WITHOUT_PODS,
    Kind,
    Layout,
    Subnets,
    subnet_layout,
    subnet_range_violations,
    subnet_zone_violations,
)
from modules.network.zones_spec import Letter
from tierra.validation.messages import choices
from tierra.validation.model import Model, Violation, repeated, rule
from tierra.validation.retention import RetentionDays

# The smallest VPC without pods in its subnets, and with your own subnets.
SMALLEST_VPC_WITHOUT_PODS, SMALLEST_VPC_OF_OWN = 22, 24
# A security group has 60 inbound rules by default (Amazon VPC quotas, "Inbound or outbound rules per security
# group"); the rest is left for the rules of firewall.py.
MOST_ADMIN_RANGES = 40


class Network(Model):
    """The VPC: address range, zones, NAT, endpoints and flow logs."""

    cidr: Range = Field(
        default=IPv4Network("10.20.0.0/16"),
        description="Address range of the VPC: private (RFC 1918), /16 to /19; as small as /22 with pods,"
        " and as small as /24 with pods and subnets, or with existing. It cannot be changed"
        " later: AWS would have to replace the VPC and everything in it.",
    )
    pods: Range | None = Field(
        default=None,
        json_schema_extra={"default": "the private subnets"},
        description="A separate range for pods, /16 to /19, inside 100.64.0.0/10 or the private block of"
        " cidr. Left out, pods have addresses of the private subnets. A change replaces the"
        " nodes.",
        examples=["100.64.0.0/16"],
    )
    zones: Annotated[tuple[Letter, ...], Field(strict=False)] = Field(
        default=("a", "b", "c"),
        json_schema_extra={"minItems": 2, "maxItems": 4, "uniqueItems": True},
        description="Letters of the availability zones, two to four. Adding or removing a zone does not"
        " change the subnets of the others. Left out, they are the usual zones of the region.",
        examples=[["a", "b", "c"]],
    )
    nat: Literal["zone", "single"] = Field(
        default="zone",
        description="How private subnets reach the internet: through a NAT gateway in each zone, or"
        " through a single one, which is cheaper but fails with its zone.",
    )
    endpoints: Literal["gateway", "all"] = Field(
        default="gateway",
        description="Private access to AWS services: the free endpoint of S3 (gateway), or also the"
        " interface endpoints for images, logs and secrets, which cost by the hour and zone"
        " (all).",
    )
    flow_log_days: RetentionDays = Field(
        default=90, description="Days that VPC flow logs are kept; one of the values CloudWatch Logs accepts."
    )
    reserved: Annotated[tuple[Range, ...], Field(strict=False)] = Field(
        default=(),
        description="Ranges that are routed elsewhere (offices, VPNs, peered VPCs), and that the VPC must"
        " not overlap. Ranges of routes count as reserved.",
        examples=[["10.0.0.0/14", "192.168.0.0/16"]],
    )
    routes: Annotated[tuple[Route, ...], Field(strict=False)] = Field(
        default=(),
        json_schema_extra={"maxItems": MOST_ROUTES},
        description="Routes from the private subnets to other networks. Outbound, only 443 and the ports"
        " in egress of systems are open; inbound, only admin_cidrs and edge.clients have"
        " access.",
        examples=[[{"to": "10.8.0.0/14", "via": "tgw-0123456789abcdef0"}]],
    )
    admin_cidrs: Annotated[tuple[Range, ...], Field(strict=False)] = Field(
        default=(),
        json_schema_extra={"maxItems": MOST_ADMIN_RANGES, "uniqueItems": True},
        description="Private ranges outside the VPC (of a VPN, an office or a peered VPC) that may reach"
        " the Kubernetes API and the interface endpoints on 443. Each must be inside a range"
        " of routes or of reserved; for a range of reserved, you create the routes. Machines"
        " inside the VPC use the security group of runners instead.",
        examples=[["10.8.0.0/22"]],
    )
    subnets: Subnets | None = Field(
        default=None,
        description="Your own subnet ranges, for all subnets or none. Left out, they are computed from cidr.",
    )

    existing: Existing | None = Field(
        default=None,
        description="An existing VPC and its subnets; cidr and subnets must state their ranges. Tierra"
        " then creates no NAT gateway, route, access list or gateway endpoint, and flow logs"
        " only if flow_log_days is set. Left out, Tierra creates the VPC.",
    )

    @property
    def layout(self) -> Layout:
        """Every subnet by kind and zone."""
        return subnet_layout(self.cidr, self.zones, self.pods, self.subnets)

    @property
    def elsewhere(self) -> tuple[IPv4Network, ...]:
        """Ranges that are routed elsewhere: those of `reserved`, then those of `routes`."""
        return (*self.reserved, *(route.to for route in self.routes))

    @property
    def taken(self) -> tuple[IPv4Network, ...]:
        """Ranges that are routed elsewhere, without those that contain the VPC, whose local route takes
        precedence."""
        return tuple(block for block in self.elsewhere if not self.cidr.subnet_of(block))

    def to_reserve(self, beyond: IPv4Network) -> str:
        """The remedy for a range outside the VPC that the spec does not route."""
        route = "" if self.existing else f"add a route to {beyond}, or "
        return f"{route}add {'it' if route else beyond} to network.reserved"

    @property
    def blocks(self) -> tuple[IPv4Network, ...]:
        """All ranges of the VPC."""
        return (self.cidr, self.pods) if self.pods else (self.cidr,)

    @property
    def smallest(self) -> dict[Kind, int]:
        """The smallest subnet of each kind."""
        return {**SMALLEST, "private": SMALLEST_WITHOUT_PODS} if self.pods else SMALLEST

    @property
    def nat_zones(self) -> tuple[str, ...]:
        """Zones with a NAT gateway: all, or the first one of the spec; none in an existing VPC."""
        if self.existing:
            return ()
        return self.zones if self.nat == "zone" else self.zones[:1]

    @property
    def flow_logs(self) -> bool:
        """Whether Tierra creates flow logs; in an existing VPC they may be the company's."""
        return self.existing is None or "flow_log_days" in self.model_fields_set

    @property
    def foreign(self) -> tuple[str, ...]:
        """IDs of existing resources: an existing network, and gateways of routes."""
        ids = [route.via for route in self.routes]
        if self.existing:
            kinds = (getattr(self.existing, kind) for kind in KINDS)
            ids += [self.existing.vpc, *(subnet for kind in kinds for subnet in kind.values())]
        return tuple(dict.fromkeys(ids))

    @rule("existing", "cidr", "subnets", "pods", "routes")
    def existing_network_is_described(self) -> Iterator[Violation]:
        """An existing network requires all ranges, different subnets, and no key that would change it."""
        if self.existing is None:
            return
        for key, given in (("cidr", "cidr" in self.model_fields_set), ("subnets", self.subnets)):
            if not given:
                rule = f"{key} is required with network.existing"
                yield Violation(
                    (key,), rule, "write the ranges that the VPC and its subnets have in AWS", "(missing)"
                )
        for key in ("pods", "routes"):
            if getattr(self, key):
                rule = f"{key} must be left out with network.existing: Tierra does not change that network"
                yield Violation((key,), rule, "remove it; the owner of the VPC must set it up")
        listed: dict[str, str] = {}
        for kind in KINDS:
            for zone, subnet in getattr(self.existing, kind).items():
                if subnet in listed:
                    rule = f"each subnet must be listed once; this one is {listed[subnet]} already"
                    yield Violation(("existing", kind, zone), rule, "write the ID of another subnet")
                listed[subnet] = f"network.existing.{kind}.{zone}"

    @rule("cidr", "pods", "subnets", "existing")
    def range_is_usable(self) -> Iterator[Violation]:
        """The range must be private, of a size that can be split into subnets, and not in use inside
        nodes."""
        if not any(self.cidr.subnet_of(private) for private in PRIVATE):
            rule = "the VPC range must be private (RFC 1918)"
            remedy = f"use a range inside {choices(PRIVATE)}, such as {free_range(16, self.taken)}"
            yield Violation(("cidr",), rule, self.another_vpc or remedy)
        least = SMALLEST_VPC_OF_OWN if self.subnets or self.existing else SMALLEST_VPC_WITHOUT_PODS
        least = least if self.pods or self.existing else SMALLEST_VPC
        size = min(max(self.cidr.prefixlen, 16), least)
        if size != self.cidr.prefixlen:
            rule = (
                f"the VPC range must be /16 to /{least}: AWS refuses larger ones, smaller ones run out of"
                " addresses"
            )
            remedy = f"write a /{size}, such as {free_range(size, self.taken)}"
            if self.cidr.prefixlen in range(SMALLEST_VPC, SMALLEST_VPC_WITHOUT_PODS + 1):
                remedy += ", or give pods a separate range: pods: 100.64.0.0/16"
            yield Violation(("cidr",), rule, self.another_vpc or remedy)
        if self.cidr.overlaps(CONTAINER_BRIDGE):
            rule = f"the VPC range must not overlap {CONTAINER_BRIDGE}, the range of the nodes' containers"
            yield Violation(("cidr",), rule, self.another_vpc or f"write {free_range(size, self.taken)}")

    def free_pods(self, taken: Iterable[IPv4Network]) -> IPv4Network | str:
        """A range for pods that overlaps none of those taken, to be offered as a remedy."""
        return free_pods(self.cidr, taken)

    @property
    def another_vpc(self) -> str:
        """The remedy for the range of an existing VPC, which a spec cannot change; empty if Tierra creates
        the VPC."""
        return "choose another VPC, or remove existing, so that Tierra creates one" if self.existing else ""

    @rule("cidr", "reserved", "existing")
    def range_is_not_elsewhere(self) -> Iterator[Violation]:
        """The range of the VPC must not be routed elsewhere."""
        free = free_range(self.cidr.prefixlen, self.reserved)
        for index, taken in enumerate(self.reserved):
            if self.cidr.overlaps(taken):
                rule = (
                    f"the VPC range {self.cidr} must not overlap a reserved range, which is routed elsewhere"
                )
                remedy = f"write network.cidr: {free}, or remove this range"
                if self.another_vpc:
                    remedy = f"remove this range, {self.another_vpc}"
                yield Violation(("reserved", index), rule, remedy)

    @rule("pods", "cidr", "reserved", "routes", "existing")
    def pods_have_a_range(self) -> Iterator[Violation]:
        """The range of pods must be one that AWS adds to the VPC and that is not routed elsewhere. Another
        rule refuses a route into it."""
        if self.pods and not self.existing:
            inside = {route.to for route in self.routes if route.to.subnet_of(self.pods)} - {*self.reserved}
            taken = (block for block in self.taken if block not in inside)
            yield from pods_violations(self.pods, self.cidr, taken)

    @rule("routes", "cidr", "pods", "existing")
    def routes_lead_elsewhere(self) -> Iterator[Violation]:
        """Routes must be ones that a private route table can have."""
        if not self.existing:
            yield from route_violations(self.routes, self.blocks)

    @rule("admin_cidrs", "cidr", "reserved", "routes", "existing")
    def administrators_are_beyond_the_vpc(self) -> Iterator[Violation]:
        """admin_cidrs must be private ranges that are routed elsewhere, few enough for a security group."""
        for index, cidr in enumerate(self.admin_cidrs):
            path = ("admin_cidrs", index)
            if not any(cidr.subnet_of(private) for private in PRIVATE):
                rule = f"a range of admin_cidrs must be private: inside {choices(PRIVATE)}"
                remedy = "write a private range, or move this one to compute.endpoint.public_cidrs"
                yield Violation(path, rule, remedy)
            elif cidr.overlaps(self.cidr):
                rule = f"a range of admin_cidrs must not overlap the VPC range {self.cidr}"
                remedy = "remove it, and give machines inside the VPC the security group of runners"
                yield Violation(path, rule, f"{remedy} (runner_security_group_id)")
            elif not any(cidr.subnet_of(taken) for taken in self.elsewhere):
                rule = "a range of admin_cidrs must be part of a range of network.routes or network.reserved"
                yield Violation(path, rule, self.to_reserve(cidr))
        for index in repeated(map(str, self.admin_cidrs)):
            yield Violation(("admin_cidrs", index), "each range must be named once", "remove the second one")
        if len(self.admin_cidrs) > MOST_ADMIN_RANGES:
            rule = f"there must be at most {MOST_ADMIN_RANGES} ranges in admin_cidrs"
            yield Violation(
                ("admin_cidrs",), rule, "join neighbouring ranges", f"{len(self.admin_cidrs)} ranges"
            )

    @rule("zones")
    def zones_are_several(self) -> Iterator[Violation]:
        """Two to four different zones."""
        if not 2 <= len(self.zones) <= 4:
            yield Violation(
                ("zones",),
                "there must be two to four zones: EKS, load balancers and databases need two",
                "write two to four letters, such as [a, b, c]",
            )
        for index in repeated(self.zones):
            rule, remedy = "each zone must be named once", f"remove the second {self.zones[index]}"
            yield Violation(("zones", index), rule, remedy)

    @rule("zones", "subnets", "existing")
    def subnets_are_in_each_zone(self) -> Iterator[Violation]:
        """Every kind must have a subnet in each zone of the spec, and in no other."""
        yield from subnet_zone_violations(self.zones, self.subnets, self.existing)

    @rule("cidr", "subnets", "pods", "existing")
    def own_subnets_fit(self) -> Iterator[Violation]:
        """Your own ranges must be inside the VPC, large enough and disjoint."""
        if self.subnets is not None:
            yield from subnet_range_violations(self.subnets, self.cidr, self.smallest, bool(self.existing))
