"""Checks that the nodes have room for everything in the spec: CPU, memory, pods and addresses. Violations
show the calculation.

A node is calculated as the kubelet calculates it: user data (launch_template.py) passes these numbers to it.
pods_each is never above the maximum of EKS with prefixes, so the sums use the smaller of the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from modules.compute.addresses_spec import addresses_of_nodes, addresses_of_pods
from modules.compute.instances import instances
from modules.compute.nodes_spec import MOST_NODES, Nodes
from modules.compute.spec import Compute
from modules.gateway.spec import Gateway
from modules.network.subnets_spec import Layout
from modules.overhead import ADDONS, AUTOSCALER, Overhead, Pods
from modules.systems.spec import System
from tierra.validation.model import Violation

# Share of the memory that firmware and kernel use, as Karpenter assumes it (VM_MEMORY_OVERHEAD_PERCENT).
UNSEEN = 0.075
EVICTION = 100  # MiB below which the kubelet evicts pods (nodeadm: memory.available)


@dataclass(frozen=True)
class Room:
    """What a node offers to pods that do not run on every node."""

    cpu: int
    memory: int
    pods: int

    def takes(self, pods: Pods) -> int:
        """The number of these pods that fit."""
        by = [self.pods]
        by += [self.cpu // pods.cpu] if pods.cpu else []
        by += [self.memory // pods.memory] if pods.memory else []
        return max(min(by), 0)

    def less(self, pods: Pods, count: int) -> Room:
        """What is left after these pods."""
        return Room(self.cpu - count * pods.cpu, self.memory - count * pods.memory, self.pods - count)


def reserved_cpu(vcpus: int) -> int:
    """Millicores that the kubelet reserves: 6 % of the first core, 1 % of the second, 0.5 % of two more, 0.25
    % of the rest.

    Source: awslabs/amazon-eks-ami, nodeadm, getCPUMillicoresToReserve.
    """
    tenths = 600 + 100 * min(vcpus - 1, 1) + 50 * min(max(vcpus - 2, 0), 2) + 25 * max(vcpus - 4, 0)
    return tenths // 10


def reserved_memory(pods: int) -> int:
    """MiB that the kubelet reserves on a node with this number of pods. Source: nodeadm,
    GetMemoryMebibytesToReserve."""
    return 255 + 11 * pods


def room(nodes: Nodes, overhead: Overhead) -> Room:
    """What a node of the spec offers."""
    kind, agents = nodes.instance, overhead.agents
    return Room(
        cpu=kind.vcpus * 1000 - reserved_cpu(kind.vcpus) - sum(agent.cpu for agent in agents),
        memory=int(kind.memory * (1 - UNSEEN))
        - reserved_memory(nodes.pods_each)
        - EVICTION
        - sum(agent.memory for agent in agents),
        pods=nodes.pods_each - len(agents),
    )


def nodes_needed(wanted: Sequence[Pods], offer: Room) -> int | None:
    """The number of nodes that hold all pods: largest pod first, each on the first node with room. None if a
    pod fits on no node.

    The scheduler spreads pods and may need slightly more nodes; it never needs fewer.
    """
    order = sorted(wanted, key=lambda pods: (-_share(pods, offer), pods.name))
    open_nodes: list[Room] = []
    for pods in order:
        if pods.count and not offer.takes(pods):
            return None
        left = pods.count
        for index, node in enumerate(open_nodes):
            placed = min(left, node.takes(pods))
            open_nodes[index] = node.less(pods, placed) if placed else node
            left -= placed
            if not left:
                break
        while left:
            placed = min(left, offer.takes(pods))
            open_nodes.append(offer.less(pods, placed))
            left -= placed
    return len(open_nodes)


def _share(pods: Pods, offer: Room) -> float:
    return max(pods.cpu / max(offer.cpu, 1), pods.memory / max(offer.memory, 1))


def capacity_violations(
    compute: Compute,
    gateway: Gateway,
    overhead: Overhead,
    systems: Mapping[str, System],
    layout: Layout,
) -> Iterator[Violation]:
    """Violations for pods that do not fit, with the calculation, by node group. Paths start at the root of
    the spec.

    The pods of a group are those of the systems that name it; all others run on `compute.nodes`. Groups
    without a taint also accept pods of other systems, but the calculation does not rely on that.
    """
    hold_pods = True
    for path, nodes in compute.all_nodes():
        offer = room(nodes, overhead)
        if min(offer.cpu, offer.memory, offer.pods) <= 0:
            rule = f"a node must have room beside the platform's agents: {_offer(nodes, offer, overhead)}"
            yield Violation(
                ("compute", *path, "instance_type"), rule, "write a larger type, such as t3.medium"
            )
            hold_pods = False
            continue
        name = path[1] if len(path) > 1 else None
        mine = {key: system for key, system in systems.items() if system.nodes == name}
        group = NodeGroup(".".join(("compute", *path)), nodes, offer, overhead)
        too_large = list(_too_large(mine, group))
        yield from too_large
        if not too_large:
            yield from _too_many(compute, gateway, mine, group, shared=name is None)
    if hold_pods:
        pods = bool(layout.pods)
        yield from addresses_of_pods(compute, layout) if pods else addresses_of_nodes(compute, layout.private)


class NodeGroup(NamedTuple):
    """A node group; `path` is its path in the spec."""

    path: str
    nodes: Nodes
    offer: Room
    overhead: Overhead

    def at(self, key: str) -> tuple[str, ...]:
        return (*self.path.split("."), key)


def _too_large(systems: Mapping[str, System], group: NodeGroup) -> Iterator[Violation]:
    for name, system in systems.items():
        for key, requested, available, unit in (
            ("cpu", system.pod_cpu, group.offer.cpu, "m"),
            ("memory", system.pod_memory, group.offer.memory, "Mi"),
        ):
            if requested > available:
                beside = " with its sidecars" if system.sidecars else ""
                sums = _offer(group.nodes, group.offer, group.overhead)
                rule = f"a pod{beside} must fit on a node, and {requested}{unit} does not: {sums}"
                remedy = (
                    f"lower it to {available}{unit} or less, or choose a larger {group.path}.instance_type"
                )
                yield Violation(("systems", name, key), rule, remedy, f"{requested}{unit}")


def _too_many(
    compute: Compute, gateway: Gateway, systems: Mapping[str, System], group: NodeGroup, *, shared: bool
) -> Iterator[Violation]:
    """The maximum number of nodes must hold the maximum number of pods; the initial number, the pods for
    which no nodes are added. Pods of the platform run on `shared` nodes only."""
    nodes, offer = group.nodes, group.offer
    release = release_pods(systems, offer)
    peak = [
        *(group.overhead.services(compute.scaling, gateway.max_replicas) if shared else ()),
        *(pods for name, system in systems.items() for pods in _pods_of(name, system, system.max_replicas)),
        *release,
    ]
    calm = [
        *(group.overhead.services(compute.scaling, gateway.replicas) if shared else ()),
        *(pods for name, system in systems.items() for pods in _pods_of(name, system, system.replicas)),
        *release,
    ]
    if compute.scaling == "pods":
        calm = [*ADDONS, AUTOSCALER] if shared else []  # which adds nodes for the rest
    start = "desired" if nodes.desired is not None else "min"
    for key, count, wanted, when in (
        ("max", nodes.max, peak, "systems at max_replicas"),
        (start, nodes.desired or nodes.min, calm, "what must run before a node is added"),
    ):
        needed = nodes_needed(wanted, offer)
        if needed is None or needed > count:
            rule = (
                f"{count} nodes must hold {when}: {_sums(wanted, offer, count)};"
                f" {_offer(nodes, offer, group.overhead)}"
            )
            yield Violation(group.at(key), rule, _remedy(group, key, needed, wanted), str(count))
            return


def _pods_of(name: str, system: System, replicas: int) -> Iterator[Pods]:
    """The pods that answer requests, with their sidecars, and the helper pods, which have none."""
    yield Pods(name, replicas, system.pod_cpu, system.pod_memory)
    yield Pods(f"{name}-helpers", system.helpers, system.cpu, system.memory)


def release_pods(systems: Mapping[str, System], offer: Room) -> list[Pods]:
    """Additional pods during a release of the largest system: the migration job, and the first new pod,
    because no old pod stops before it is ready (templates/systems/chart)."""
    surges = [Pods(f"{name}-surge", 1, system.pod_cpu, system.pod_memory) for name, system in systems.items()]
    jobs = [
        Pods(f"{name}-migrate", 1, system.cpu, system.memory)
        for name, system in systems.items()
        if system.commands.migrate or system.jobs
    ]
    return [max(kind, key=lambda pods: (_share(pods, offer), pods.name)) for kind in (surges, jobs) if kind]


def _remedy(group: NodeGroup, key: str, needed: int | None, wanted: Sequence[Pods]) -> str:
    nodes, fewer = group.nodes, "lower replicas, max_replicas or requests of systems"
    if needed is not None and needed <= MOST_NODES:
        return f"raise {group.path}.{key} to {needed}, choose a larger instance_type, or {fewer}"
    larger = next(
        (
            name
            for name, kind in sorted(instances().items(), key=lambda item: (item[1].vcpus, item[1].memory))
            if (
                count := nodes_needed(
                    wanted, room(nodes.model_copy(update={"instance_type": name}), group.overhead)
                )
            )
            and count <= MOST_NODES
            and kind.arm == nodes.instance.arm
        ),
        None,
    )
    return f"choose a larger instance_type, such as {larger}" if larger else fewer


def _sums(wanted: Sequence[Pods], offer: Room, count: int) -> str:
    pods = sum(entry.count for entry in wanted)
    cpu = sum(entry.count * entry.cpu for entry in wanted)
    memory = sum(entry.count * entry.memory for entry in wanted)
    return (
        f"{pods} pods ask for {cpu}m and {memory}Mi, and the nodes have room for {count * offer.pods} pods,"
        f" {count * offer.cpu}m and {count * offer.memory}Mi"
    )


def _offer(nodes: Nodes, offer: Room, overhead: Overhead) -> str:
    """`a t3.medium offers 1680m = 2000m - 70m reserved - 250m agents, …`."""
    kind, agents = nodes.instance, overhead.agents
    agents_cpu, agents_memory = sum(agent.cpu for agent in agents), sum(agent.memory for agent in agents)
    visible, reserved = int(kind.memory * (1 - UNSEEN)), reserved_memory(nodes.pods_each) + EVICTION
    return (
        f"a {kind.name} offers {offer.cpu}m = {kind.vcpus * 1000}m - {reserved_cpu(kind.vcpus)}m reserved -"
        f" {agents_cpu}m agents, {offer.memory}Mi = {visible}Mi - {reserved}Mi reserved -"
        f" {agents_memory}Mi agents, and {offer.pods} pods = {nodes.pods_each} - {len(agents)} agents"
    )
