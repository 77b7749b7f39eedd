"""A new environment on AWS: what it takes to plan a tier whose upstream does not exist never gets there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.on_aws import BUCKET, PROJECTS, Production
from support.project import refused, succeeded

TIERS = "TIER=network data"


@pytest.fixture
def new(production: Production) -> Production:
    """An environment with a bucket for its states and nothing else."""
    return production


def made_up(production: Production) -> set[str]:
    """The ids that a forecast of the network made up, less those that are names of the spec."""
    scratch = production.folder / "cdktf.out/production/forecast/network/scratch.tfstate"
    return {
        instance["attributes"]["id"]
        for resource in json.loads(scratch.read_text())["resources"]
        for instance in resource["instances"]
        if resource["type"] in ("aws_kms_key", "aws_security_group", "aws_subnet", "aws_vpc")
    }


def planned_by_the_forecast(production: Production) -> Path:
    """The plan that `make plan` made for the forecast of data, and removed: a copy of it was kept."""
    folder = production.folder / "cdktf.out/production/forecast/data"
    subprocess.run(
        ["terraform", f"-chdir={folder}", "plan", "-input=false", "-out=plan.tfplan"],
        env=production.environment,
        capture_output=True,
        check=True,
    )
    return folder / "plan.tfplan"


def test_no_value_of_a_forecast_reaches_an_apply(new: Production) -> None:
    production = new
    output = succeeded(production.make("plan", TIERS))
    assert re.search(r"^plan +data +\d+ to add, 0 to change, 0 to destroy \(forecast\)", output, re.M)
    report = production.report("production")
    assert {tier: counts["forecast"] for tier, counts in report.items()} == {"network": False, "data": True}
    stacks = production.folder / "cdktf.out" / "production"
    kept = {str(plan.relative_to(stacks)) for plan in stacks.glob("**/plan.tfplan")}
    assert kept == {"stacks/state/plan.tfplan", "stacks/network/plan.tfplan"}
    assert len(made_up(production)) > 10

    succeeded(production.make("-n", "apply", TIERS))
    assert (production.stack("data") / "forecast").exists()

    # The tier alone: what it needs is not there, and nothing takes its place.
    refused(production.make("apply", "TIER=data", APPROVE="yes"), "a tier that it needs is not applied")

    # A plan of the forecast in the place of a real one, without a seal and with that of another.
    data, network = production.stack("data"), production.stack("network")
    (data / "forecast").unlink()
    shutil.copy(planned_by_the_forecast(production), data / "plan.tfplan")
    refused(production.make("apply", "TIER=data", APPROVE="yes"), "there is no saved plan of data")
    shutil.copy(network / "plan.seal", data / "plan.seal")
    shutil.copy(data / "cdk.tf.json", data / "plan.config")
    refused(
        production.make("apply", "TIER=data", APPROVE="yes"),
        "the configuration is newer than the saved plan of data",
    )
    assert production.recorded("data") == set()

    # The way that is meant: network, then data, planned with what is there now.
    kept = [stacks / "forecast" / tier / "made.json" for tier in ("network", "data")]
    made = [file.stat().st_mtime_ns for file in kept]
    succeeded(production.make("plan", TIERS))
    assert [file.stat().st_mtime_ns for file in kept] == made  # nothing has changed: both are taken again
    refused(production.make("apply", TIERS), "approve in advance with APPROVE=yes")
    output = succeeded(production.make("apply", TIERS, APPROVE="yes"))
    assert output.index("apply  network") < output.index("apply  data")
    for tier in ("network", "data"):
        state = production.aws.wait_for(BUCKET, f"{PROJECTS}/{tier}/terraform.tfstate").decode()
        assert [id_ for id_ in made_up(production) if id_ in state] == []
    assert production.recorded("data")


def test_a_shell_with_the_embedded_provider_does_not_bring_it_to_aws(production: Production) -> None:
    """docs/rehearsal.md says how to use it by hand: TF_CLI_CONFIG_FILE then names it, for make, too."""
    says = production.folder / "terraform-that-says"
    says.write_text(
        '#!/bin/sh\n[ $2 = init ] || exec terraform "$@"\necho "by $TF_CLI_CONFIG_FILE." >&2; exit 1\n'
    )
    says.chmod(0o755)
    settings = production.folder / ".rehearsal" / "terraform.rc"
    command = ("plan", "TIER=state", f"TERRAFORM={says}")
    refused(production.make(*command, TF_CLI_CONFIG_FILE=str(settings)), "by .\n")
    refused(production.make(*command), f"by {production.folder / 'terraform.rc'}.\n")
