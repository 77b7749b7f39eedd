"""Alarms of PostgreSQL, for the primary and for each replica."""

from __future__ import annotations

from collections.abc import Iterator

from modules.data.outputs import DataOutputs
from modules.data.postgres_spec import Postgres as Settings
from modules.observability.alarm import Alarm
from modules.observability.metric import Metric

GIB = 1024**3
BUSY_PERCENT = 90  # for 15 minutes: queries queue up
# Of the storage of the spec. RDS adds storage below 10 %: below 5 % it has failed to, or reached
# max_storage_gb.
FREE_PERCENT = 5
# PostgreSQL uses freeable memory as its cache; without it, it reads from disk.
FREE_MEMORY_PERCENT = 5
# RDS allows one connection for each 9,531,392 bytes of memory that the instance leaves to PostgreSQL, and at
# most 5,000 (RDS user guide, "Quotas and constraints"); an instance leaves about nine tenths.
BYTES_A_CONNECTION, MOST_CONNECTIONS, LEFT = 9_531_392, 5_000, 0.9
CONNECTIONS_PERCENT = 85
# An idle primary writes once in five minutes, and the reported lag of its replicas grows until then (RDS user
# guide, "Working with read replicas for RDS for PostgreSQL").
LAG_SECONDS = 360
# Autovacuum starts at 0.2 billion, and PostgreSQL stops at 2.1 billion.
TRANSACTION_IDS = 1_000_000_000
# Of the storage of the spec: how much WAL a replica or an unused slot may retain on the disk of the primary.
HELD_BACK_PERCENT = 20
# 20 credits last a busy vCPU for 20 minutes. A new instance starts without credits: hence two hours.
FEW_CREDITS, CREDIT_PERIODS = 20, (24, 24)


def instance(identifier: str, metric: str, statistic: str = "Average", period: int = 60) -> Metric:
    """A metric of an instance."""
    return Metric("AWS/RDS", metric, {"DBInstanceIdentifier": identifier}, statistic, period)


def postgres_alarms(settings: Settings, data: DataOutputs) -> Iterator[Alarm]:
    """A primary without metrics is down. Alarms of replicas, which can be replaced, are tickets, except that
    of their storage."""
    primary = data.postgres_identifier
    yield from _instance(settings, "postgres", "The primary of PostgreSQL", primary)
    yield Alarm(
        name="postgres_transaction_ids",
        description="Autovacuum is behind: PostgreSQL stops accepting writes when transaction IDs run out.",
        runbook="transaction-numbers-run-out",
        severity="ticket",
        metrics=instance(primary, "MaximumUsedTransactionIDs", "Maximum"),
        above=TRANSACTION_IDS,
        of=(5, 5),
    )
    yield Alarm(
        name="postgres_held_back",
        description="A replication slot retains WAL on the disk of the primary.",
        runbook="a-replication-slot-holds-logs-back",
        severity="ticket",
        metrics=instance(primary, "OldestReplicationSlotLag", "Maximum"),
        above=settings.storage_gb * GIB * HELD_BACK_PERCENT // 100,
        of=(15, 15),
        missing="notBreaching",  # no slot, no value
    )
    for name, identifier in data.postgres_replica_identifiers.items():
        shown = f"{name.replace('_', ' ')} of PostgreSQL"
        title = shown.capitalize().replace("postgresql", "PostgreSQL")
        yield from _instance(settings, name, title, identifier)
        yield Alarm(
            name=f"{name}_lag",
            description=f"{title} is more than {LAG_SECONDS // 60} minutes behind the primary.",
            runbook="a-replica-lags",
            severity="ticket",
            # RDS reports -1 when replication has stopped.
            metrics={"lag": instance(identifier, "ReplicaLag", "Maximum")},
            expression=f"IF(lag < 0, {2 * LAG_SECONDS}, lag)",
            above=LAG_SECONDS,
            of=(10, 10),
            missing="breaching",
        )


def _instance(settings: Settings, name: str, shown: str, identifier: str) -> Iterator[Alarm]:
    memory = settings.memory_gib * GIB
    connections = min(memory * LEFT / BYTES_A_CONNECTION, MOST_CONNECTIONS)
    urgent = name == "postgres"
    yield Alarm(
        name=f"{name}_cpu",
        description=f"{shown} has had a CPU utilization above {BUSY_PERCENT} % for 15 minutes.",
        runbook="postgresql-is-busy",
        severity="page" if urgent else "ticket",
        metrics=instance(identifier, "CPUUtilization"),
        above=BUSY_PERCENT,
        of=(15, 15),
        missing="breaching",
    )
    yield Alarm(
        name=f"{name}_storage",
        description=f"{shown} is running out of storage.",
        runbook="postgresql-runs-out-of-storage",
        severity="page",
        metrics=instance(identifier, "FreeStorageSpace", "Minimum"),
        below=settings.storage_gb * GIB * FREE_PERCENT // 100,
        of=(5, 5),
    )
    yield Alarm(
        name=f"{name}_memory",
        description=f"{shown} is running out of memory.",
        runbook="postgresql-runs-out-of-memory",
        severity="ticket",
        metrics=instance(identifier, "FreeableMemory"),
        below=memory * FREE_MEMORY_PERCENT // 100,
        of=(15, 15),
    )
    yield Alarm(
        name=f"{name}_connections",
        description=f"{shown} is running out of connections.",
        runbook="postgresql-runs-out-of-connections",
        severity="page" if urgent else "ticket",
        metrics=instance(identifier, "DatabaseConnections", "Maximum"),
        above=int(connections * CONNECTIONS_PERCENT / 100),
        of=(5, 5),
    )
    if settings.burstable:
        yield Alarm(
            name=f"{name}_credits",
            description=f"{shown} has spent its CPU credits; further credits are charged.",
            runbook="a-database-spends-its-cpu-credits",
            severity="ticket",
            metrics=instance(identifier, "CPUCreditBalance", "Minimum", 300),
            below=FEW_CREDITS,
            of=CREDIT_PERIODS,
        )
