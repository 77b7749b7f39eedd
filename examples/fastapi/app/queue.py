"""The queue: a stream of Redis that says which orders are new. PostgreSQL is what counts.

The broker may lose what it was told last: a failover of ElastiCache leaves behind what no replica has yet.
So an order is not in the queue alone. The worker takes from the stream for speed, and from the table what
the stream has lost.
"""

from __future__ import annotations

from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from app.telemetry import log

GROUP = "workers"
MOST = 10_000  # entries that are kept of the stream


def stream(system: str) -> str:
    """All systems share the group of Redis, so keys begin with a system's name."""
    return f"{system}:orders"


async def announce(broker: Redis, system: str, number: UUID) -> None:
    try:
        await broker.xadd(stream(system), {"order": str(number)}, maxlen=MOST, approximate=True)
    except RedisError:
        log.warning("the broker does not answer; the worker will find the order in the table")


async def take(broker: Redis, system: str, worker: str) -> list[tuple[str, UUID]]:
    """New entries, waiting for at most two seconds."""
    try:
        found = await broker.xreadgroup(GROUP, worker, {stream(system): ">"}, count=20, block=2000)
    except ResponseError as error:
        if "NOGROUP" not in str(error):
            raise
        await _group(broker, system)
        return []
    # RESP2 answers pairs, RESP3 a mapping.
    entries = [entry for _, each in (found.items() if isinstance(found, dict) else found) for entry in each]
    if isinstance(found, dict):
        entries = [entry for each in entries for entry in each]
    return [(entry, UUID(fields["order"])) for entry, fields in entries]


async def taken(broker: Redis, system: str, entries: list[str]) -> None:
    if entries:
        await broker.xack(stream(system), GROUP, *entries)


async def _group(broker: Redis, system: str) -> None:
    try:
        await broker.xgroup_create(stream(system), GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise
