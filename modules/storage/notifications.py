"""The topic for the results of backups, copies and restores. Observability has its subscribers."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.backup_vault_notifications import BackupVaultNotifications
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.sns_topic_policy import SnsTopicPolicy

from modules.storage.backup_vaults import MAIN, Vaults, vault_arn
from tierra.terraform.policy import Everyone, Statement, document
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
    """`aws_sns_topic.backups`, encrypted with the key of the vault, to which the vault reports."""
    topic = stack.add(
        SnsTopic,
        "backups",
        name=stack.names.of("topic", "backups"),
        kms_master_key_id=vaults.key.arn,
        tags=stack.tags("backups"),
    )
    policy = stack.add(SnsTopicPolicy, "backups", arn=topic.arn, policy=_policy(stack))
    stack.add(
        BackupVaultNotifications,
        MAIN,
        backup_vault_name=vaults.main.name,
        backup_vault_events=EVENTS,
        sns_topic_arn=topic.arn,
        depends_on=[policy],  # AWS Backup tries the topic at once
    )
    return topic


def _policy(stack: Stack) -> str:
    """The vault publishes, and none does without TLS. Principals of this account are granted in IAM."""
    topic = stack.arn("sns", stack.names.of("topic", "backups"))
    return document(
        Statement(
            sid="VaultPublishes",
            actions="sns:Publish",
            resources=topic,
            principals={"Service": "backup.amazonaws.com"},
            conditions={
                "ArnEquals": {"aws:SourceArn": vault_arn(stack, MAIN)},
                "StringEquals": {"aws:SourceAccount": stack.environment.account},
            },
        ),
        Statement(
            sid="RefusePlainHttp",
            effect="Deny",
            actions="sns:Publish",
            resources=topic,
            principals=Everyone("no role is exempt from a refusal"),
            conditions={"Bool": {"aws:SecureTransport": "false"}},
        ),
    )
