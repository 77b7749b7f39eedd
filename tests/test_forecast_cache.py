"""Tests of the caches between runs: forecasts with unchanged inputs, and terraform init."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rehearsal import attach
from tierra.run import forecast_cache, terraform
from tierra.run.terraform import Terraform
from tierra.run.workspace import Tier, Workspace

CONFIGURATION = {"output": {"x": {"value": "${data.terraform_remote_state.network.outputs.vpc_id}"}}}
STATE = '{"version": 4}'


@pytest.fixture
def data(tmp_path: Path) -> Tier:
    """A tier that needs another one, with a cached forecast."""
    facts = {"target": "rehearsal", "tiers": {"network": [], "data": ["network"]}}
    variables = {"STATES": f"{tmp_path}/states", "TERRAFORM": f"{tmp_path}/terraform"}
    (tmp_path / "environment.json").write_text(json.dumps(facts))
    tier = Workspace("sandbox", tmp_path, variables).tier("data")
    for file, content in (
        (tmp_path / "terraform", "one version"),
        (tier.configuration, CONFIGURATION),
        (tier.folder / "charts" / "a" / "Chart.yaml", "name: a"),
        (tier.needs[0].scratch_state, {"outputs": {"vpc_id": {"value": "vpc-1"}}}),
        (tier.plan_json, {"timestamp": "2026-01-01T00:00:00Z", "says": "größer"}),
        (tier.plan_log, "Plan: 1 to add"),
        (tier.scratch_state, {"outputs": {"endpoint": {"value": "db-1"}}}),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    forecast_cache.keep(tier, forecast_cache.key(tier, STATE, "plan"), plan=True)
    return tier


def uses_cache(tier: Tier, state: str = STATE, wanted: str = "plan") -> bool:
    """Runs the start of a forecast. Returns whether it uses the cached forecast."""
    tier.forget_plan()
    forecast_cache.begin(tier)
    assert not tier.scratch_state.exists()
    try:
        return forecast_cache.restored(tier, forecast_cache.key(tier, state, wanted))
    finally:
        forecast_cache.end(tier)


def test_cached_forecast_is_restored(data: Tier) -> None:
    for _ in range(2):
        assert uses_cache(data)
        plan = json.loads(data.plan_json.read_text(encoding="utf-8"))
        assert plan.pop("timestamp") > "2026-01-01T00:00:00Z"
        assert plan == {"says": "größer"}
        assert data.plan_log.read_text() == "Plan: 1 to add"
        assert "db-1" in data.scratch_state.read_text()
        assert data.plan_json.stat().st_mode & 0o077 == 0
    assert not uses_cache(data, state="")
    assert not uses_cache(data, wanted="plan and outputs")


INVALIDATIONS: dict[str, Callable[[Tier], object]] = {
    "the configuration": lambda tier: tier.configuration.write_text("{}"),
    "a chart": lambda tier: (tier.folder / "charts" / "a" / "Chart.yaml").write_text("name: b"),
    "a file beside the configuration": lambda tier: (tier.folder / "more.tf").touch(),
    "an output of another tier": lambda tier: tier.needs[0].scratch_state.write_text('{"outputs": {}}'),
    "the terraform program": lambda tier: os.utime(tier.workspace.terraform, (1, 1)),
    "the cached plan": lambda tier: (tier.scratch / "plan.json").write_text('{"timestamp": ""}'),
    "the cached state": lambda tier: tier.scratch_state.write_text("{}"),
    "a damaged note": lambda tier: (tier.scratch / forecast_cache.NOTE).write_text('{"key": '),
    "no note": lambda tier: (tier.scratch / forecast_cache.NOTE).unlink(),
}


@pytest.mark.parametrize("change", INVALIDATIONS)
def test_changed_input_invalidates_the_forecast(data: Tier, change: str) -> None:
    INVALIDATIONS[change](data)
    assert not uses_cache(data)
    assert not data.plan_json.exists()
    assert not list(data.scratch.glob("*.tfstate"))  # secrets are removed


def test_changed_provider_or_setting_invalidates_the_forecast(
    data: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(attach, "stamp", lambda: "newer")
        assert not uses_cache(data)
    data.scratch_state.write_text(json.dumps({"outputs": {"endpoint": {"value": "db-1"}}}))
    with monkeypatch.context() as patch:
        patch.setenv("REHEARSAL_FAIL", "aws_vpc=1")
        assert not uses_cache(data)
    data.scratch_state.write_text(json.dumps({"outputs": {"endpoint": {"value": "db-1"}}}))
    assert uses_cache(data)


def test_verbose_run_ignores_the_cached_forecast(data: Tier) -> None:
    verbose = Workspace("sandbox", data.workspace.out, {**data.workspace.variables, "VERBOSE": "yes"})
    assert not uses_cache(verbose.tier("data"))


def test_init_runs_once_for_the_same_configuration_and_lock_file(data: Tier) -> None:
    """terraform writes a missing lock file, which is no reason to run init again."""
    program, calls = Path(data.workspace.terraform), data.folder / "calls"
    program.write_text(
        f'#!/bin/sh\ntest "$1" != version || exec echo Terraform v1.11.4\n'
        f'echo "$2" >>{calls}\necho 1 >{data.folder}/.terraform.lock.hcl\n'
    )
    program.chmod(0o755)
    for _ in range(2):
        Terraform(data, "plan").init()
    assert calls.read_text() == "init\n"
    (data.folder / ".terraform.lock.hcl").write_text("2")
    Terraform(data, "plan").init()
    assert calls.read_text() == "init\ninit\n"
    os.utime(program, (1, 1))
    Terraform(data, "plan").init()
    assert calls.read_text() == "init\ninit\ninit\n"


def test_init_replaces_the_lock_file_after_an_upgrade_of_the_provider(
    data: Tier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """terraform refuses a provider whose checksum is not in the lock file."""
    embedded = tmp_path / ".rehearsal/mirror/registry/hashicorp/aws/6.0.0/linux_amd64/terraform-provider-aws"
    embedded.parent.mkdir(parents=True)
    monkeypatch.setattr(terraform, "ROOT", tmp_path)
    program, lock = Path(data.workspace.terraform), data.folder / ".terraform.lock.hcl"
    program.write_text(
        '#!/bin/sh\ntest "$1" != version || exec echo Terraform v1.11.4\n'
        f"test -e {lock} || cp {embedded} {lock}\nexec cmp -s {embedded} {lock}\n"
    )
    program.chmod(0o755)
    for checksum in ("one", "another"):
        embedded.write_text(checksum)
        Terraform(data, "plan").init()
        assert lock.read_text() == checksum
