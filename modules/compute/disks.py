"""Checks that node disks have room for request bodies, which pods store temporarily."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modules.compute.spec import Compute
from modules.gateway.spec import Gateway
from modules.systems.spec import System
from tierra.validation.model import Violation


def upload_violations(
    compute: Compute, gateway: Gateway, systems: Mapping[str, System]
) -> Iterator[Violation]:
    """Violations for bodies without room. Paths start at the root of the spec."""
    half = compute.nodes.disk_for_pods
    if gateway.upload_room > half:
        rule = (
            f"a pod of Kong must not request more than half of its node's disk, {half} MiB, but requests"
            f" upload_mb x uploads = {gateway.upload_room} MiB: the other half is for images and logs"
        )
        enough = -(-gateway.upload_room * 2 // 1024)
        remedy = f"lower uploads or upload_mb, or raise compute.nodes.disk_gb to {enough} or more"
        yield Violation(("gateway", "uploads"), rule, remedy)
    for name, system in systems.items():
        room = compute.nodes_of(system.nodes).disk_for_pods
        if system.nodes and system.scratch_mb > room:
            rule = (
                f"scratch_mb ({system.scratch_mb}) must be at most half of the disk of its nodes, {room} MiB:"
                " the other half is for images and logs"
            )
            remedy = f"lower it to {room} or less, or raise compute.groups.{system.nodes}.disk_gb"
            yield Violation(("systems", name, "scratch_mb"), rule, remedy)
        most = system.upload_mb or gateway.upload_mb
        if system.scratch_mb < most:
            key = f"systems.{name}.upload_mb" if system.upload_mb else "gateway.upload_mb"
            rule = (
                f"scratch_mb ({system.scratch_mb}) must be at least {key} ({most}): a framework may write the"
                " bodies that Kong lets in to scratch files"
            )
            remedy = f"raise it to {most} or more, or lower {key}"
            yield Violation(("systems", name, "scratch_mb"), rule, remedy)
