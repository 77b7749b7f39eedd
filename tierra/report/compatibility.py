"""Nodes of another architecture: images that were built for the old one do not start on them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tierra.plans.changes import Change
from tierra.report.findings import COMPATIBILITY, Finding
from tierra.report.releases import RELEASE, release_values

NODES = "aws_eks_node_group"
GROUP, ARCHITECTURE = "node-group", "kubernetes.io/arch"  # labels of nodes that a system chooses
ARM, X86 = "arm64", "x86_64"


def compatibility(change: Change, images: Mapping[str, str]) -> Iterator[Finding]:
    """The finding of a node group whose architecture changes, or of a system that moves to nodes of another
    one. `images` are the running ones, by system."""
    if change.type == RELEASE and change.action == "update":
        yield from _moves(change)
    if change.type != NODES or change.action not in ("update", "replace"):
        return
    was, now = architecture(change.was), architecture(change.now)
    if was and now and was != now:
        message = f"its nodes become {now}: images that were built only for {was} do not start on them"
        lines = (
            f"~ architecture: {was} → {now}",
            *(f"~ {name} runs {image}" for name, image in images.items()),
        )
        yield Finding(
            COMPATIBILITY, change.tier, change.address, change.action, message, lines, critical=True
        )


def _moves(change: Change) -> Iterator[Finding]:
    """A system names an architecture besides its group if that differs from the other nodes."""
    was, now = (_chosen(values) for values in (change.was, change.now))
    kinds = [selector.get(ARCHITECTURE) for selector in (was, now)]
    if kinds[0] == kinds[1] or was.get(GROUP) == now.get(GROUP):
        return
    where = f"nodes of {kinds[1]}" if kinds[1] else f"nodes of another architecture than {kinds[0]}"
    message = f"its pods move to {where}: an image that was built only for the old ones does not start there"
    lines = (f"~ group of nodes: {was.get(GROUP, 'compute.nodes')} → {now.get(GROUP, 'compute.nodes')}",)
    yield Finding(COMPATIBILITY, change.tier, change.address, change.action, message, lines, critical=True)


def _chosen(values: Mapping[str, Any]) -> Mapping[str, Any]:
    selector = (release_values(values) or {}).get("nodeSelector")
    return selector if isinstance(selector, dict) else {}


def architecture(group: Mapping[str, Any]) -> str:
    """The architecture of a node group by its image, or by its first instance type; empty if neither tells.

    EKS names it in the image type (botocore: eks, shape AMITypes); a g after the generation of an instance
    type is Graviton (docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html).
    """
    ami = group.get("ami_type")
    if isinstance(ami, str) and ami not in ("", "CUSTOM"):
        return ARM if "ARM" in ami.upper() else X86
    types = group.get("instance_types")
    first = types[0] if isinstance(types, list) and types else None
    if not isinstance(first, str):
        return ""
    return ARM if re.match(r"(a1|[a-z]+\d+g[a-z]*)\.", first) else X86
