"""Tests of make bootstrap: it creates the bucket for the states and stores the state of its own tier there.

terraform is real, S3, KMS and IAM are moto, and the embedded provider creates the resources. The tests do not
show that AWS accepts each argument.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.on_aws import BUCKET, Production
from support.project import refused, succeeded

from tierra.run.bootstrap import bootstrap
from tierra.run.workspace import Workspace

KEY = "acme/production/state/terraform.tfstate"
LOCAL = ".bootstrap/production.tfstate"


@pytest.fixture
def new(production: Production) -> Production:
    """An environment without any resource, not even the bucket."""
    production.aws.client("s3").delete_bucket(Bucket=BUCKET)
    shutil.rmtree(production.folder / "cdktf.out/production/stacks/state/.terraform")
    return production


def local_states(production: Production) -> list[str]:
    """The paths of all non-empty local states."""
    return [
        str(path.relative_to(production.folder))
        for path in production.folder.rglob("*.tfstate*")
        if ".terraform" not in path.parts and path.stat().st_size > 0
    ]


def ids(state: dict[str, Any]) -> dict[str, str]:
    return {
        f"{resource['type']}.{resource['name']}": resource["instances"][0]["attributes"]["id"]
        for resource in state["resources"]
    }


def test_bootstrap_stores_its_state_in_the_bucket_and_is_repeatable(new: Production) -> None:
    production, s3 = new, new.aws.client("s3")
    refused(production.make("bootstrap"), "approve in advance with APPROVE=yes")
    assert s3.list_buckets()["Buckets"] == []

    succeeded(production.make("bootstrap", APPROVE="yes"))
    created = ids(production.state("state"))
    assert {"aws_s3_bucket.state", "aws_s3_bucket.state_logs", "aws_kms_key.state"} <= created.keys()
    stored = s3.get_object(Bucket=BUCKET, Key=KEY)
    assert stored["ServerSideEncryption"] == "aws:kms"
    assert stored["SSEKMSKeyId"].endswith("alias/acme-production-state")
    assert local_states(production) == []
    assert production.locks() == []

    # A second bootstrap changes nothing, and does not use the report of an earlier plan.
    before = production.state("state")
    earlier = {"plans": {"state": {"plan": "0f3a"}}}
    (production.folder / "cdktf.out/production/report.json").write_text(json.dumps(earlier))
    assert re.search(r"plan +state +no changes", succeeded(production.make("bootstrap", APPROVE="yes")))
    assert production.state("state") == before

    # A local state of other resources is refused.
    local = production.folder / LOCAL
    local.parent.mkdir(exist_ok=True)
    local.write_text(json.dumps(before).replace(created["aws_kms_key.state"], "another"))
    run = production.make("bootstrap", APPROVE="yes")
    refused(run, "tfstate has aws_kms_key.state another, and s3://")
    assert production.state("state") == before
    local.unlink()

    # The tier of the bucket cannot be destroyed.
    refused(production.make("destroy", "TIER=state", APPROVE="yes"), "contains the states of all tiers")

    # If the state is lost, bootstrap adopts the resources by their names.
    s3.delete_object(Bucket=BUCKET, Key=KEY)
    succeeded(production.make("bootstrap", APPROVE="yes"))
    assert ids(production.state("state")) == created
    assert local_states(production) == []


@pytest.mark.soak
def test_failed_bootstrap_continues_from_its_state(new: Production) -> None:
    production = new
    failing = production.make("bootstrap", APPROVE="yes", REHEARSAL_FAIL="aws_s3_bucket=1")
    refused(failing, f"{LOCAL} is the only state of the created resources: keep it")
    assert local_states(production) == [LOCAL]
    first_state = json.loads((production.folder / LOCAL).read_text())
    assert "aws_kms_key.state" in ids(first_state)

    # If terraform cannot write that file, it writes errored.tfstate, which make clean keeps.
    errored = production.folder / "cdktf.out/production/bootstrap/stacks/state/errored.tfstate"
    (production.folder / LOCAL).rename(errored)
    refused(production.make("clean"), "make bootstrap for those below bootstrap/")

    failing = production.make("bootstrap", APPROVE="yes", REHEARSAL_FAIL="aws_s3_bucket_policy=1")
    refused(failing, "failure injected by REHEARSAL_FAIL")
    created = ids(production.state("state"))
    assert "aws_s3_bucket.state" in created
    assert created["aws_kms_key.state"] == ids(first_state)["aws_kms_key.state"]
    assert local_states(production) == []

    succeeded(production.make("bootstrap", APPROVE="yes"))
    assert "aws_s3_bucket_policy.state" in ids(production.state("state"))
    succeeded(production.make("clean"))


def test_rehearsal_needs_no_bootstrap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "environment.json").write_text('{"target": "rehearsal", "tiers": {"state": []}}')
    bootstrap(Workspace("sandbox", tmp_path))
    assert "nothing to do" in capsys.readouterr().out
