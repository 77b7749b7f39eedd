"""Whether the disks of nodes hold what pods keep there for a while: bodies of requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modules.compute.spec import Compute
from modules.gateway.spec import Gateway
from modules.section import Finding
from modules.systems.spec import System


def upload_findings(compute: Compute, gateway: Gateway, systems: Mapping[str, System]) -> Iterator[Finding]:
    """Rules about uploads. Paths start at the root of the spec."""
    half = compute.nodes.disk_gb * 1024 // 2
    if gateway.upload_room > half:
        rule = (
            f"a pod of Kong must not ask for more than half of its node's disk, {half} MiB, and asks for"
            f" upload_mb x uploads = {gateway.upload_room} MiB: the other half is for images and logs"
        )
        enough = -(-gateway.upload_room * 2 // 1024)
        remedy = f"lower uploads or upload_mb, or raise compute.nodes.disk_gb to {enough} or more"
        yield Finding(("gateway", "uploads"), rule, remedy)
    for name, system in systems.items():
        if system.scratch_mb < gateway.upload_mb:
            rule = (
                f"scratch_mb ({system.scratch_mb}) must be at least gateway.upload_mb ({gateway.upload_mb}):"
                " a framework may write the bodies that Kong lets in to scratch files"
            )
            remedy = f"raise it to {gateway.upload_mb} or more, or lower gateway.upload_mb"
            yield Finding(("systems", name, "scratch_mb"), rule, remedy)
