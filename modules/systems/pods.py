"""The pods of a system, as the scheduler sees them: how many of each kind, and what each asks of its node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modules.systems.spec import System


@dataclass(frozen=True)
class Asked:
    """Equal pods: `cpu` in millicores and `memory` in MiB, of each, and the keys of the spec that say so."""

    name: str
    count: int
    cpu: int
    memory: int
    cpu_key: tuple[str, ...] = ("cpu",)
    memory_key: tuple[str, ...] = ("memory",)


def pods_of(name: str, system: System, *, most: bool) -> Iterator[Asked]:
    """Those that answer requests with their sidecars, at their least or most; workers; the clock."""
    beside = system.sidecars.values()
    yield Asked(
        name,
        system.max_replicas if most else system.replicas,
        system.cpu + sum(each.cpu for each in beside),
        system.memory + sum(each.memory for each in beside),
    )
    if broker := system.broker:
        yield Asked(
            f"{name}-worker",
            broker.workers,
            broker.cpu or system.cpu,
            broker.memory or system.memory,
            ("broker", "cpu") if broker.cpu else ("cpu",),
            ("broker", "memory") if broker.memory else ("memory",),
        )
        if broker.beat:
            yield Asked(
                f"{name}-beat",
                1,
                broker.beat_cpu,
                broker.beat_memory,
                ("broker", "beat_cpu"),
                ("broker", "beat_memory"),
            )
