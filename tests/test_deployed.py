"""Tests of an image that is deployed while a saved plan waits for its approval."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.rehearsing import installed

from rehearsal.cloud import Cloud
from tierra.run import apply as applying
from tierra.run import plan as planning
from tierra.run.override import write_overrides
from tierra.run.workspace import Tier, Workspace
from tierra.terraform.stack import PROVIDERS

OLD, NEW = (f"registry.example.com/shop@sha256:{digit * 64}" for digit in "12")
PARAMETER = "/acme/trial/systems/shop/image"


def configuration(**more: Any) -> dict[str, Any]:
    """The parts of the systems tier about images: the second parameter represents the release."""
    return {
        "terraform": {
            "backend": {"s3": {"bucket": "b", "key": "k", "region": "us-east-1"}},
            "required_providers": {"aws": {"source": "hashicorp/aws", "version": PROVIDERS["aws"]}},
        },
        "provider": {"aws": [{"region": "us-east-1"}]},
        "resource": {
            "aws_ssm_parameter": {
                "shop": {
                    "name": PARAMETER,
                    "type": "String",
                    "insecure_value": "none",
                    "lifecycle": {"ignore_changes": ["insecure_value", "value"]},
                },
                "release": {
                    "name": "/acme/trial/release",
                    "type": "String",
                    "insecure_value": "${aws_ssm_parameter.shop.insecure_value}",
                    **more,
                },
            }
        },
    }


@pytest.fixture
def systems(tmp_path: Path) -> Tier:
    """The applied tier with a saved plan, while the old image runs."""
    installed()
    out, states = tmp_path / "out", tmp_path / "states"
    (out / "stacks" / "systems").mkdir(parents=True)
    facts = {"target": "rehearsal", "plan_hours": 24, "region": "us-east-1", "tiers": {"systems": []}}
    (out / "environment.json").write_text(json.dumps(facts))
    workspace = Workspace("trial", out, {"STATES": str(states), "APPROVE": "yes"})
    tier = workspace.tier("systems")
    configure(tier)
    planning.plan(tier)
    applying.apply(tier)
    deploy(tier, OLD)
    configure(tier)
    planning.plan(tier)
    applying.apply(tier)
    assert released(tier) == OLD
    return tier


def configure(tier: Tier, **more: Any) -> None:
    tier.configuration.write_text(json.dumps(configuration(**more)))
    write_overrides(tier.workspace)


def cloud(tier: Tier) -> Cloud:
    return Cloud(tier.workspace.states / "cloud.sqlite")


def deploy(tier: Tier, image: str) -> None:
    """Deploys as a pipeline does, outside of terraform."""
    (parameter,) = (each for each in cloud(tier).all("aws_ssm_parameter") if each["name"] == PARAMETER)
    cloud(tier).put(
        "aws_ssm_parameter", f"us-east-1/{parameter['id']}", {**parameter, "insecure_value": image}
    )


def released(tier: Tier) -> str:
    (parameter,) = (each for each in cloud(tier).all("aws_ssm_parameter") if each["name"] != PARAMETER)
    return str(parameter["insecure_value"])


def test_a_plan_that_is_approved_later_keeps_the_newly_deployed_image(
    systems: Tier, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(systems, description="changed")
    planning.plan(systems)
    assert OLD in systems.plan_json.read_text()
    deploy(systems, NEW)
    applying.apply(systems)
    assert released(systems) == NEW
    assert f"plans again: {PARAMETER} changed since the plan" in capsys.readouterr().out


def test_a_saved_plan_is_applied_unchanged_if_the_image_is_the_same(
    systems: Tier, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(systems, description="changed")
    planning.plan(systems)
    applying.apply(systems)
    assert released(systems) == OLD
    assert "plans again" not in capsys.readouterr().out
    assert not list(systems.folder.glob("deployed.*"))
