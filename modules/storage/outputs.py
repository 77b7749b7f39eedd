"""Outputs of the storage tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tierra.terraform.outputs import Outputs

# Prefixes of the load balancer's logs in the bucket of access logs, by kind of log.
LOAD_BALANCER_LOGS = {kind: f"load-balancer/{kind}" for kind in ("access", "connections", "health-checks")}


@dataclass(frozen=True)
class StorageOutputs(Outputs, tier="storage"):
    """Buckets and backups. Resources with the tag `backup_tag` of tierra/terraform/naming.py are backed
    up."""

    files_bucket_name: Annotated[str, "Name of the bucket for files of the systems"]
    files_bucket_arn: Annotated[str, "ARN of the bucket for files of the systems"]
    files_key_arn: Annotated[str, "ARN of the KMS key that encrypts the bucket for files"]
    logs_bucket_name: Annotated[
        str, "Name of the bucket of access logs; known once its policy allows log delivery"
    ]
    backup_vault_name: Annotated[str, "Name of the backup vault"]
    backup_vault_arn: Annotated[str, "ARN of the backup vault"]
    backup_key_arn: Annotated[str, "ARN of the KMS key that encrypts backups"]
    backup_role_arn: Annotated[str, "ARN of the IAM role with which AWS Backup creates and restores backups"]
    backup_topic_arn: Annotated[str, "ARN of the SNS topic that reports on backup and restore jobs"]
