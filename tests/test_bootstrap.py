"""`make bootstrap`: the bucket for the states comes to be, and the state of its own tier ends up in it.

terraform and S3 are real; resources are those of the embedded provider, of which what S3, KMS and IAM must
know appears there, too. What this does not show: that AWS itself accepts each argument.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import pytest
from support.on_aws import BUCKET, Production
from support.project import Project, refused, succeeded

KEY = "acme/production/state/terraform.tfstate"
LOCAL = ".bootstrap/production.tfstate"


@pytest.fixture
def new(production: Production) -> Production:
    """An environment of which nothing exists."""
    production.aws.client("s3").delete_bucket(Bucket=BUCKET)
    shutil.rmtree(production.folder / "cdktf.out/production/stacks/state/.terraform")
    return production


def left_over(production: Production) -> list[str]:
    """Local states, wherever they are."""
    return [
        str(path.relative_to(production.folder))
        for path in production.folder.rglob("*.tfstate*")
        if ".terraform" not in path.parts and path.stat().st_size > 0
    ]


def ids(state: dict[str, Any]) -> dict[str, str]:
    return {
        f"{each['type']}.{each['name']}": each["instances"][0]["attributes"]["id"]
        for each in state["resources"]
    }


def test_bootstrap_ends_with_its_state_in_the_bucket_again_and_again(new: Production) -> None:
    production, s3 = new, new.aws.client("s3")
    refused(production.make("plan"), "make bootstrap ENV=production")
    refused(production.make("bootstrap"), "approve in advance with APPROVE=yes")
    assert s3.list_buckets()["Buckets"] == []

    succeeded(production.make("bootstrap", APPROVE="yes"))
    made = ids(production.state("state"))
    assert {"aws_s3_bucket.state", "aws_s3_bucket.state_logs", "aws_kms_key.state"} <= made.keys()
    stored = s3.get_object(Bucket=BUCKET, Key=KEY)
    assert stored["ServerSideEncryption"] == "aws:kms"
    assert stored["SSEKMSKeyId"].endswith("alias/acme-production-state")
    assert left_over(production) == []
    assert production.locks() == []

    # Again: nothing changes.
    before = production.state("state")
    assert re.search(r"plan +state +no changes", succeeded(production.make("bootstrap", APPROVE="yes")))
    assert production.state("state") == before

    # Another state under the same name is never mixed with this one.
    local = production.folder / LOCAL
    local.parent.mkdir(exist_ok=True)
    local.write_text(json.dumps(before).replace(made["aws_kms_key.state"], "another"))
    run = production.make("bootstrap", APPROVE="yes")
    refused(run, "tfstate has aws_kms_key.state another, and s3://")
    assert production.state("state") == before
    local.unlink()

    # The bucket is not destroyed with the tiers.
    refused(production.make("destroy", "TIER=state", APPROVE="yes"), "contains the states of all tiers")

    # Its state is lost: what is there under the names of the tier is adopted.
    s3.delete_object(Bucket=BUCKET, Key=KEY)
    succeeded(production.make("bootstrap", APPROVE="yes"))
    assert ids(production.state("state")) == made
    assert left_over(production) == []


@pytest.mark.soak
def test_a_bootstrap_that_stops_goes_on_from_where_its_state_is(new: Production) -> None:
    production = new
    failing = production.make("bootstrap", APPROVE="yes", REHEARSAL_FAIL="aws_s3_bucket=1")
    refused(failing, f"{LOCAL} is the only state of the created resources: keep it")
    assert left_over(production) == [LOCAL]
    kept = json.loads((production.folder / LOCAL).read_text())
    assert "aws_kms_key.state" in ids(kept)

    # Where even that file could not be written, terraform leaves this one, which nothing removes.
    errored = production.folder / "cdktf.out/production/bootstrap/stacks/state/errored.tfstate"
    (production.folder / LOCAL).rename(errored)
    refused(production.make("clean"), "make bootstrap for those below bootstrap/")

    failing = production.make("bootstrap", APPROVE="yes", REHEARSAL_FAIL="aws_s3_bucket_policy=1")
    refused(failing, "failure injected by REHEARSAL_FAIL")
    made = ids(production.state("state"))
    assert "aws_s3_bucket.state" in made
    assert made["aws_kms_key.state"] == ids(kept)["aws_kms_key.state"]
    assert left_over(production) == []

    succeeded(production.make("bootstrap", APPROVE="yes"))
    assert "aws_s3_bucket_policy.state" in ids(production.state("state"))
    succeeded(production.make("clean"))


def test_a_rehearsed_environment_needs_no_bootstrap(project: Project) -> None:
    output = succeeded(project.make("bootstrap"))
    assert "nothing to do" in output
