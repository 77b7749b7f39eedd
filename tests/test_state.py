"""The S3 backend that the generated Terraform names, with real terraform and a real S3 API."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
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
    """Runs terraform in a folder that holds nothing but the generated JSON of production's storage tier."""
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


def test_state_lies_encrypted_in_the_bucket_and_is_locked_there(terraform: Any, s3: Any) -> None:
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

    held = {
        "ID": "1",
        "Operation": "OperationTypeApply",
        "Who": "somebody@example.com",
        "Info": "",
        "Path": KEY,
    }
    held |= {"Version": "1.11.4", "Created": "2026-01-01T00:00:00Z"}
    s3.put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=json.dumps(held).encode())
    second = terraform("plan", "-input=false", "-no-color")
    assert second.returncode == 1
    assert "Error acquiring the state lock" in second.stderr
    assert "somebody@example.com" in second.stderr
