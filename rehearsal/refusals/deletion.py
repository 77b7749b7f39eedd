"""Deletions that AWS, or its provider, refuses: protected objects, missing final snapshots, groups in use."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rehearsal.catalog import Type
from rehearsal.protocol import Object

# The argument that forbids a deletion, and AWS's words for it.
PROTECTIONS = {
    "deletion_protection": "InvalidParameterCombination: Cannot delete protected {noun}, please disable"
    " deletion protection and try again.",
    "deletion_protection_enabled": "ValidationException: Resource cannot be deleted as it is currently"
    " protected against deletion. Disable deletion protection first.",
    "enable_deletion_protection": "OperationNotPermitted: Load balancer '{id}' cannot be deleted because"
    " deletion protection is enabled",
    "disable_api_termination": "OperationNotPermitted: The instance '{id}' may not be terminated. Modify its"
    " 'disableApiTermination' instance attribute and try again.",
}
# Source: API eks, DeleteCluster, InvalidRequestException; CreateClusterRequest, deletionProtection.
PROTECTED_CLUSTER = (
    "InvalidRequestException: Cluster {id} cannot be deleted because deletion protection is enabled. Disable"
    " deletion protection first."
)
INSTANCES = ("aws_instance", "aws_spot_instance_request")
FINAL_SNAPSHOT = ("aws_db_instance", "aws_rds_cluster", "aws_docdb_cluster", "aws_neptune_cluster")
# Groups that AWS keeps while they are in use: the type and argument that use them, and AWS's words, those of
# RDS
# as hashicorp/terraform-provider-aws#6448 quotes them.
MEMBERS = {
    "aws_db_parameter_group": (
        "aws_db_instance",
        "parameter_group_name",
        "InvalidDBParameterGroupState: One or more database instances are still members of this parameter"
        " group {name}, so the group cannot be deleted",
    ),
    "aws_docdb_cluster_parameter_group": (
        "aws_docdb_cluster",
        "db_cluster_parameter_group_name",
        "InvalidDBParameterGroupState: One or more database clusters are still members of this parameter"
        " group {name}, so the group cannot be deleted",
    ),
}


def protected(type_: Type, state: Object) -> str | None:
    """Why this object cannot be deleted as it is; None when it can."""
    noun = type_.name.removeprefix("aws_").replace("_", " ")
    for name, words in PROTECTIONS.items():
        if name == "disable_api_termination" and type_.name not in INSTANCES:
            continue
        if state.get(name) in (True, "ACTIVE"):
            if type_.name == "aws_eks_cluster":
                return PROTECTED_CLUSTER.format(id=state.get("id"))
            return words.format(noun=noun, id=state.get("id"))
    last = ("replicate_source_db", "skip_final_snapshot", "final_snapshot_identifier")
    if type_.name in FINAL_SNAPSHOT and not any(state.get(name) for name in last):
        return "final_snapshot_identifier is required when skip_final_snapshot is false"
    return None


def in_use(type_name: str, state: Object, around: Callable[[str], Iterable[Object]]) -> str | None:
    """Why this group cannot be deleted while others use it; None when it can."""
    if type_name not in MEMBERS:
        return None
    by, argument, words = MEMBERS[type_name]
    name = state.get("name")
    return words.format(name=name) if any(user.get(argument) == name for user in around(by)) else None
