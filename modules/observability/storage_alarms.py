"""Alarms of backups that failed or are missing."""

from __future__ import annotations

from collections.abc import Iterator

from modules.observability.alarm import Alarm
from modules.observability.metric import DAY, HOUR, Metric
from modules.storage.outputs import StorageOutputs
from tierra.terraform.stack import Stack


def vault(storage: StorageOutputs, metric: str, period: int = HOUR) -> Metric:
    """A number of jobs of the backup vault."""
    return Metric("AWS/Backup", metric, {"BackupVaultName": storage.backup_vault_name}, "Sum", period)


def storage_alarms(stack: Stack, storage: StorageOutputs) -> Iterator[Alarm]:
    """The notification of the backup topic says which job failed."""
    yield Alarm(
        name="backups_failed",
        description="A backup failed.",
        runbook="a-backup-failed",
        severity="ticket",
        metrics=vault(storage, "NumberOfBackupJobsFailed"),
        above=0,
        of=(1, 1),
        missing="notBreaching",
    )
    yield Alarm(
        name="backups_missing",
        description="No backup has been completed for two days.",
        runbook="backups-are-missing",
        severity="page",
        metrics=vault(storage, "NumberOfBackupJobsCompleted", DAY),
        below=1,
        of=(2, 2),
        missing="breaching",
    )
    if stack.environment.storage.backup.copy_region:
        yield Alarm(
            name="copies_failed",
            description="Copying a backup to the second region failed.",
            runbook="a-backup-failed",
            severity="ticket",
            metrics=vault(storage, "NumberOfCopyJobsFailed"),
            above=0,
            of=(1, 1),
            missing="notBreaching",
        )
