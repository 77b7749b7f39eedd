"""Alarms of each node of Redis: any node may become the primary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modules.data.outputs import DataOutputs
from modules.data.redis_spec import Redis as Settings
from modules.observability.alarm import Alarm
from modules.observability.metric import Metric
from modules.observability.postgres_alarms import CREDIT_PERIODS, FEW_CREDITS

BUSY_PERCENT = 80  # of the main thread, which executes all commands
# A quarter of the memory is reserved for snapshots; when the rest is full, writes fail or keys are evicted.
MEMORY_PERCENT = 80
MOST_CONNECTIONS = 65_000  # of a node, whatever its type (ElastiCache user guide)
CONNECTIONS_PERCENT = 80
LAG_SECONDS = 10


def node(identifier: str, metric: str, statistic: str = "Maximum", period: int = 60) -> Metric:
    """A metric of a node."""
    return Metric("AWS/ElastiCache", metric, {"CacheClusterId": identifier}, statistic, period)


def redis_alarms(settings: Settings, data: DataOutputs) -> Iterator[Alarm]:
    """A cache with a separate broker may evict keys; a broker, or one group for both, may not."""
    yield from _group(settings, "redis", data.redis_node_ids, may_evict=settings.separate_broker)
    yield from _group(settings, "broker", data.redis_broker_node_ids, may_evict=False)


def _group(settings: Settings, group: str, members: Mapping[str, str], *, may_evict: bool) -> Iterator[Alarm]:
    for name, identifier in members.items():
        role = f"{group}_{name}"
        shown = f"{name.replace('_', ' ')} of {'Redis' if group == 'redis' else 'the broker'}"
        yield from _node(role, shown, identifier, may_evict=may_evict)
        if settings.burstable:
            yield Alarm(
                name=f"{role}_credits",
                description=f"The CPU credits of {shown} are spent.",
                runbook="a-database-spends-its-cpu-credits",
                severity="ticket",
                metrics=node(identifier, "CPUCreditBalance", "Minimum", 300),
                below=FEW_CREDITS,
                of=CREDIT_PERIODS,
            )


def _node(role: str, shown: str, identifier: str, *, may_evict: bool) -> Iterator[Alarm]:
    yield Alarm(
        name=f"{role}_cpu",
        description=f"The engine CPU utilization of {shown} has been above {BUSY_PERCENT} % for 10 minutes.",
        runbook="redis-is-busy",
        severity="page",
        metrics=node(identifier, "EngineCPUUtilization", "Average"),
        above=BUSY_PERCENT,
        of=(10, 10),
        missing="breaching",
    )
    yield Alarm(
        name=f"{role}_lag",
        description=f"As a replica, {shown} is more than {LAG_SECONDS} seconds behind the primary.",
        runbook="redis-lags",
        severity="ticket",
        metrics=node(identifier, "ReplicationLag"),
        above=LAG_SECONDS,
        of=(10, 10),
        missing="notBreaching",  # a primary has none
    )
    yield Alarm(
        name=f"{role}_connections",
        description=f"The connections of {shown} are running out.",
        runbook="redis-runs-out-of-connections",
        severity="ticket",
        metrics=node(identifier, "CurrConnections"),
        above=MOST_CONNECTIONS * CONNECTIONS_PERCENT // 100,
    )
    if may_evict:
        return  # a cache is expected to be full
    yield Alarm(
        name=f"{role}_memory",
        description=f"The memory of {shown} is running out: when it is full, no tasks can be queued.",
        runbook="redis-runs-out-of-memory",
        severity="page",
        metrics=node(identifier, "DatabaseMemoryUsagePercentage"),
        above=MEMORY_PERCENT,
    )
    yield Alarm(
        name=f"{role}_evictions",
        description=f"Keys of {shown} are evicted: its memory is full.",
        runbook="redis-evicts-keys",
        severity="ticket",
        metrics=node(identifier, "Evictions", "Sum"),
        above=0,
        of=(3, 5),
        missing="notBreaching",
    )
