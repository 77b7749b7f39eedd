"""Keys of a node group: instance types, numbers of nodes, and the pods that it accepts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from modules.compute.instances import Instance, InstanceType, instances
from modules.compute.taints_spec import Key, Taint, Value
from modules.network.zones_spec import Letter
from tierra.validation.labels import as_name, is_name
from tierra.validation.model import Model, Violation, repeated, rule, rule_error

MOST_NODES = (
    450  # maximum of a managed node group (quotas of EKS), here of all node groups of an environment together
)
PODS_PER_GIB = 8
# Kubernetes recommends at most 110 pods on a node; EKS allows 250 on large ones.
MOST_PODS, MOST_PODS_LARGE, LARGE_VCPUS = 110, 250, 30
LABEL = "node-group"  # label with which pods select a group, and key of its taint
MOST_TYPES = 20  # of a managed node group (botocore: eks, CreateNodegroupRequest, instanceTypes)
LONGEST_GROUP = 15  # leaves room for project, environment and zone in the names of its node groups


class Nodes(Model):
    """The nodes of the cluster, in one managed node group for each zone."""

    instance_type: InstanceType = Field(
        default="t3.medium", description="EC2 type of every node. Graviton types get images for ARM."
    )
    min: int = Field(
        default=3,
        ge=1,
        le=MOST_NODES,
        description="Minimum number of nodes, in all zones together. They are distributed evenly.",
    )
    max: int = Field(
        default=9,
        ge=1,
        le=MOST_NODES,
        description="Maximum number of nodes, in all zones together; at least one for each zone.",
    )
    desired: int | None = Field(
        default=None,
        ge=1,
        le=MOST_NODES,
        description="Initial number of nodes; min if left out. After that scaling decides, and a change"
        " here has no effect.",
    )
    disk_gb: int = Field(
        default=50,
        ge=20,
        le=1000,
        description="Disk of each node in GiB: system, images and logs; encrypted.",
    )
    pods: int | None = Field(
        default=None,
        ge=8,
        le=MOST_PODS_LARGE,
        description="Maximum number of pods on a node. Left out, eight for each GiB of memory, up to"
        " what Kubernetes and the addresses allow: the kubelet reserves memory for each"
        " possible pod.",
    )
    ami_release: str | None = Field(
        default=None,
        pattern=r"^1\.[0-9]{2}\.[0-9]+-[0-9]{8}$",
        description="Release of the node image, to roll out or keep a specific one. Left out, the newest"
        " release when the group is created; Tierra does not change it afterwards.",
        examples=["1.36.4-20260923"],
    )

    @property
    def instance(self) -> Instance:
        """The CPU, memory and addresses of a node."""
        return instances()[self.instance_type]

    @property
    def types(self) -> tuple[str, ...]:
        """Every instance type of a node, the preferred one first."""
        return (self.instance_type,)

    @property
    def burstable(self) -> bool:
        """Whether the nodes use CPU credits."""
        return any(name.startswith("t") for name in self.types)

    @property
    def disk_for_pods(self) -> int:
        """MiB of the disk for files of pods: half of it; the other half is for images and logs."""
        return self.disk_gb * 1024 // 2

    @property
    def pods_allowed(self) -> int:
        """The maximum number of pods of a node with prefixes of 16 addresses, by network and Kubernetes."""
        kinds = [instances()[name] for name in self.types]
        addresses = min(kind.interfaces * (kind.addresses - 1) * 16 + 2 for kind in kinds)
        return min(addresses, MOST_PODS_LARGE if self.instance.vcpus >= LARGE_VCPUS else MOST_PODS)

    @property
    def pods_each(self) -> int:
        """The maxPods setting of the kubelet."""
        return self.pods or min(self.pods_allowed, PODS_PER_GIB * self.instance.memory // 1024)

    @rule("instance_type", "pods")
    def pods_have_addresses(self) -> Iterator[Violation]:
        """A node must have an address for every pod that it accepts."""
        if self.pods_each > self.pods_allowed:
            kind = self.instance
            rule = (
                f"a {kind.name} must have at most {self.pods_allowed} pods: {kind.interfaces} interfaces x"
                f" {kind.addresses - 1} prefixes x 16 addresses, and at most {MOST_PODS} below"
                f" {LARGE_VCPUS} processors"
            )
            yield Violation(("pods",), rule, f"write {self.pods_allowed} or less, or remove the line")

    @rule("min", "max", "desired")
    def counts_are_in_order(self) -> Iterator[Violation]:
        """min <= desired <= max."""
        if self.min > self.max:
            key = "min" if "min" in self.model_fields_set else "max"
            rule = f"min ({self.min}) must be at most max ({self.max})"
            yield Violation((key,), rule, f"raise max to {self.min} or more, or lower min")
        elif self.desired is not None and not self.min <= self.desired <= self.max:
            rule = f"desired must be from min ({self.min}) to max ({self.max})"
            yield Violation(
                ("desired",), rule, f"write {min(max(self.desired, self.min), self.max)}, or remove it"
            )


def _group_name(name: str) -> str:
    if not is_name(name, LONGEST_GROUP):
        plain = as_name(name, LONGEST_GROUP)
        rule = (
            f"the name of a group must have at most {LONGEST_GROUP} small letters, digits and hyphens,"
            " a letter first"
        )
        raise rule_error(rule, f"write {plain}" if plain else "write a name such as spot")
    if name == "nodes":
        raise rule_error(
            "the name must not be nodes, which is compute.nodes", "choose another name, such as spot"
        )
    return name


GroupName = Annotated[str, AfterValidator(_group_name)]


class Group(Nodes):
    """A further group of nodes, in each of its zones."""

    min: int = Field(
        default=0,
        ge=0,
        le=MOST_NODES,
        description="Minimum number of nodes, in all zones of the group together; 0: nodes are added for"
        " the first pod.",
    )
    max: int = Field(
        default=3,
        ge=1,
        le=MOST_NODES,
        description="Maximum number of nodes, in all zones of the group together; at least one for each"
        " zone.",
    )
    alternatives: Annotated[tuple[InstanceType, ...], Field(strict=False)] = Field(
        default=(),
        json_schema_extra={"maxItems": MOST_TYPES - 1, "uniqueItems": True},
        description="Types that AWS may use in place of instance_type, with the same CPU, memory and"
        " architecture. Spot capacity needs several.",
        examples=[["m6a.large", "m5a.large"]],
    )
    capacity: Literal["on-demand", "spot"] = Field(
        default="on-demand",
        description="Purchase option: on-demand, or spot, which costs less and may be interrupted with a"
        " notice of two minutes.",
    )
    zones: Annotated[tuple[Letter, ...], Field(strict=False)] = Field(
        default=(),
        json_schema_extra={"maxItems": 4, "uniqueItems": True, "default": "network.zones"},
        description="Zones of its nodes; must be in network.zones.",
        examples=[["a"]],
    )
    labels: dict[Key, Value] = Field(
        default_factory=dict,
        description=f"Kubernetes labels of its nodes; {LABEL} with the name of the group is always set.",
        examples=[{"workload": "batch"}],
    )
    taints: Annotated[tuple[Taint, ...] | None, Field(strict=False, max_length=50)] = Field(
        default=None,
        json_schema_extra={"default": f"{LABEL}=<name>:NoSchedule"},
        description="Taints of its nodes, which the pods of its systems tolerate. Left out, only pods of"
        " its systems run on the nodes; [] admits every pod.",
        examples=[[{"key": "workload", "value": "batch"}]],
    )

    @property
    def types(self) -> tuple[str, ...]:
        return (self.instance_type, *self.alternatives)

    def tainted(self, name: str) -> tuple[Taint, ...]:
        """Its taints, with this group name."""
        return (Taint(key=LABEL, value=name),) if self.taints is None else self.taints

    @property
    def open(self) -> bool:
        """Whether pods that name no group may run here."""
        return self.taints is not None and all(taint.effect == "PreferNoSchedule" for taint in self.taints)

    @rule("instance_type", "alternatives")
    def types_are_alike(self) -> Iterator[Violation]:
        """All types must have the architecture and size of instance_type, because one image serves all and
        the autoscaler assumes one size: kubernetes/autoscaler, cluster-autoscaler,
        cloudprovider/aws/README.md, on mixed instances."""
        for index in repeated(self.types):
            yield Violation(
                ("alternatives", index - 1), "each type must be named once", "remove the second one"
            )
        for index, name in enumerate(self.alternatives):
            both = kind, alternative = self.instance, instances()[name]
            if alternative.arm != kind.arm:
                words = [f"{type_.name} has {'arm64' if type_.arm else 'amd64'}" for type_ in both]
                rule = f"the nodes of a group must have one architecture: {' and '.join(words)}"
                yield Violation(("alternatives", index), rule, "put it into another group")
            elif (alternative.vcpus, alternative.memory) != (kind.vcpus, kind.memory):
                words = [
                    f"{type_.name} has {type_.vcpus} and {type_.memory // 1024} GiB"
                    for type_ in (kind, alternative)
                ]
                rule = f"the nodes of a group must have equal processors and memory: {' and '.join(words)}"
                alike = [
                    type_.name
                    for type_ in instances().values()
                    if (type_.vcpus, type_.memory, type_.arm) == (kind.vcpus, kind.memory, kind.arm)
                    and type_.name not in self.types
                ]
                yield Violation(("alternatives", index), rule, f"write {alike[-1]}" if alike else "remove it")
        if len(self.types) > MOST_TYPES:
            rule = f"a managed node group must have at most {MOST_TYPES} types, instance_type among them"
            yield Violation(("alternatives",), rule, "name fewer", f"{len(self.types)} types")

    @rule("zones")
    def zones_are_named_once(self) -> Iterator[Violation]:
        """No zone appears twice."""
        for index in repeated(self.zones):
            yield Violation(("zones", index), "each zone must be named once", "remove the second one")

    @rule("labels")
    def labels_are_its_own(self) -> Iterator[Violation]:
        """The label that selects the group is reserved."""
        for key, value in self.labels.items():
            if key == LABEL:
                yield Violation(
                    ("labels", key),
                    f"{LABEL} must not be set: it has the name of the group",
                    "choose another key",
                )
            elif not value:
                yield Violation(
                    ("labels", key), "a label must have a value for EKS", "write a value such as true"
                )

    @rule("taints")
    def taints_are_named_once(self) -> Iterator[Violation]:
        """Each key has one taint, because the autoscaler reads taints from tags (scaling.py)."""
        for index in repeated(taint.key for taint in self.taints or ()):
            rule = "each key must be listed once: the autoscaler supports one taint per key"
            yield Violation(("taints", index), rule, "remove one; NoExecute keeps new pods away, too")
