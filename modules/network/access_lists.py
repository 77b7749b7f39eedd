"""Network ACLs: coarse filters for whole subnets, in addition to the security groups of firewall.py.

ACLs are stateless, so replies need a rule too: they go to ports from 1024 up. Port 3389 (RDP), which is one
of these, is closed to the internet, because audits check it (Security Hub EC2.21, with 22).
"""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.network_acl import NetworkAcl
from cdktf_cdktf_provider_aws.network_acl_rule import NetworkAclRule
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc

from modules.network.ranges import PRIVATE
from modules.network.subnets import Subnets
from modules.network.vpc import ANYWHERE
from tierra.terraform.stack import Stack

VPC = "vpc"


@dataclass(frozen=True)
class Entry:
    """An allowed flow. `peer` is the other end: a range, or the range of the VPC. Without a `number`, the
    position in the list decides."""

    name: str
    peer: str
    protocol: str = "-1"
    ports: tuple[int, int] | None = None
    number: int | None = None


EVERYTHING = Entry("all", ANYWHERE)
WITHIN = Entry("vpc", VPC)
REMOTE_DESKTOP = 3389
ANSWERS = Entry("answers", ANYWHERE, "tcp", (1024, REMOTE_DESKTOP - 1))
ANSWERS_ABOVE = Entry("answers_above", ANYWHERE, "tcp", (REMOTE_DESKTOP + 1, 65535))
# ICMP "fragmentation needed": without it, path MTU discovery fails silently.
UNREACHABLE = Entry("unreachable", ANYWHERE, "icmp")
INBOUND = {
    "public": (
        WITHIN,
        Entry("http", ANYWHERE, "tcp", (80, 80)),
        Entry("https", ANYWHERE, "tcp", (443, 443)),
        ANSWERS,
        ANSWERS_ABOVE,
        UNREACHABLE,
    ),
    "private": (WITHIN, ANSWERS, ANSWERS_ABOVE, UNREACHABLE),
    "database": (WITHIN, ANSWERS, ANSWERS_ABOVE),
}
OUTBOUND = {
    "public": (EVERYTHING,),
    "private": (EVERYTHING,),
    # S3 through the gateway endpoint, the only route of a database subnet out of the VPC.
    "database": (WITHIN, Entry("https", ANYWHERE, "tcp", (443, 443))),
}


def _from_private(name: str, port: int) -> tuple[Entry, ...]:
    """A port from each private range; security groups restrict it further."""
    return tuple(
        Entry(f"{name}_{str(block.network_address).replace('.', '_')}", str(block), "tcp", (port, port))
        for block in PRIVATE
    )


# From a VPN or a peered network to the Kubernetes API, the endpoints and an internal load balancer.
ADMINISTRATION = _from_private("https", 443)
TO_LOAD_BALANCER = _from_private("http", 80)


def access_lists(stack: Stack, vpc: Vpc, subnets: Subnets) -> dict[str, NetworkAcl]:
    """`aws_network_acl.public`, `.private` and `.database`, each for all subnets of its kind."""
    lists = {}
    for kind in INBOUND:
        lists[kind] = stack.add(
            NetworkAcl,
            kind,
            vpc_id=vpc.id,
            subnet_ids=[subnet.id for subnet in _inside(subnets, kind)],
            tags=stack.tags(kind),
        )
        _entries(stack, kind, lists[kind], "in", (*_pods(stack), *_inbound(stack, kind)))
        pods = _pods(stack) if WITHIN in OUTBOUND[kind] else ()
        _entries(stack, kind, lists[kind], "out", (*pods, *OUTBOUND[kind]))
    return lists


def _inside(subnets: Subnets, kind: str) -> list[Subnet]:
    """The subnets of an ACL; pod subnets count as private."""
    pods = subnets.pods if kind == "private" else {}
    return [*getattr(subnets, kind).values(), *pods.values()]


def _pods(stack: Stack) -> tuple[Entry, ...]:
    """The second range of the VPC. It has its own rule number, so that no other entry is renumbered for
    it."""
    pods = stack.environment.network.pods
    return (Entry("pods", str(pods), number=50),) if pods else ()


def _inbound(stack: Stack, kind: str) -> tuple[Entry, ...]:
    """Clients reach the public subnets; `edge.clients` reach the private ones."""
    environment = stack.environment
    clients = environment.edge.clients
    if kind == "public" and environment.edge.internal:
        return tuple(entry for entry in INBOUND[kind] if entry.ports not in ((80, 80), (443, 443)))
    if kind != "private":
        return INBOUND[kind]
    administration = ADMINISTRATION if environment.network.admin_cidrs or clients else ()
    return (*INBOUND[kind], *administration, *(TO_LOAD_BALANCER if clients else ()))


def _entries(stack: Stack, kind: str, access_list: NetworkAcl, way: str, entries: tuple[Entry, ...]) -> None:
    numbers = iter(range(100, 2000, 100))
    for entry in entries:
        first, last = entry.ports or (None, None)
        unreachable = entry.protocol == "icmp"
        stack.add(
            NetworkAclRule,
            f"{kind}_{way}_{entry.name}",
            network_acl_id=access_list.id,
            rule_number=entry.number or next(numbers),
            egress=way == "out",
            protocol=entry.protocol,
            rule_action="allow",
            cidr_block=str(stack.environment.network.cidr) if entry.peer == VPC else entry.peer,
            from_port=first,
            to_port=last,
            icmp_type=3 if unreachable else None,
            icmp_code=-1 if unreachable else None,
        )
