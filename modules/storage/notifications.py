"""The topic for the results of backups, copies and restores. Observability has its subscribers."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.backup_vault_notifications import BackupVaultNotifications
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic

from modules.storage.backup_vaults import MAIN, Vaults, vault_arn
from tierra.patterns.topic import publishes, topic
from tierra.terraform.stack import Stack

# "Completed" includes failed, expired and aborted: the message carries the status.
EVENTS = [
    "BACKUP_JOB_COMPLETED",
    "COPY_JOB_FAILED",
    "RECOVERY_POINT_MODIFIED",
    "RESTORE_JOB_COMPLETED",
    "S3_BACKUP_OBJECT_FAILED",
    "S3_RESTORE_OBJECT_FAILED",
]


def notifications(stack: Stack, vaults: Vaults) -> SnsTopic:
    """`aws_sns_topic.backups`, encrypted with the key of the vault, which publishes to it."""
    vault = {"ArnEquals": {"aws:SourceArn": vault_arn(stack, MAIN)}}
    created, policy = topic(
        stack,
        "backups",
        vaults.key.arn,
        publishes(stack, "backups", "VaultPublishes", "backup.amazonaws.com", vault),
    )
    stack.add(
        BackupVaultNotifications,
        MAIN,
        backup_vault_name=vaults.main.name,
        backup_vault_events=EVENTS,
        sns_topic_arn=created.arn,
        depends_on=[policy],  # AWS Backup publishes a test message at once
    )
    return created
