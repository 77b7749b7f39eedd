"""Buckets and backups."""

from __future__ import annotations

from collections.abc import Mapping

from tierra.aws.types.entry import Type

TYPES: Mapping[str, Type] = {
    "aws_s3_bucket": Type(
        shows={
            "lifecycle_rule": "aws_s3_bucket_lifecycle_configuration",
            "logging": "aws_s3_bucket_logging",
            "policy": "aws_s3_bucket_policy",
            "server_side_encryption_configuration": "aws_s3_bucket_server_side_encryption_configuration",
            "versioning": "aws_s3_bucket_versioning",
        },
        emptied=(
            "force_destroy",
            "objects",
            "bucket",
            (
                "empty it first, old versions too: aws s3api list-object-versions --bucket"
                " {name}{region} lists them, aws s3api delete-objects --bucket {name}{region}"
                " deletes them"
            ),
        ),
        usage="objects, by the bytes kept, and requests",
    ),
    "aws_s3_bucket_cors_configuration": Type(free=True),
    "aws_s3_bucket_lifecycle_configuration": Type(free=True),
    "aws_s3_bucket_logging": Type(free=True),
    "aws_s3_bucket_notification": Type(free=True),
    "aws_s3_bucket_ownership_controls": Type(free=True),
    "aws_s3_bucket_policy": Type(free=True),
    "aws_s3_bucket_public_access_block": Type(
        public={
            "block_public_acls": False,
            "block_public_policy": False,
            "ignore_public_acls": False,
            "restrict_public_buckets": False,
        },
        shields=("bucket", "aws_s3_bucket", "id"),
        free=True,
    ),
    "aws_s3_bucket_server_side_encryption_configuration": Type(free=True),
    "aws_s3_bucket_versioning": Type(free=True),
    "aws_backup_plan": Type(usage="backups, by the bytes kept"),
    "aws_backup_restore_testing_plan": Type(
        usage="trial restores, by the bytes restored and the hours that they exist",
    ),
    "aws_backup_restore_testing_selection": Type(
        import_ids=("{name}:{restore_testing_plan_name}",),
        free=True,
    ),
    "aws_backup_selection": Type(import_ids=("{plan_id}|{id}",), free=True),
    "aws_backup_vault": Type(
        volatile=("recovery_points",),
        emptied=(
            "force_destroy",
            "recovery points",
            "name",
            (
                "wait until its recovery points expire, or delete those that may go: aws backup"
                " list-recovery-points-by-backup-vault --backup-vault-name {name}{region} lists"
                " them, aws backup delete-recovery-point deletes one; a vault lock keeps them until"
                " their time is up"
            ),
        ),
        free=True,
    ),
    "aws_backup_vault_lock_configuration": Type(free=True),
    "aws_backup_vault_notifications": Type(free=True),
    "aws_backup_vault_policy": Type(free=True),
}
