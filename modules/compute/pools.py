"""Node groups by zone: each is a managed node group with its EC2 Auto Scaling group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from modules.compute.nodes_spec import Group, Nodes
from modules.compute.spec import Compute


@dataclass(frozen=True)
class Pool:
    """The nodes of a group in one zone; `name` is the name of the group, None for `compute.nodes`."""

    name: str | None
    zone: str
    nodes: Nodes = field(hash=False)
    least: int
    most: int
    start: int

    @property
    def key(self) -> str:
        """`a`, or `spot-a`."""
        return f"{self.name}-{self.zone}" if self.name else self.zone

    @property
    def address(self) -> str:
        """The key as part of a Terraform name."""
        return self.key.replace("-", "_")

    @property
    def location(self) -> str:
        """`zone a`, or `zone a of the group spot`."""
        return f"zone {self.zone}" + (f" of the group {self.name}" if self.name else "")


def share_out(total: int, zones: Sequence[str]) -> dict[str, int]:
    """The number of nodes in each zone: as even as possible, with the remainder in the first zones."""
    share, rest = divmod(total, len(zones))
    return {zone: share + (1 if index < rest else 0) for index, zone in enumerate(zones)}


def pools(compute: Compute, zones: Sequence[str]) -> list[Pool]:
    """The pools of `compute.nodes`, then those of further groups, each in the order of the zones."""
    return [
        pool
        for name, nodes in [(None, compute.nodes), *compute.groups.items()]
        for pool in _pools(name, nodes, zones)
    ]


def _pools(name: str | None, nodes: Nodes, zones: Sequence[str]) -> list[Pool]:
    mine = (
        [zone for zone in zones if zone in nodes.zones] if isinstance(nodes, Group) and nodes.zones else zones
    )
    least, most = share_out(nodes.min, mine), share_out(nodes.max, mine)
    start = share_out(nodes.min if nodes.desired is None else nodes.desired, mine)
    return [Pool(name, zone, nodes, least[zone], most[zone], start[zone]) for zone in mine]
