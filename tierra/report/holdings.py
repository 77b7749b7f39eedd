"""What happens to the data when a resource is destroyed, type by type, by the arguments in its state that the
AWS provider uses.

The sources named here are files of hashicorp/terraform-provider-aws at 6.25.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tierra.aws.types import known
from tierra.report.releases import keeps_volumes

Values = Mapping[str, Any]


def outcome(terraform_type: str, values: Values) -> str:
    """What happens to the data of a resource when it is destroyed; empty for a resource without data."""
    if container := known(terraform_type).emptied:
        argument, what, _, _ = container
        if values.get(argument):
            return f"{what} in it are deleted"
        return f"AWS refuses while there are {what} in it"
    rule = OUTCOMES.get(terraform_type)
    return rule(values) if rule else ""


def has_data(terraform_type: str) -> bool:
    """Whether resources of a type may hold data."""
    return terraform_type in OUTCOMES or known(terraform_type).emptied is not None


def way_out(terraform_type: str, values: Values) -> str:
    """How to empty a container that AWS deletes only when it is empty. An empty text if the provider empties
    it, and for other types."""
    container = known(terraform_type).emptied
    if container is None or values.get(container[0]):
        return ""
    _, _, name, way = container
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
        stay = values.get("delete_automated_backups") is False
        return f"no final snapshot; {'automated backups stay' if stay else 'its data is permanently lost'}"
    return f"final snapshot {values.get('final_snapshot_identifier') or '(without a name: AWS refuses)'}"


def _cache(values: Values) -> str:
    # internal/service/elasticache/replication_group.go: the name of a final snapshot is enough.
    name = values.get("final_snapshot_identifier")
    return f"final snapshot {name}" if name else "no final snapshot; its data is permanently lost"


def _files(_values: Values) -> str:
    # internal/service/efs/file_system.go: no argument keeps data; recovery points belong to AWS Backup.
    return "its files are permanently lost; recovery points of AWS Backup stay until they expire"


def _key(values: Values) -> str:
    # internal/service/kms/key.go: the deletion is scheduled; AWS's own default is 30 days.
    days = values.get("deletion_window_in_days") or 30
    return f"deleted in {days} days, and what it encrypted is lost with it; until then that can be cancelled"


def _secret(values: Values) -> str:
    # internal/service/secretsmanager/secret.go: 0 deletes without recovery.
    days = values.get("recovery_window_in_days")
    return (
        f"deleted in {days} days; until then it can be restored"
        if days
        else "deleted at once and permanently"
    )


def _logs(values: Values) -> str:
    return "stays in AWS" if values.get("skip_destroy") else "its logs are deleted"


def _cluster(_values: Values) -> str:
    return "volumes of its pods are in no state: they stay in EC2, and are billed"


def _release(values: Values) -> str:
    # kubernetes.io/docs/concepts/workloads/controllers/statefulset: volumes are not deleted with it.
    message = "volumes of its pods are in no state, and may stay"
    return message if keeps_volumes(values) else ""


OUTCOMES: Mapping[str, Callable[[Values], str]] = {
    "aws_db_instance": _database,
    "aws_docdb_cluster": _database,
    "aws_elasticache_replication_group": _cache,
    "aws_efs_file_system": _files,
    "aws_kms_key": _key,
    "aws_secretsmanager_secret": _secret,
    "aws_cloudwatch_log_group": _logs,
    "aws_eks_cluster": _cluster,
    "helm_release": _release,
}
