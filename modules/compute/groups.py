"""The node group of the pods of a system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modules.compute.nodes_spec import LABEL
from modules.compute.spec import Compute
from modules.systems.spec import System
from tierra.validation.model import Violation

ARCHITECTURE = "kubernetes.io/arch"


def group_violations(compute: Compute, systems: Mapping[str, System]) -> Iterator[Violation]:
    """A system must name an existing node group. Paths start at the root of the spec."""
    for name, system in systems.items():
        if system.nodes and system.nodes not in compute.groups:
            there = ", ".join(compute.groups) or "there is none yet"
            rule = f"nodes must name a group of compute.groups, and there is no {system.nodes}"
            remedy = f"choose from: {there}" if compute.groups else "add it there, or remove the line"
            yield Violation(("systems", name, "nodes"), rule, remedy)


def placement(compute: Compute, group: str | None) -> dict[str, Any]:
    """Chart values of a system that keep its pods on the nodes of its group; or, for pods without a group in
    a cluster with several architectures, on nodes of the architecture of `compute.nodes`, for which their
    images are built."""
    if not group:
        kinds = {nodes.instance.arm for nodes in compute.groups.values() if nodes.open}
        mixed = kinds - {compute.nodes.instance.arm}
        return {"nodeSelector": {ARCHITECTURE: architecture(compute, None)}} if mixed else {}
    chosen = {LABEL: group}
    if architecture(compute, group) != architecture(compute, None):
        chosen[ARCHITECTURE] = architecture(compute, group)
    taints = compute.groups[group].tainted(group)
    tolerations = [
        {"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect}
        for taint in taints
    ]
    return {"nodeSelector": chosen, **({"tolerations": tolerations} if tolerations else {})}


def architecture(compute: Compute, group: str | None) -> str:
    """The architecture of the nodes of a system, in the terms of Kubernetes and Docker."""
    return "arm64" if compute.nodes_of(group).instance.arm else "amd64"
