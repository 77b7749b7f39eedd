"""Zones of instances, and names of final snapshots."""

from __future__ import annotations

from itertools import cycle, islice

from modules.network.outputs import NetworkOutputs
from tierra.terraform.stack import Stack


def in_turn(network: NetworkOutputs, count: int) -> list[str]:
    """Names of the zones for this number of instances, in the order of the spec: adding an instance, or a
    zone at the end of network.zones, does not move the first ones."""
    return list(islice(cycle(network.zone_names.values()), count))


def final_snapshot(stack: Stack, role: str) -> str | None:
    """The name of the final snapshot of a database, or None if the spec wants none.

    AWS refuses to delete a database if the name of its final snapshot exists; data.generation makes names
    unique.
    """
    data = stack.environment.data
    return stack.names.of("snapshot", f"{role}-final-{data.generation}") if data.final_snapshots else None
