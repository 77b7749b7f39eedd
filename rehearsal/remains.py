"""What remains of a deleted object: a reserved name, and a final snapshot. A vault lock is permanent once its
grace period is over.

Sources: botocore's secretsmanager, DeleteSecret (RecoveryWindowInDays: 30 when it is not given) and
CreateSecret, InvalidRequestException; botocore's rds and docdb, DeleteDBInstance and DeleteDBCluster;
botocore's backup, PutBackupVaultLockConfiguration (ChangeableForDays) and
DeleteBackupVaultLockConfiguration, InvalidRequestException.
"""

from __future__ import annotations

from typing import Any

from rehearsal import days
from rehearsal.cloud import Cloud
from rehearsal.protocol import Object

RECOVERY_DAYS = 30
SNAPSHOTS = {
    "aws_db_instance": "DBSnapshotAlreadyExists",
    "aws_docdb_cluster": "DBClusterSnapshotAlreadyExistsFault",
    "aws_rds_cluster": "DBClusterSnapshotAlreadyExistsFault",
}
LOCK = "aws_backup_vault_lock_configuration"
SCHEDULED, SNAPSHOT, LOCKED = "scheduled", "snapshot", "locked"


def begin(cloud: Cloud, type_name: str, created: Object) -> None:
    """Records the day on which a new lock becomes permanent."""
    grace = created.get("changeable_for_days")
    if type_name == LOCK and isinstance(grace, int):
        cloud.write_note(
            LOCKED, _key(created, created.get("backup_vault_name")), {"from": days.today(cloud) + grace}
        )


def leave(cloud: Cloud, type_name: str, state: Object) -> str:
    """Records what remains of a deleted object; returns AWS's error if it cannot be deleted, else an empty
    text."""
    if type_name == LOCK and isinstance(state.get("changeable_for_days"), int):
        vault = state.get("backup_vault_name")
        note = cloud.note(LOCKED, _key(state, vault))
        if note is not None and note["from"] <= days.today(cloud):
            return (
                f"InvalidRequestException: The lock of backup vault {vault} is past its grace of"
                f" {state['changeable_for_days']} days: it can be neither changed nor deleted."
            )
    if type_name == days.SECRET and isinstance(state.get("name"), str):
        window = state.get("recovery_window_in_days")
        until = days.today(cloud) + (window if isinstance(window, int) else RECOVERY_DAYS)
        cloud.write_note(SCHEDULED, _key(state, state["name"]), {"until": until})
    name = state.get("final_snapshot_identifier")
    keeps = not state.get("skip_final_snapshot") and not state.get("replicate_source_db")
    if type_name not in SNAPSHOTS or not name or not keeps:
        return ""
    if cloud.note(SNAPSHOT, _key(state, name)) is not None:
        return (
            f"{SNAPSHOTS[type_name]}: Cannot create the snapshot because a snapshot with the identifier"
            f" {name} already exists."
        )
    cloud.write_note(SNAPSHOT, _key(state, name), {"of": state.get("id")})
    return ""


def reserved(cloud: Cloud, type_name: str, created: Object) -> str:
    """AWS's error if a deleted object still reserves the name; empty if the name is free."""
    if type_name != days.SECRET:
        return ""
    note = cloud.note(SCHEDULED, _key(created, created.get("name")))
    if note is None or note["until"] <= days.today(cloud):
        return ""
    return (
        "InvalidRequestException: You can't create this secret because a secret with this name is already"
        f" scheduled for deletion, in {note['until'] - days.today(cloud)} days."
    )


def _key(state: Object, name: Any) -> str:
    return f"{state.get('region') or 'global'}/{name}"
