"""Tests of the state tier and of the generated S3 backend, with real terraform and a fake S3 API."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from conftest import Root
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).resolve().parents[1]
BUCKET = "acme-production-123456789012-state"
KEY = "acme/production/storage/terraform.tfstate"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(endpoint: str) -> Any:
    """An empty fake S3: servers in one test process share their data."""
    urlopen(Request(f"{endpoint}/moto-api/reset", method="POST")).close()
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def terraform(
    tmp_path: Path, endpoint: str, folders: dict[str, Path]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs terraform in a folder with only the generated JSON of production's storage tier."""
    (tmp_path / "cdk.tf.json").write_bytes(
        (folders["production"] / "stacks" / "storage" / "cdk.tf.json").read_bytes()
    )
    local = ROOT / ".venv" / "bin" / "terraform"
    environment = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": endpoint, "TF_IN_AUTOMATION": "1"}
    environment["TF_CLI_CONFIG_FILE"] = str(ROOT / ".rehearsal" / "terraform.rc")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(local) if local.exists() else "terraform", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_state_is_encrypted_and_locked_in_the_bucket(terraform: Any, s3: Any) -> None:
    init = terraform("init", "-input=false", "-no-color", "-backend-config=use_path_style=true")
    assert init.returncode == 0, init.stderr
    applied = terraform("apply", "-auto-approve", "-input=false", "-no-color")
    assert applied.returncode == 0, applied.stderr

    stored = s3.get_object(Bucket=BUCKET, Key=KEY)
    assert stored["ServerSideEncryption"] == "aws:kms"
    assert stored["SSEKMSKeyId"].endswith("alias/acme-production-state")
    state = json.loads(stored["Body"].read())
    assert any(resource["type"] == "aws_backup_vault" for resource in state["resources"])
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1

    lock = {
        "ID": "1",
        "Operation": "OperationTypeApply",
        "Who": "operator@example.com",
        "Info": "",
        "Path": KEY,
    }
    lock |= {"Version": "1.11.4", "Created": "2026-01-01T00:00:00Z"}
    s3.put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=json.dumps(lock).encode())
    second = terraform("plan", "-input=false", "-no-color")
    assert second.returncode == 1
    assert "Error acquiring the state lock" in second.stderr
    assert "operator@example.com" in second.stderr


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
