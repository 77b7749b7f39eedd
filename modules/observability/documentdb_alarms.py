"""Alarms of DocumentDB: of the cluster, and of each instance."""

from __future__ import annotations

from collections.abc import Iterator

from modules.data.documentdb_spec import DocumentDb as Settings
from modules.data.outputs import DataOutputs
from modules.observability.alarm import Alarm
from modules.observability.metric import Metric
from modules.observability.postgres_alarms import CREDIT_PERIODS, FEW_CREDITS, GIB

BUSY_PERCENT = 90
FREE_MEMORY_PERCENT = 5
CONNECTIONS_PERCENT = 85
CACHE_PERCENT = 90  # below it, what is asked for often is read from disk
LAG_MILLISECONDS = 10_000
CURSORS_TIMED_OUT = 10


def instance(identifier: str, metric: str, statistic: str = "Average", period: int = 60) -> Metric:
    """A metric of an instance."""
    return Metric("AWS/DocDB", metric, {"DBInstanceIdentifier": identifier}, statistic, period)


def documentdb_alarms(settings: Settings, data: DataOutputs) -> Iterator[Alarm]:
    """One instance can be lost; that the readers are behind the writer is said of the cluster."""
    yield Alarm(
        name="documentdb_lag",
        says=f"A reader of DocumentDB is more than {LAG_MILLISECONDS // 1000} seconds behind.",
        runbook="documentdb-lags",
        severity="ticket",
        metrics=Metric(
            "AWS/DocDB",
            "DBClusterReplicaLagMaximum",
            {"DBClusterIdentifier": data.documentdb_cluster_identifier},
            "Maximum",
        ),
        above=LAG_MILLISECONDS,
        of=(10, 10),
        missing="notBreaching",  # a single instance has no reader
    )
    for name, identifier in data.documentdb_instance_identifiers.items():
        yield from _instance(settings, name, identifier)


def _instance(settings: Settings, name: str, identifier: str) -> Iterator[Alarm]:
    role, shown = f"documentdb_{name}", f"{name.replace('_', ' ')} of DocumentDB"
    yield Alarm(
        name=f"{role}_cpu",
        says=f"The processors of {shown} have been busy for a quarter of an hour.",
        runbook="documentdb-is-busy",
        severity="page",
        metrics=instance(identifier, "CPUUtilization"),
        above=BUSY_PERCENT,
        of=(15, 15),
        missing="breaching",
    )
    yield Alarm(
        name=f"{role}_memory",
        says=f"Memory of {shown} runs out.",
        runbook="documentdb-runs-out-of-memory",
        severity="ticket",
        metrics=instance(identifier, "FreeableMemory"),
        below=settings.memory_gib * GIB * FREE_MEMORY_PERCENT // 100,
        of=(15, 15),
    )
    yield Alarm(
        name=f"{role}_connections",
        says=f"Connections of {shown} run out.",
        runbook="documentdb-runs-out-of-connections",
        severity="page",
        metrics={
            "most": instance(identifier, "DatabaseConnectionsMax", "Maximum"),
            "limit": instance(identifier, "DatabaseConnectionsLimit", "Minimum"),
        },
        expression="100 * most / limit",
        above=CONNECTIONS_PERCENT,
    )
    yield Alarm(
        name=f"{role}_cache",
        says=f"Too much of what {shown} is asked for comes from disk.",
        runbook="documentdb-reads-from-disk",
        severity="ticket",
        metrics=instance(identifier, "BufferCacheHitRatio"),
        below=CACHE_PERCENT,
        of=(12, 12),
        missing="notBreaching",  # an idle instance reads nothing
    )
    yield Alarm(
        name=f"{role}_cursors",
        says=f"Clients leave cursors of {shown} open until they time out.",
        runbook="documentdb-cursors-time-out",
        severity="ticket",
        metrics=instance(identifier, "DatabaseCursorsTimedOut", "Sum", 300),
        above=CURSORS_TIMED_OUT,
        of=(3, 3),
        missing="notBreaching",
    )
    if settings.burstable:
        yield Alarm(
            name=f"{role}_credits",
            says=f"CPU credits of {shown} are spent.",
            runbook="a-database-spends-its-cpu-credits",
            severity="ticket",
            metrics=instance(identifier, "CPUCreditBalance", "Minimum", 300),
            below=FEW_CREDITS,
            of=CREDIT_PERIODS,
        )
