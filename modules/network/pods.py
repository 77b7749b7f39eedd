"""The separate range for pods, `network.pods`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network

from modules.network.ranges import CONTAINER_BRIDGE, PRIVATE, SERVICES, SHARED
from tierra.validation.messages import choices
from tierra.validation.model import Violation

LARGEST, SMALLEST = 16, 19  # the largest that AWS adds; in a smaller one a zone would have less than a /22
# Ranges that AWS does not add to a VPC, by the range of the VPC (Amazon VPC User Guide, "IPv4 CIDR block
# association restrictions"; RFC 1918 ranges other than that of the VPC are restricted as well).
RESTRICTED = (
    (IPv4Network("172.31.0.0/16"), IPv4Network("172.16.0.0/12")),
    (IPv4Network("10.0.0.0/16"), IPv4Network("10.0.0.0/15")),
)


def slots(block: IPv4Network) -> list[IPv4Network]:
    """The eight parts of a range, one for each zone letter."""
    return list(block.subnets(prefixlen_diff=3))


def free_pods(vpc: IPv4Network, taken: Iterable[IPv4Network]) -> IPv4Network | str:
    """A range for pods of a VPC that overlaps none of those taken, to be offered as a remedy."""
    taken = (vpc, CONTAINER_BRIDGE, SERVICES, *(block for block, _ in RESTRICTED), *taken)
    allowed = (SHARED, *(block for block in PRIVATE if vpc.subnet_of(block)))
    free = (
        subnet
        for block in allowed
        for subnet in block.subnets(new_prefix=LARGEST)
        if not any(map(subnet.overlaps, taken))
    )
    return next(free, f"another range inside {choices(allowed)}")


def pods_violations(
    pods: IPv4Network, vpc: IPv4Network, elsewhere: Iterable[IPv4Network]
) -> Iterator[Violation]:
    """The first reason why AWS or the network refuses the range of pods: the remedy is always another range.
    Paths start at the section of the network."""
    home = next((block for block in PRIVATE if vpc.subnet_of(block)), None)
    if home is None:
        return  # the VPC range is refused for this
    elsewhere = tuple(elsewhere)
    if rule := _unfit(pods, vpc, home, elsewhere):
        yield Violation(("pods",), rule, f"write {free_pods(vpc, elsewhere)}")


def _unfit(pods: IPv4Network, vpc: IPv4Network, home: IPv4Network, elsewhere: tuple[IPv4Network, ...]) -> str:
    allowed = (SHARED, home)
    if not any(pods.subnet_of(block) for block in allowed):
        return (
            f"the range of pods must be inside {choices(allowed)}: AWS adds no other range to the VPC {vpc}"
        )
    if not LARGEST <= pods.prefixlen <= SMALLEST:
        return f"the range of pods must be /{LARGEST} to /{SMALLEST}"
    if pods.overlaps(vpc):
        return f"the range of pods must not overlap the VPC range {vpc}"
    for block, to in RESTRICTED:
        if pods.overlaps(block) and vpc.subnet_of(to):
            return f"the range of pods must not overlap {block}: AWS does not add it to a VPC in {to}"
    if pods.overlaps(CONTAINER_BRIDGE):
        return f"the range of pods must not overlap {CONTAINER_BRIDGE}, the range of the nodes' containers"
    if taken := next(filter(pods.overlaps, elsewhere), None):
        return f"the range of pods must not overlap {taken}, which is routed elsewhere"
    return ""
