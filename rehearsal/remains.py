"""What stays of an object that was deleted: a name that stays taken, and a final snapshot.

Sources: botocore's secretsmanager, DeleteSecret (RecoveryWindowInDays: 30 when it is not given) and
CreateSecret, InvalidRequestException; botocore's rds and docdb, DeleteDBInstance and DeleteDBCluster.
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
SCHEDULED, SNAPSHOT = "scheduled", "snapshot"


def leave(cloud: Cloud, type_name: str, state: Object) -> str:
    """Keeps what stays when the object goes; AWS's answer where it cannot, empty where it can."""
    if type_name == days.SECRET and isinstance(state.get("name"), str):
        window = state.get("recovery_window_in_days")
        until = days.today(cloud) + (window if isinstance(window, int) else RECOVERY_DAYS)
        cloud.write_note(SCHEDULED, _place(state, state["name"]), {"until": until})
    name = state.get("final_snapshot_identifier")
    keeps = not state.get("skip_final_snapshot") and not state.get("replicate_source_db")
    if type_name not in SNAPSHOTS or not name or not keeps:
        return ""
    if cloud.note(SNAPSHOT, _place(state, name)) is not None:
        return (
            f"{SNAPSHOTS[type_name]}: Cannot create the snapshot because a snapshot with the identifier"
            f" {name} already exists."
        )
    cloud.write_note(SNAPSHOT, _place(state, name), {"of": state.get("id")})
    return ""


def reserved(cloud: Cloud, type_name: str, made: Object) -> str:
    """AWS's answer where a name is still taken by what was deleted; empty where it is free."""
    if type_name != days.SECRET:
        return ""
    note = cloud.note(SCHEDULED, _place(made, made.get("name")))
    if note is None or note["until"] <= days.today(cloud):
        return ""
    return (
        "InvalidRequestException: You can't create this secret because a secret with this name is already"
        f" scheduled for deletion, in {note['until'] - days.today(cloud)} days."
    )


def _place(state: Object, name: Any) -> str:
    return f"{state.get('region') or 'global'}/{name}"
