"""Tests of the state tier and of the generated S3 backend. test_faults.py runs terraform with it: the state
is encrypted, locked, and the only object in the bucket."""

from __future__ import annotations

import pytest
from conftest import Root


@pytest.fixture
def state(roots: dict[str, Root]) -> Root:
    return roots["state"]


def arn(state: Root) -> str:
    return f"arn:aws:s3:::{state['aws_s3_bucket.state']['bucket']}"


def test_every_tier_has_its_state_in_this_bucket(roots: dict[str, Root]) -> None:
    name = roots["state"]["aws_s3_bucket.state"]["bucket"]
    assert {root.body["terraform"]["backend"]["s3"]["bucket"] for root in roots.values()} == {name}
    assert roots["state"]["aws_kms_alias.state"]["target_key_id"] == "${aws_kms_key.state.key_id}"
    keys = {root.body["terraform"]["backend"]["s3"]["kms_key_id"] for root in roots.values()}
    assert [key.split(":")[-1] for key in keys] == [roots["state"]["aws_kms_alias.state"]["name"]]


def test_states_only_accept_the_key_of_the_backends_by_arn_or_alias(state: Root) -> None:
    """S3 compares the key name of the upload, and backends use the alias."""
    refusal = state.statements("aws_s3_bucket_policy.state")["RefuseOtherKeys"]
    [allowed] = refusal["Condition"]["StringNotEquals"].values()
    backend = state.body["terraform"]["backend"]["s3"]
    assert (refusal["Effect"], allowed) == ("Deny", ["${aws_kms_key.state.arn}", backend["kms_key_id"]])


def test_earlier_states_can_be_restored(state: Root) -> None:
    assert state["aws_s3_bucket_versioning.state"]["versioning_configuration"] == {"status": "Enabled"}
    [rule] = state["aws_s3_bucket_lifecycle_configuration.state"]["rule"]
    assert rule["expiration"] == [{"expired_object_delete_marker": True}]
    assert rule["noncurrent_version_expiration"] == [
        {"noncurrent_days": state.environment.state.version_days, "newer_noncurrent_versions": 100}
    ]


def test_protected_states_cannot_be_deleted(state: Root) -> None:
    statements, protected = state.statements("aws_s3_bucket_policy.state"), state.environment.protection
    assert ({"KeepTheBucket", "KeepTheStates"} <= statements.keys()) is protected
    assert state["aws_s3_bucket.state"].get("lifecycle") == ({"prevent_destroy": True} if protected else None)
    if protected:
        statement = statements["KeepTheStates"]
        assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
        assert statement["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]
        # Not *.tflock: every run deletes its lock.
        assert statement["Resource"] == f"{arn(state)}/*.tfstate"


def test_access_to_states_is_logged(state: Root) -> None:
    logging = state["aws_s3_bucket_logging.state"]
    assert logging["target_bucket"] == "${aws_s3_bucket.state_logs.id}"
    deliveries = state.statements("aws_s3_bucket_policy.state_logs")["DeliverAccessLogs"]
    assert deliveries["Condition"]["ArnLike"] == {"aws:SourceArn": arn(state)}
    [rule] = state["aws_s3_bucket_server_side_encryption_configuration.state_logs"]["rule"]
    assert rule["apply_server_side_encryption_by_default"] == {"sse_algorithm": "AES256"}


@pytest.mark.parametrize(
    ("right", "actions"), [("read", "s3:GetObject"), ("write", ["s3:GetObject", "s3:PutObject"])]
)
def test_roles_only_use_and_lock_states_of_their_environment(
    state: Root, right: str, actions: str | list[str]
) -> None:
    environment = state.environment
    states = f"{arn(state)}/{environment.project}/{environment.environment}/*/terraform.tfstate"
    recovery = f"{arn(state)}/{environment.project}/{environment.environment}/recovery/*"
    # Roles only write it; operators read it.
    saving = {"KeepWhatAnApplyLeft": {"Effect": "Allow", "Action": "s3:PutObject", "Resource": recovery}}
    assert state.statements(f"aws_iam_policy.{right}") == {
        "FindTheBucket": {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": arn(state),
            "Condition": {
                "StringLikeIfExists": {"s3:prefix": f"{environment.project}/{environment.environment}/*"}
            },
        },
        "UseStates": {"Effect": "Allow", "Action": actions, "Resource": states},
        "LockStates": {
            "Effect": "Allow",
            "Action": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            "Resource": f"{states}.tflock",
        },
        **(saving if right == "write" else {}),
        "DecryptStates": {
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": f"arn:aws:kms:{environment.region}:{environment.account}:key/*",
            # Without the condition on the alias, the role could decrypt all other objects in S3.
            "Condition": {
                "ForAnyValue:StringEquals": {
                    "kms:ResourceAliases": f"alias/acme-{environment.environment}-state"
                },
                "StringEquals": {"kms:ViaService": f"s3.{environment.region}.amazonaws.com"},
            },
        },
    }
