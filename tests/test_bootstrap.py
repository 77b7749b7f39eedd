"""`make bootstrap`: the bucket for the states comes to be, and the state of its own tier ends up in it.

terraform and S3 are real; resources are those of the embedded provider, of which what S3 and KMS must know
appears there, too. What this does not show: that AWS itself accepts each argument.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from on_aws import BUCKET, Production
from pretend_aws import Aws
from test_make import refused, succeeded

KEY = "acme/production/state/terraform.tfstate"


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    found = Aws()
    yield found
    found.stop()


@pytest.fixture
def production(tmp_path: Path, aws: Aws) -> Production:
    aws.reset()
    return Production(tmp_path / "tierra", aws)


def left_over(production: Production) -> list[str]:
    """Local states, wherever they are."""
    return [
        str(path.relative_to(production.folder))
        for path in production.folder.rglob("*.tfstate*")
        if ".terraform" not in path.parts and path.stat().st_size > 0
    ]


def test_bootstrap_moves_its_state_into_the_bucket_and_changes_nothing_the_second_time(
    production: Production,
) -> None:
    refused(production.make("plan"), "run make bootstrap ENV=production".removeprefix("run "))
    refused(production.make("bootstrap"), "APPROVE=yes says yes in advance")
    assert production.aws.client("s3").list_buckets()["Buckets"] == []

    succeeded(production.make("bootstrap", APPROVE="yes"))
    made = production.recorded("state")
    assert {"aws_s3_bucket.state", "aws_s3_bucket.state_logs", "aws_kms_key.state"} <= made
    stored = production.aws.client("s3").get_object(Bucket=BUCKET, Key=KEY)
    assert stored["ServerSideEncryption"] == "aws:kms"
    assert stored["SSEKMSKeyId"].endswith("alias/acme-production-state")
    assert left_over(production) == []
    assert production.locks() == []

    before = production.state("state")
    output = succeeded(production.make("bootstrap", APPROVE="yes"))
    assert "No changes." in output
    assert production.state("state") == before
    assert "No changes." in succeeded(production.make("plan", "TIER=state"))


def test_bootstrap_adopts_what_is_there_when_its_state_is_lost(production: Production) -> None:
    succeeded(production.make("bootstrap", APPROVE="yes"))
    before = ids(production)
    production.aws.client("s3").delete_object(Bucket=BUCKET, Key=KEY)
    output = succeeded(production.make("bootstrap", APPROVE="yes"))
    assert "6 to import" in output
    assert ids(production) == before
    assert left_over(production) == []
    assert "No changes." in succeeded(production.make("plan", "TIER=state"))


def test_a_bootstrap_that_stops_half_way_goes_on_from_the_bucket(production: Production) -> None:
    failing = production.make("bootstrap", APPROVE="yes", REHEARSAL_FAIL="aws_s3_bucket_policy=1")
    refused(failing, "failure injected by REHEARSAL_FAIL")
    assert "aws_s3_bucket.state" in production.recorded("state")
    assert left_over(production) == []
    succeeded(production.make("bootstrap", APPROVE="yes"))
    assert "aws_s3_bucket_policy.state" in production.recorded("state")


def test_a_bootstrap_that_fails_before_the_bucket_keeps_its_local_state(production: Production) -> None:
    failing = production.make("bootstrap", APPROVE="yes", REHEARSAL_FAIL="aws_s3_bucket=1")
    refused(failing, ".bootstrap/production.tfstate is the only state of what was made: keep it")
    assert left_over(production) == [".bootstrap/production.tfstate"]
    kept = json.loads((production.folder / ".bootstrap" / "production.tfstate").read_text())
    assert "aws_kms_key" in {each["type"] for each in kept["resources"]}
    succeeded(production.make("clean"))
    succeeded(production.make("bootstrap", APPROVE="yes"))
    assert left_over(production) == []
    [key] = [each for each in production.state("state")["resources"] if each["type"] == "aws_kms_key"]
    [old] = [each for each in kept["resources"] if each["type"] == "aws_kms_key"]
    assert key["instances"][0]["attributes"]["id"] == old["instances"][0]["attributes"]["id"]


def test_two_different_states_are_never_mixed(production: Production) -> None:
    succeeded(production.make("bootstrap", APPROVE="yes"))
    before = production.state("state")
    local = production.folder / ".bootstrap" / "production.tfstate"
    local.parent.mkdir(exist_ok=True)
    local.write_text(json.dumps(before).replace(ids(production)["aws_kms_key.state"], "another"))
    refused(
        production.make("bootstrap", APPROVE="yes"), "tfstate tells of aws_kms_key.state another, and s3://"
    )
    assert production.state("state") == before
    assert local.exists()


def test_bootstrap_says_that_a_rehearsed_environment_needs_none(production: Production) -> None:
    output = succeeded(production.make("bootstrap", "ENV=sandbox"))
    assert "there is nothing to do" in output


def test_the_bucket_of_the_states_is_not_destroyed_with_the_tiers(production: Production) -> None:
    succeeded(production.make("bootstrap", APPROVE="yes"))
    refused(production.make("destroy", "TIER=state", APPROVE="yes"), "holds the states of all tiers")
    assert production.recorded("state")


def ids(production: Production) -> dict[str, str]:
    return {
        f"{each['type']}.{each['name']}": each["instances"][0]["attributes"]["id"]
        for each in production.state("state")["resources"]
    }
