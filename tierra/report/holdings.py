"""What happens to the data when a resource is destroyed, type by type, by the arguments in its state that the
AWS provider uses.

The sources named here are files of hashicorp/terraform-provider-aws at 6.25.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tierra.report.releases import keeps_volumes

Values = Mapping[str, Any]


def outcome(terraform_type: str, values: Values) -> str:
    """What happens to the data of a resource; empty if it has no data."""
    rule = OUTCOMES.get(terraform_type)
    return rule(values) if rule else ""


def way_out(terraform_type: str, values: Values) -> str:
    """How to empty a container that AWS deletes only when it is empty; empty if the provider does it, and for
    other types."""
    argument, name, way = CONTAINERS.get(terraform_type, ("", "", ""))
    if not way or values.get(argument):
        return ""
    region = values.get("region")
    return way.format(name=values.get(name), region=f" --region {region}" if isinstance(region, str) else "")


def keeps_snapshot(terraform_type: str, values: Values) -> bool:
    """Whether the deletion makes a final snapshot."""
    return outcome(terraform_type, values).startswith("final snapshot")


def _database(values: Values) -> str:
    # internal/service/rds/instance.go, resourceInstanceDelete: replicas get no final snapshot.
    if values.get("replicate_source_db"):
        return ""
    if values.get("skip_final_snapshot"):
        kept = values.get("delete_automated_backups") is False
        return f"no final snapshot; {'automated backups stay' if kept else 'its data is permanently lost'}"
    return f"final snapshot {values.get('final_snapshot_identifier') or '(without a name: AWS refuses)'}"


def _cache(values: Values) -> str:
    # internal/service/elasticache/replication_group.go: the name of a final snapshot is enough.
    name = values.get("final_snapshot_identifier")
    return f"final snapshot {name}" if name else "no final snapshot; its data is permanently lost"


def _emptied(by: str, what: str) -> Callable[[Values], str]:
    """The outcome for a container: `by` is the argument that lets the provider empty it."""
    return lambda values: (
        f"{what} in it are deleted" if values.get(by) else f"AWS refuses while there are {what} in it"
    )


# Containers, by type: the argument that lets the provider empty it, the argument with its name, and the
# remedy without it. With protection a policy of the repository denies its deletion to every role.
# Source: botocore, ecr DeleteRepository, s3 DeleteBucket, backup DeleteBackupVault.
CONTAINERS: Mapping[str, tuple[str, str, str]] = {
    "aws_backup_vault": (
        "force_destroy",
        "name",
        "wait until its recovery points expire, or delete those that may go: aws backup"
        " list-recovery-points-by-backup-vault --backup-vault-name {name}{region} lists them, aws backup"
        " delete-recovery-point deletes one; a vault lock keeps them until their time is up",
    ),
    "aws_ecr_repository": (
        "force_delete",
        "name",
        "to delete it with its images, once no pod runs one: aws ecr delete-repository-policy"
        " --repository-name {name}{region} && aws ecr delete-repository --force --repository-name"
        " {name}{region}, and make plan again",
    ),
    "aws_s3_bucket": (
        "force_destroy",
        "bucket",
        "empty it first, old versions too: aws s3api list-object-versions --bucket {name}{region} lists them,"
        " aws s3api delete-objects --bucket {name}{region} deletes them",
    ),
}


def _files(_values: Values) -> str:
    # internal/service/efs/file_system.go: no argument keeps data; recovery points belong to AWS Backup.
    return "its files are permanently lost; recovery points of AWS Backup stay until their time is up"


def _key(values: Values) -> str:
    # internal/service/kms/key.go: the deletion is scheduled; AWS's own default is 30 days.
    days = values.get("deletion_window_in_days") or 30
    return f"deleted in {days} days, and what it encrypted is lost with it; until then that can be cancelled"


def _secret(values: Values) -> str:
    # internal/service/secretsmanager/secret.go: 0 deletes without recovery.
    days = values.get("recovery_window_in_days")
    return f"deleted in {days} days; until then it can be restored" if days else "deleted at once, for good"


def _logs(values: Values) -> str:
    return "stays in AWS" if values.get("skip_destroy") else "its logs are deleted"


def _cluster(_values: Values) -> str:
    return "volumes of its pods are in no state: they stay in EC2, and are billed"


def _release(values: Values) -> str:
    # kubernetes.io/docs/concepts/workloads/controllers/statefulset: volumes are not deleted with it.
    kept = "volumes of its pods are in no state, and may stay"
    return kept if keeps_volumes(values) else ""


OUTCOMES: Mapping[str, Callable[[Values], str]] = {
    "aws_db_instance": _database,
    "aws_docdb_cluster": _database,
    "aws_elasticache_replication_group": _cache,
    "aws_efs_file_system": _files,
    "aws_s3_bucket": _emptied("force_destroy", "objects"),
    "aws_backup_vault": _emptied("force_destroy", "recovery points"),
    "aws_ecr_repository": _emptied("force_delete", "images"),
    "aws_kms_key": _key,
    "aws_secretsmanager_secret": _secret,
    "aws_cloudwatch_log_group": _logs,
    "aws_eks_cluster": _cluster,
    "helm_release": _release,
}
