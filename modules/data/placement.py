"""Zones of instances, and names of their final snapshots."""

from __future__ import annotations

from itertools import cycle, islice

from modules.network.outputs import NetworkOutputs
from tierra.terraform.stack import Stack


def in_turn(network: NetworkOutputs, count: int) -> list[str]:
    """Names of the zones for so many instances, in the order of the spec: a further instance, or a zone added
    at the end of network.zones, moves none of the first ones."""
    return list(islice(cycle(network.zone_names.values()), count))


def final_snapshot(stack: Stack, role: str) -> str | None:
    """The name of the snapshot that a database leaves behind, or None if the spec wants none.

    AWS refuses to delete a database whose final snapshot has a name that is taken; data.generation tells
    lives apart.
    """
    data = stack.environment.data
    return stack.names.of("snapshot", f"{role}-final-{data.generation}") if data.final_snapshots else None
