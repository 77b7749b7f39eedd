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
    """Its eight parts, one for each zone letter."""
    return list(block.subnets(prefixlen_diff=3))


def pods_violations(
    pods: IPv4Network, vpc: IPv4Network, elsewhere: Iterable[IPv4Network]
) -> Iterator[Violation]:
    """Violations for ranges that AWS or the network refuses. Paths start at the section of the network."""
    path, remedy = ("pods",), "write 100.64.0.0/16"
    home = next((block for block in PRIVATE if vpc.subnet_of(block)), SHARED)
    allowed = (SHARED, home)
    if not any(pods.subnet_of(block) for block in allowed):
        rule = (
            f"the range of pods must be inside {choices(allowed)}: AWS adds no other range to the VPC {vpc}"
        )
        yield Violation(path, rule, remedy)
    elif not LARGEST <= pods.prefixlen <= SMALLEST:
        yield Violation(path, f"the range of pods must be /{LARGEST} to /{SMALLEST}", remedy)
    elif pods.overlaps(vpc):
        rule = f"the range of pods must not overlap the VPC range {vpc}"
        yield Violation(path, rule, remedy)
    for block, to in RESTRICTED:
        if pods.overlaps(block) and vpc.subnet_of(to):
            rule = f"the range of pods must not overlap {block}: AWS does not add it to a VPC in {to}"
            yield Violation(path, rule, remedy)
    for taken, use in ((CONTAINER_BRIDGE, "the nodes' containers"), (SERVICES, "Kubernetes services")):
        if pods.overlaps(taken):
            yield Violation(path, f"the range of pods must not overlap {taken}, the range of {use}", remedy)
    for taken in elsewhere:
        if pods.overlaps(taken):
            rule = f"the range of pods must not overlap {taken}, which is routed elsewhere"
            yield Violation(path, rule, "write another range, such as a /16 of 100.64.0.0/10")
