"""Keys of `network.subnets:`, and the ranges of all subnets of a VPC, computed or chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations
from typing import Literal

from pydantic import Field

from modules.network.existing_spec import Existing
from modules.network.pods import slots
from modules.network.ranges import Range
from modules.network.zones_spec import LETTERS, Letter
from tierra.validation.messages import shown
from tierra.validation.model import Model, Violation

Kind = Literal["public", "private", "database"]
KINDS: tuple[Kind, ...] = ("public", "private", "database")

# Smallest subnet of each kind. Private: the VPC CNI assigns blocks of /28, and a /22 holds some sixty.
# Public: a load balancer requires a /27. Database: failover and upgrades need spare addresses, for which AWS
# recommends about as many.
SMALLEST: dict[Kind, int] = {"public": 27, "private": 22, "database": 27}
# If pods have their own range, a private subnet holds nodes, endpoints and load balancers.
SMALLEST_WITHOUT_PODS = 26
# The smallest VPC whose computed private subnets have room for pods.
SMALLEST_VPC = 19

ByZone = dict[Letter, Range]


@dataclass(frozen=True)
class Layout:
    """The subnets of a VPC, by kind and zone letter: disjoint, and all inside the range of the VPC."""

    public: dict[str, IPv4Network]
    private: dict[str, IPv4Network]
    database: dict[str, IPv4Network]
    pods: dict[str, IPv4Network]  # in the separate range; empty if pods are in the private subnets


class Subnets(Model):
    """Your own ranges in place of the computed ones: all three kinds, each with every zone."""

    public: ByZone = Field(
        description="One range for each zone, /27 or larger: load balancers and NAT gateways."
    )
    private: ByZone = Field(
        description="One range for each zone, /22 or larger: nodes and pods; /26 or larger with network.pods."
    )
    database: ByZone = Field(description="One range for each zone, /27 or larger: databases and caches.")


def subnet_layout(
    cidr: IPv4Network, zones: tuple[str, ...], pods: IPv4Network | None, subnets: Subnets | None
) -> Layout:
    """Every subnet by kind and zone. Computed ones depend on the letter alone, never on the other zones.

    The VPC is cut into eight. The first six eighths are the private subnets of zones a to f; the seventh
    holds the public and the eighth the database subnets, 1/256 of the VPC each: in a /16, /19 private and
    /24 the others. A VPC below a /19 has pods elsewhere: half of it is private subnets, a quarter public
    and a quarter database ones, each cut into eight.
    """
    of_pods = {zone: slots(pods)[LETTERS.index(zone)] for zone in zones} if pods else {}
    if subnets is not None:
        public, private, database = ({zone: getattr(subnets, kind)[zone] for zone in zones} for kind in KINDS)
        return Layout(public, private, database, of_pods)
    if cidr.prefixlen > SMALLEST_VPC:
        half, rest = cidr.subnets(prefixlen_diff=1)
        parts = [slots(half), *(slots(quarter) for quarter in rest.subnets(prefixlen_diff=1))]
    else:
        eighths = slots(cidr)
        parts = [eighths, *(list(eighth.subnets(prefixlen_diff=5)) for eighth in eighths[6:])]
    private, public, database = ({zone: part[LETTERS.index(zone)] for zone in zones} for part in parts)
    return Layout(public, private, database, of_pods)


def subnet_zone_violations(
    zones: tuple[str, ...], subnets: Subnets | None, existing: Existing | None
) -> Iterator[Violation]:
    """Every kind must have a subnet in each zone of the spec, and in no other. If all kinds agree on other
    zones, the zones of the spec are wrong. Paths start at the section of the network."""
    zones_by_kind = {
        (key, kind): tuple(getattr(section, kind))
        for key, section in (("subnets", subnets), ("existing", existing))
        if section
        for kind in KINDS
    }
    distinct = {tuple(sorted(named)) for named in zones_by_kind.values()}
    if len(distinct) == 1 and distinct != {tuple(sorted(zones))} and len(common := min(distinct)) > 1:
        keys = " and ".join(dict.fromkeys(key for key, _ in zones_by_kind))
        rule = f"zones must be those of the subnets in {keys}"
        remedy = f"write zones: [{', '.join(common)}], or name the subnets of other zones"
        yield Violation(("zones",), rule, remedy, shown(zones))
        return
    for (key, kind), named in zones_by_kind.items():
        for zone in zones:
            if zone not in named:
                rule = f"each zone of network.zones must have a {kind} subnet; zone {zone} has none"
                what = "range" if key == "subnets" else "ID"
                yield Violation((key, kind), rule, f"add {zone}: with its {what}")
        for zone in named:
            if zone not in zones:
                rule = f"subnets must be in the zones of network.zones: {', '.join(zones)}"
                yield Violation((key, kind, zone), rule, f"remove {zone}, or add it to network.zones")


def subnet_range_violations(
    subnets: Subnets, cidr: IPv4Network, smallest: Mapping[Kind, int], existing: bool
) -> Iterator[Violation]:
    """Ranges of subnets must be inside the VPC, large enough and disjoint. Paths start at the section of the
    network."""
    placed = [
        (("subnets", kind, zone), kind, subnet)
        for kind in KINDS
        for zone, subnet in getattr(subnets, kind).items()
    ]
    for path, kind, subnet in placed:
        if not subnet.subnet_of(cidr):
            rule = f"a subnet must be inside the VPC range {cidr}"
            remedy = (
                "write the range of the subnet in AWS, or choose another subnet, here and in existing"
                if existing
                else f"choose a part of {cidr}"
            )
            yield Violation(path, rule, remedy)
        elif subnet.prefixlen > (least := smallest[kind]):
            rule = f"a {kind} subnet must be /{least} or larger"
            remedy = (
                "choose a larger subnet of the VPC, here and in existing"
                if existing
                else f"write a /{least} or larger (a smaller number after the slash)"
            )
            yield Violation(path, rule, remedy)
    for (first, _, block), (second, _, other_block) in combinations(placed, 2):
        if block.overlaps(other_block):
            name = ".".join(("network", *first))
            yield Violation(
                second, f"subnets must not overlap; this one overlaps {name}: {block}", "move one of them"
            )
