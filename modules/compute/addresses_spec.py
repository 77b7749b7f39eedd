"""Checks that nodes and pods find addresses in their subnets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network

from modules.compute.instances import instances
from modules.compute.nodes_spec import Nodes
from modules.compute.pools import Pool, pools
from modules.compute.spec import Compute
from modules.network.subnets_spec import Layout
from tierra.validation.model import Violation

BLOCK = 16  # addresses of a prefix, which the VPC CNI assigns to pods
WARM_BLOCKS = 1  # that each node keeps ready (addons.py)
# Interface endpoints, the Kubernetes API, load balancers and nodes that an update adds for a while.
OTHER_ADDRESSES = 64
# The same where pods have subnets of their own, so that nodes take one address each: EKS asks for 16, a load
# balancer for 8, and there are 15 interface endpoints.
OTHER_ADDRESSES_WITHOUT_PODS = 42


def addresses_of_nodes(compute: Compute, private: Mapping[str, IPv4Network]) -> Iterator[Violation]:
    """The private subnet of each zone must have room for the prefixes of its nodes at their maximum
    number."""
    every = pools(compute, list(private))
    for zone, subnet in private.items():
        mine = [pool for pool in every if pool.zone == zone]
        free = subnet.num_addresses - 5 - OTHER_ADDRESSES  # AWS keeps five of every subnet
        taken = sum(pool.most * _addresses_per_node(pool.nodes) for pool in mine)
        if taken > free:
            largest = max(mine, key=lambda pool: pool.most * _addresses_per_node(pool.nodes))
            path = f"compute.groups.{largest.name}" if largest.name else "compute.nodes"
            rule = (
                f"the private subnet of zone {zone} must hold {' + '.join(_counted(pool) for pool in mine)} ="
                f" {taken} addresses, and {subnet} has {free}"
            )
            zones = sum(pool.name == largest.name for pool in every)
            per_node = _addresses_per_node(largest.nodes)
            fits = max((free - taken + largest.most * per_node) // per_node, 1) * zones
            remedy = f"lower {path}.max to {fits} or less, lower {path}.pods, or widen network.cidr"
            yield Violation((*path.split("."), "max"), rule, remedy, str(largest.nodes.max))
            return


def addresses_of_pods(compute: Compute, layout: Layout) -> Iterator[Violation]:
    """If pods have their own subnets, these must have room for prefixes and interfaces, and the private
    subnets for the nodes.

    The first interface of a node, which is in the private subnet, then has no pods (aws/amazon-vpc-cni-k8s,
    pkg/ipamd/datastore, GetAllocatableENIs).
    """
    for path, nodes in compute.all_nodes():
        kinds = [instances()[name] for name in nodes.types]
        most = min((kind.interfaces - 1) * (kind.addresses - 1) * BLOCK + 2 for kind in kinds)
        if nodes.pods_each > most:
            rule = f"with network.pods a node of the type must have at most {most} pods"
            remedy = f"write {most} or less, or remove the line"
            yield Violation(("compute", *path, "pods"), rule, remedy, str(nodes.pods_each))
    every = pools(compute, list(layout.private))
    for zone, subnet in layout.private.items():
        mine = [pool for pool in every if pool.zone == zone]
        for block, reserved, taken, where, what, key in (
            (
                layout.pods[zone],
                0,
                sum(pool.most * _addresses_per_node(pool.nodes) for pool in mine),
                f"the subnet of pods of zone {zone}",
                " + ".join(_counted(pool) for pool in mine),
                "network.pods",
            ),
            (
                subnet,
                OTHER_ADDRESSES_WITHOUT_PODS,
                sum(pool.most for pool in mine),
                f"the private subnet of zone {zone}",
                "an address for each node",
                "network.cidr",
            ),
        ):
            free = block.num_addresses - 5 - reserved  # AWS keeps five of every subnet
            if taken > free:
                rule = f"{where} must hold {what} = {taken} addresses, and {block} has {free}"
                largest = max(mine, key=lambda pool: pool.most)
                path = ("groups", largest.name) if largest.name else ("nodes",)
                remedy = f"lower compute.{'.'.join(path)}.max, or widen {key}"
                yield Violation(("compute", *path, "max"), rule, remedy, str(largest.nodes.max))
                return


def _blocks(nodes: Nodes) -> tuple[int, int]:
    """The number of prefixes of a node, and of its network interfaces."""
    blocks = -(-nodes.pods_each // BLOCK) + WARM_BLOCKS
    return blocks, -(-blocks // max(nodes.instance.addresses - 1, 1))


def _addresses_per_node(nodes: Nodes) -> int:
    blocks, interfaces = _blocks(nodes)
    return blocks * BLOCK + interfaces


def _counted(pool: Pool) -> str:
    blocks, interfaces = _blocks(pool.nodes)
    return f"{pool.most} nodes x ({blocks} prefixes x {BLOCK} + {interfaces} interfaces)"
