"""Alarms of DocumentDB, for the cluster and for each instance."""

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
CACHE_PERCENT = 90  # below it, frequently used data is read from disk
LAG_MILLISECONDS = 10_000
CURSORS_TIMED_OUT = 10


def instance(identifier: str, metric: str, statistic: str = "Average", period: int = 60) -> Metric:
    """A metric of an instance."""
    return Metric("AWS/DocDB", metric, {"DBInstanceIdentifier": identifier}, statistic, period)


def documentdb_alarms(settings: Settings, data: DataOutputs) -> Iterator[Alarm]:
    """The lag is a metric of the cluster; everything else is measured for each instance."""
    yield Alarm(
        name="documentdb_lag",
        description=f"A reader of DocumentDB is over {LAG_MILLISECONDS // 1000} seconds behind the writer.",
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
        description=f"The CPU utilization of {shown} has been above {BUSY_PERCENT} % for 15 minutes.",
        runbook="documentdb-is-busy",
        severity="page",
        metrics=instance(identifier, "CPUUtilization"),
        above=BUSY_PERCENT,
        of=(15, 15),
        missing="breaching",
    )
    yield Alarm(
        name=f"{role}_memory",
        description=f"The memory of {shown} is running out.",
        runbook="documentdb-runs-out-of-memory",
        severity="ticket",
        metrics=instance(identifier, "FreeableMemory"),
        below=settings.memory_gib * GIB * FREE_MEMORY_PERCENT // 100,
        of=(15, 15),
    )
    yield Alarm(
        name=f"{role}_connections",
        description=f"The connections of {shown} are running out.",
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
        description=f"The buffer cache of {shown} answers less than {CACHE_PERCENT} % of reads.",
        runbook="documentdb-reads-from-disk",
        severity="ticket",
        metrics=instance(identifier, "BufferCacheHitRatio"),
        below=CACHE_PERCENT,
        of=(12, 12),
        missing="notBreaching",  # an idle instance reads nothing
    )
    yield Alarm(
        name=f"{role}_cursors",
        description=f"Cursors of {shown} time out: clients leave them open.",
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
            description=f"The CPU credits of {shown} are spent.",
            runbook="a-database-spends-its-cpu-credits",
            severity="ticket",
            metrics=instance(identifier, "CPUCreditBalance", "Minimum", 300),
            below=FEW_CREDITS,
            of=CREDIT_PERIODS,
        )
