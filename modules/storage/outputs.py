"""Outputs of storage for other tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tierra.terraform.outputs import Outputs

# Where in the bucket of access logs the load balancer may write, by what it writes.
LOAD_BALANCER_LOGS = {kind: f"load-balancer/{kind}" for kind in ("access", "connections", "health-checks")}


@dataclass(frozen=True)
class StorageOutputs(Outputs, tier="storage"):
    """Buckets and backups. What carries the tag `backup_tag` of tierra/terraform/naming.py is backed up."""

    files_bucket_name: Annotated[str, "Bucket for the files of the systems"]
    files_bucket_arn: Annotated[str, "ARN of the bucket for the files of the systems"]
    files_key_arn: Annotated[str, "Key that encrypts the files of the systems"]
    logs_bucket_name: Annotated[str, "Bucket of access logs, once its policy lets deliveries in"]
    backup_vault_name: Annotated[str, "Backup vault"]
    backup_vault_arn: Annotated[str, "ARN of the backup vault"]
    backup_key_arn: Annotated[str, "Key that encrypts the backups"]
    backup_role_arn: Annotated[str, "Role with which AWS Backup makes and restores backups"]
    backup_topic_arn: Annotated[str, "Topic that tells how backups and restores ended"]
