"""Plans of a new environment on AWS: values of forecasts and the embedded provider do not reach AWS."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.on_aws import BUCKET, PROJECTS, Production
from support.project import refused, succeeded

from tierra.run.saved import fault
from tierra.run.workspace import Workspace

TIERS = "TIER=network data"


@pytest.fixture
def new(production: Production) -> Production:
    """An environment of which only the bucket for the states exists."""
    return production


def forecast_ids(production: Production) -> set[str]:
    """The ids that the forecast of the network generated, without those that are names."""
    scratch = production.folder / "cdktf.out/production/forecast/network/scratch.tfstate"
    return {
        instance["attributes"]["id"]
        for resource in json.loads(scratch.read_text())["resources"]
        for instance in resource["instances"]
        if resource["type"] in ("aws_kms_key", "aws_security_group", "aws_subnet", "aws_vpc")
    }


def plan_forecast(production: Production) -> Path:
    """Plans the forecast of data again, as an operator might. Returns the plan, which make plan removes."""
    folder = production.folder / "cdktf.out/production/forecast/data"
    subprocess.run(
        ["terraform", f"-chdir={folder}", "plan", "-input=false", "-out=plan.tfplan"],
        env=production.environment,
        capture_output=True,
        check=True,
    )
    return folder / "plan.tfplan"


def test_values_of_a_forecast_do_not_reach_an_apply(new: Production) -> None:
    production = new
    output = succeeded(production.make("plan", TIERS))
    assert re.search(r"^plan +data +\d+ to add, 0 to change, 0 to destroy \(forecast\)", output, re.M)
    report = production.report("production")
    assert {tier: counts["forecast"] for tier, counts in report.items()} == {"network": False, "data": True}
    stacks = production.folder / "cdktf.out" / "production"
    plans = {str(plan.relative_to(stacks)) for plan in stacks.glob("**/plan.tfplan")}
    assert plans == {"stacks/state/plan.tfplan", "stacks/network/plan.tfplan"}
    assert len(forecast_ids(production)) > 10

    succeeded(production.make("-n", "apply", TIERS))
    assert (production.stack("data") / "forecast").exists()

    # One tier without the tier that it needs.
    refused(production.make("apply", "TIER=data", APPROVE="yes"), "a tier that it needs is not applied")

    # A plan of the forecast in place of the tier's plan: without a seal, then with the seal of another plan.
    data, network = production.stack("data"), production.stack("network")
    (data / "forecast").unlink()
    shutil.copy(plan_forecast(production), data / "plan.tfplan")
    tier = Workspace("production", stacks).tier("data")
    assert fault(tier).startswith("there is no saved plan of data")
    shutil.copy(network / "plan.seal", data / "plan.seal")
    shutil.copy(data / "cdk.tf.json", data / "plan.config")
    refused(
        production.make("apply", "TIER=data", APPROVE="yes"),
        "the configuration is newer than the saved plan of data",
    )
    assert production.recorded("data") == set()

    # Both tiers: make apply applies network, then plans data again with its real outputs.
    notes = [stacks / "forecast" / tier / "made.json" for tier in ("network", "data")]
    written = [file.stat().st_mtime_ns for file in notes]
    succeeded(production.make("plan", TIERS))
    assert [file.stat().st_mtime_ns for file in notes] == written  # both forecasts come from the cache
    refused(production.make("apply", TIERS), "approve in advance with APPROVE=yes")
    output = succeeded(production.make("apply", TIERS, APPROVE="yes"))
    assert output.index("apply  network") < output.index("apply  data")
    for tier in ("network", "data"):
        state = production.aws.wait_for(BUCKET, f"{PROJECTS}/{tier}/terraform.tfstate").decode()
        assert [id_ for id_ in forecast_ids(production) if id_ in state] == []
    assert production.recorded("data")


def test_embedded_provider_of_the_shell_is_not_used_on_aws(production: Production) -> None:
    """TF_CLI_CONFIG_FILE names the embedded provider in a shell that is set up as in docs/rehearsal.md."""
    terraform = production.folder / "terraform-that-prints-its-settings"
    terraform.write_text(
        '#!/bin/sh\n[ $2 = init ] || exec terraform "$@"\necho "by $TF_CLI_CONFIG_FILE." >&2; exit 1\n'
    )
    terraform.chmod(0o755)
    settings = production.folder / ".rehearsal" / "terraform.rc"
    command = ("plan", "TIER=state", f"TERRAFORM={terraform}")
    refused(production.make(*command, TF_CLI_CONFIG_FILE=str(settings)), "by .\n")
    refused(production.make(*command), f"by {production.folder / 'terraform.rc'}.\n")
